import { parse } from 'yaml';
import type { PlaceInputs } from '../../config/change-classes';
import { readNodeFiles } from '../../deployment/operator/node-files';
import { parseRecordedStack } from '../../deployment/operator/recorded-state';
import { fileFingerprints } from '../../deployment/operator/shipped-files';
import { bundleText } from '../../deployment/operator/bundles';
import { deleteCommand, releaseCommand } from '../../deployment/operator/stored-program';
import { toYaml } from '../../deployment/operator/task';
import { type Home, ourHome } from './binaries';
import { disturbances, reviewOf } from './disturbances';
import { ImportedStack } from './imported-stack';
import { recordedStates, type RecordedStateFile } from './recorded-states';
import { Surroundings } from './standing';

/** Upgrading Skyfleet: today's program on the states that earlier versions have recorded. */

jest.setTimeout(300_000);

let home: Home | undefined;
let surroundings: Surroundings | undefined;

beforeAll(async () => {
  home = await ourHome();
  surroundings = await Surroundings.start();
});

afterAll(async () => {
  await surroundings?.stop();
  await home?.remove();
});

/** Where everything stands that a state has recorded. */
function around(): Surroundings {
  if (surroundings === undefined) throw new Error('nothing was started');
  return surroundings;
}

/** Does something with a stack that has a recorded state. */
async function withStack<T>(
  recorded: RecordedStateFile,
  use: (stack: ImportedStack) => Promise<T>,
): Promise<T> {
  const stack = await ImportedStack.create(home?.home ?? '', recorded, around().awsEndpoint);
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
  return { ...recorded, state: JSON.stringify(state, null, 1) };
}

/** As a version had it that shipped the files of today's: nothing is to be brought to nodes. */
function withTodaysFiles(recorded: RecordedStateFile): RecordedStateFile {
  const state = JSON.parse(recorded.state) as State;
  const files = fileFingerprints(readNodeFiles());
  for (const { inputs, outputs } of state.deployment.resources) {
    for (const environment of [inputs, outputs].map((values) => values?.['environment'])) {
      const { SKYFLEET_APPLIED: applied } = (environment ?? {}) as { SKYFLEET_APPLIED?: string };
      if (applied === undefined) continue;
      const text = toYaml({ ...(parse(applied) as PlaceInputs), files });
      Object.assign(environment ?? {}, { SKYFLEET_APPLIED: text });
    }
  }
  return { ...recorded, state: JSON.stringify(state, null, 1) };
}

/** What stands in the places of a state, and by which submission; Pulumi keeps them in no order of their own. */
const standingIn = (state: string): unknown =>
  [...parseRecordedStack(state).places.values()]
    .sort((a, b) => a.place.localeCompare(b.place))
    .map(({ place, submitted, applied, finished }) => ({
      place,
      submission: submitted.submission,
      ready: applied?.ready,
      finished,
    }));

/** As a version had it that shipped another file to nodes than today's does. */
const withOtherFile = (recorded: RecordedStateFile): RecordedStateFile => ({
  ...recorded,
  state: recorded.state.replaceAll(/(scripts\/run\.sh: )[0-9a-f]{12}/g, '$1000000000000'),
});

describe.each(recordedStates())('what $version has recorded of the stack $stack', (recorded) => {
  const { stack: name } = recorded;

  test('holds no secrets but invented ones', () => {
    const secrets = [...recorded.state.matchAll(/"plaintext": *"\\"(.*?)\\""/g)].map(([, secret]) => secret);
    expect(new Set(secrets)).toEqual(new Set(['invented-orchestratorToken', 'invented-fingerprintKey']));
    expect(recorded.state).not.toContain('secrets_providers');
    expect(recorded.stackFile).not.toMatch(/secure|encryptionsalt|orchestratorToken/);
  });

  test('is left alone by an upgrade, but for the files of the new version', async () => {
    const preview = await withStack(await around().stand(recorded), (stack) => stack.preview());
    expect(disturbances(name, preview)).toEqual([]);
    const said = preview.diagnostics.map(({ message }) => message);
    expect(said.filter((message) => message.includes('is not known'))).toEqual([]);
    expect(around().sky.paths).toContain('/status');
  });

  test('gets the files that the new version ships otherwise, in place', async () => {
    const standing = withOtherFile(await around().stand(recorded));
    const preview = await withStack(standing, (stack) => stack.preview());
    expect(disturbances(name, preview)).toEqual([]);
    const { operations } = reviewOf(name, preview);
    expect(operations.map(({ kind }) => kind)).toEqual(operations.map(() => 'refresh'));
    expect(operations.flatMap(({ places }) => places).sort()).toEqual(
      [...parseRecordedStack(recorded.state).places.keys()].sort(),
    );
  });

  test('has the stored programs renewed by the first up, which asks nothing of SkyPilot but its status', async () => {
    const standing = withOtherPrograms(withTodaysFiles(await around().stand(recorded)));
    expect(standing.state).not.toContain('SKYFLEET_PROGRAM');
    const [preview, after] = await withStack(standing, async (stack) => {
      const shown = await stack.preview();
      expect(disturbances(name, shown)).toEqual([]);
      await stack.up();
      return [shown, await stack.state()];
    });
    for (const { kind, reason } of reviewOf(name, preview).operations) {
      expect(kind).toBe('none');
      expect(reason).toContain('its commands are of another version; nothing runs');
    }
    expect(after).toContain(JSON.stringify(deleteCommand));
    expect(after).toContain(bundleText('delete'));
    expect(after).toContain(JSON.stringify(releaseCommand()));
    expect(new Set(around().sky.paths)).toEqual(new Set(['/status']));
    expect(standingIn(after)).toEqual(standingIn(standing.state));
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
      'whose commands it would tell something new',
      '"SKYFLEET_TAGS": "{}"',
      '"SKYFLEET_TAGS": "[]"',
      whole([
        'local-0: its wait command runs again, because of SKYFLEET_TAGS',
        'local-1: its wait command runs again, because of SKYFLEET_TAGS',
      ]),
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
    const standing = withTodaysFiles(await around().stand(recorded));
    const state = standing.state.replaceAll(from, to);
    expect(state).not.toBe(standing.state);
    const preview = await withStack({ ...standing, state }, (stack) => stack.preview());
    expect(disturbances(recorded.stack, preview)).toEqual(found);
  });
});
