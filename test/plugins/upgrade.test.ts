import { parseRecordedStack } from '../../deployment/operator/recorded-state';
import { storedProgram } from '../../deployment/operator/stored-program';
import { type Home, ourHome } from './binaries';
import { disturbances } from './disturbances';
import { ImportedStack } from './imported-stack';
import { recordedStates, type RecordedStateFile } from './recorded-states';
import { Surroundings } from './standing';

/** Upgrading Skyfleet: today's program on the states that earlier versions have recorded. */

jest.setTimeout(300_000);

let home: Home | undefined;
let surroundings: Surroundings;

beforeAll(async () => {
  home = await ourHome();
  surroundings = await Surroundings.start();
});

afterAll(async () => {
  await surroundings.stop();
  await home?.remove();
});

/** Does something with a stack that has a recorded state. */
async function withStack<T>(
  recorded: RecordedStateFile,
  use: (stack: ImportedStack) => Promise<T>,
): Promise<T> {
  const stack = await ImportedStack.create(home?.home ?? '', recorded);
  try {
    return await use(stack);
  } finally {
    await stack.remove();
  }
}

interface State {
  deployment: {
    resources: { type: string; inputs?: Record<string, unknown>; outputs?: Record<string, unknown> }[];
  };
}

/** As an earlier version had it, of which each command carried another program to delete by. */
function withOtherPrograms(recorded: RecordedStateFile): RecordedStateFile {
  const state = JSON.parse(recorded.state) as State;
  for (const { inputs, outputs } of state.deployment.resources) {
    for (const values of [inputs, outputs]) {
      if (String(values?.['delete']).startsWith('node - <<'))
        Object.assign(values ?? {}, { delete: 'node -e 0' });
    }
  }
  return { ...recorded, state: JSON.stringify(state) };
}

describe.each(recordedStates())('what $version has recorded of the stack $stack', (recorded) => {
  test('is left alone by an upgrade, but for the files of the new version', async () => {
    const preview = await withStack(await surroundings.stand(recorded), (stack) => stack.preview());
    expect(disturbances(recorded.stack, preview)).toEqual([]);
    const said = preview.diagnostics.map(({ message }) => message);
    expect(said.filter((message) => message.includes('is not known'))).toEqual([]);
    expect(surroundings.sky.paths).toContain('/status');
  });

  test('stays so in the first up, which renews the stored programs and asks nothing of SkyPilot but its status', async () => {
    const standing = withOtherPrograms(await surroundings.stand(recorded));
    expect(standing.state).not.toContain('SKYFLEET_PROGRAM');
    const after = await withStack(standing, async (stack) => {
      await stack.up();
      return stack.state();
    });
    const [programs] = [JSON.stringify(storedProgram('delete')), JSON.stringify(storedProgram('release'))];
    expect(after).toContain(programs);
    expect(new Set(surroundings.sky.paths)).toEqual(new Set(['/status']));
    expect(parseRecordedStack(after)).toEqual(parseRecordedStack(standing.state));
  });
});

describe('an upgrade is seen to disturb a stack', () => {
  const [recorded] = recordedStates();
  if (recorded === undefined) throw new Error('there is no recorded state');

  const whole = (texts: string[]): unknown => expect.arrayContaining(texts);

  test.each<[what: string, from: string, to: string, found: unknown]>([
    [
      'whose machines it would make otherwise',
      'diskSizeGiB: 30',
      'diskSizeGiB: 31',
      ['local-0, local-1: replace: diskSizeGiB 31 → 30; 1 node restarts elsewhere'],
    ],
    [
      'which did not record an input that a place has now',
      'bacalhau.logLevel: info\\n',
      '',
      ['local-0, local-1: refresh: bacalhau.logLevel none → info; 1 node is brought up to date in place'],
    ],
    [
      'whose machines it would know by another key',
      '"SKYFLEET_MACHINE": "',
      '"SKYFLEET_MACHINE": "0',
      whole(['local-0: the key of its machines differs', 'local-1: the key of its machines differs']),
    ],
    [
      'whose network it would declare otherwise',
      '"enableDnsHostnames": true',
      '"enableDnsHostnames": false',
      ['update skyfleet-local-vpc'],
    ],
    [
      'of which it would call a resource otherwise',
      '::skyfleet-local-s3"',
      '::skyfleet-local-endpoint"',
      whole(['create skyfleet-local-s3', 'delete skyfleet-local-endpoint']),
    ],
  ])('%s', async (_, from, to, found) => {
    const standing = await surroundings.stand(recorded);
    const state = standing.state.replaceAll(from, to);
    expect(state).not.toBe(standing.state);
    const preview = await withStack({ ...standing, state }, (stack) => stack.preview());
    expect(disturbances(recorded.stack, preview)).toEqual(found);
  });
});
