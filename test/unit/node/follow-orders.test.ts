import { nodeRoom, runScript, scenario, temporaryFolder, writeSettings } from './scripts';

jest.setTimeout(300_000);

interface Report {
  instanceId: string;
  order: string;
  exitCode: number;
  output: string;
  tail: string[];
}

interface Outcome {
  life: {
    launch: Report;
    printed: Record<string, boolean>;
    quietAfterLaunch: boolean;
    update: Report;
    files: Record<string, boolean>;
    quietAfterUpdate: boolean;
    unchanged: number;
    standDown: Report;
    byNewText: boolean;
    quietWithoutObject: boolean;
    ended: number;
    again: Record<string, number>;
  };
  gone_after_update: { quiet: boolean; launches: number };
  failing: {
    launch: Report;
    withFiles: Report;
    standDown: number;
    quietAfterStandDown: boolean;
    notWritable: Report;
  };
  patient: { quiet: boolean; healed: number; reports: number };
  bad: Record<'unreadable' | 'part' | 'phase' | 'above' | 'absolute' | 'notText' | 'good', Report> & {
    outside: boolean;
  };
  trouble: {
    afterStore: number;
    told: number;
    afterImds: number;
    lateReport: number;
    lateTold: number;
  };
  ended: number | null;
}

const folder = temporaryFolder();
afterAll(folder.dispose);

let outcome: Outcome;
beforeAll(async () => {
  writeSettings(folder.path);
  outcome = await scenario<Outcome>('follow_orders_scenario.py', [folder.path, nodeRoom]);
});

/** The last 20 of the 25 lines of a part. */
const tail = (text: string) => Array.from({ length: 20 }, (_, index) => `${text} ${index + 6}`);

describe('a node that follows orders', () => {
  test('carries out its launch where there is no order, once, and reports and prints what came of it', () => {
    expect(outcome.life.launch).toEqual({
      instanceId: 'i-0123456789abcdef0',
      order: '3',
      exitCode: 0,
      output: 'standby 10.0.0.5 local-0-k3f9 [1] []\n',
      tail: tail('first'),
    });
    expect(outcome.life.printed).toEqual({ stdout: true, stderr: true });
    expect(outcome.life.quietAfterLaunch).toBe(true);
  });

  test('puts the files of a new order in place and runs it once, in the phase that the order says', () => {
    expect(outcome.life.update).toEqual({
      instanceId: 'i-0123456789abcdef0',
      order: '4',
      exitCode: 0,
      output: 'full 10.0.0.5 local-0-k3f9 [1] []\n',
      tail: tail('second'),
    });
    expect(outcome.life.files).toEqual({
      'scripts/run.sh': true,
      'scripts/follow_orders.py': true,
      'sensor/new/file.yaml': true,
    });
    expect(outcome.life).toMatchObject({ quietAfterUpdate: true, unchanged: 304 });
  });

  test('goes on with the text of itself that an order brought', () => {
    expect(outcome.life.byNewText).toBe(true);
  });

  test('stands down', () => {
    expect(outcome.life.standDown).toMatchObject({
      order: '5',
      exitCode: 0,
      output: 'SKYFLEET_STOOD_DOWN\n',
      tail: ['standing down'],
    });
  });

  test('does not go back to its launch where the order is gone', () => {
    expect(outcome.life.quietWithoutObject).toBe(true);
    expect(outcome.gone_after_update).toEqual({ quiet: true, launches: 1 });
  });

  test('started from outside carries out the newest order again, and no other', () => {
    expect(outcome.life.again).toEqual({ 3: 1, 4: 1, 5: 2 });
  });

  test('ends at once when told to, also while a part runs', () => {
    expect(outcome.life.ended).toBe(-15);
    expect(outcome.ended).toBe(-15);
  });
});

describe('an order that fails', () => {
  test('to run is reported and tried again, with the files that it brought', () => {
    expect(outcome.failing.launch).toMatchObject({ order: '3', exitCode: 7, tail: tail('failing') });
    expect(outcome.failing.withFiles).toMatchObject({ order: '4', exitCode: 8, tail: tail('still failing') });
  });

  test('is tried again only after the pause, which a new order ends', () => {
    expect(outcome.patient).toEqual({ quiet: true, healed: 0, reports: 1 });
  });

  test('to stand down is not tried again', () => {
    expect(outcome.failing).toMatchObject({ standDown: 9, quietAfterStandDown: true });
  });

  test('since its files cannot be written is reported as well', () => {
    expect(outcome.failing.notWritable).toMatchObject({ exitCode: 1, output: '' });
    expect(outcome.failing.notWritable.tail[0]).toContain('Is a directory');
  });
});

describe('an order that is none', () => {
  test.each([
    ['unreadable', 'Expecting property name'],
    ['part', 'part is "dance": must be run or stand-down'],
    ['phase', 'phase is "ready": must be full or standby'],
    ['above', 'files has "scripts/../../above": must be a path below the staging folder, without ..'],
    ['absolute', 'absolute": must be a path below the staging folder, without ..'],
    ['notText', 'files must be an object with a text for each path'],
  ] as const)('is reported as failed: %s', (which, problem) => {
    expect(outcome.bad[which]).toMatchObject({ exitCode: 2, output: '' });
    expect(outcome.bad[which].tail).toEqual([expect.stringContaining(problem)]);
  });

  test('changes no file, and the next one is carried out', () => {
    expect(outcome.bad.outside).toBe(false);
    expect(outcome.bad.good).toMatchObject({ order: '9', exitCode: 0, tail: tail('first') });
  });
});

describe('what passes by itself', () => {
  test('does not end the follower, and is said once', () => {
    expect(outcome.trouble).toMatchObject({ afterStore: 0, told: 1, afterImds: 0 });
  });

  test('delays a report', () => {
    expect(outcome.trouble).toMatchObject({ lateReport: 0, lateTold: 1 });
  });
});

test.each([
  ['SKYFLEET_INCARNATION is null', { SKYFLEET_ORDER: '3' }],
  ['SKYFLEET_ORDER is "../3"', { SKYFLEET_INCARNATION: 'local-0-k3f9', SKYFLEET_ORDER: '../3' }],
  [
    'SKYFLEET_PHASE is "ready": must be full or standby',
    { SKYFLEET_INCARNATION: 'local-0-k3f9', SKYFLEET_ORDER: '3', SKYFLEET_PHASE: 'ready' },
  ],
  // The room that is shipped has no node.json.
  ['node.json names no bucket', { SKYFLEET_INCARNATION: 'local-0-k3f9', SKYFLEET_ORDER: '3' }],
])('does not begin where %s', async (message, env) => {
  const finished = await runScript('follow_orders.py', [], env);
  expect(finished).toMatchObject({ code: 1, stdout: '' });
  expect(finished.stderr).toContain(`follow_orders: `);
  expect(finished.stderr).toContain(message);
});
