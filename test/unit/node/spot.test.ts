import {
  evaluate,
  nodeScenario,
  temporaryFolder,
  writeSettings,
  type Finished,
  type Health,
  type Job,
  type Report,
} from './scripts';

jest.setTimeout(300_000);

interface Outcome {
  first: Finished;
  cron: string;
  before: Job;
  large: Job;
  noticedWithin: number;
  during: Job;
  noticed: { report: Report; objects: string[] };
  refusedOnce: number[];
  killed: { answers: string[]; refusal: string };
  running: Job;
  ordinary: Health;
  lastSecondsBefore: number;
  last: {
    report: Report;
    objects: string[];
    rows: Record<string, { id: number }[]>;
    about: unknown;
    sensorRestarts: number;
  };
  sameCompute: boolean;
  after: { job: Job; state: boolean };
  outlived: { refusal: string | null; state: boolean };
  metadataDown: { refusal: string | null; problem: string };
  withoutPoller: Job;
  healing: Health;
  healed: Health;
  afterHealing: Job;
  withoutKeeper: { cron: number; answers: boolean };
  hanging: Health;
  afterHanging: Health;
  changedRun: Finished;
  changed: { sameKeeper: boolean; otherVersion: boolean; answers: string[]; starts: string[] };
  log: string;
}

/** Bacalhau's numbers of execution states. */
const REJECTED = 4;
const FAILED = 10;

const folder = temporaryFolder();
afterAll(folder.dispose);

const check = (report: Report, name: string) => report.checks.find((one) => one.name === name);
const refusal = /^AWS will terminate spot instance i-0123456789abcdef0 at \d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

describe('a spot node', () => {
  let outcome: Outcome;
  beforeAll(async () => {
    writeSettings(folder.path);
    outcome = await nodeScenario<Outcome>('spot_scenario.py', folder.path);
  });

  test('has a poller before it has a compute node, and cron to start it at boot and every minute', () => {
    expect(outcome.first.code).toBe(0);
    expect(outcome.first.stderr).toMatch(/start what answers for new work\n[^]*start the compute node\n/);
    for (const when of ['@reboot', '\\* \\* \\* \\* \\*']) {
      expect(outcome.cron).toMatch(new RegExp(`^${when} root python3 -B .*/spot_notice.py --start`, 'm'));
    }
  });

  test('takes jobs, large ones too, while no notice stands', () => {
    expect(outcome.before.state).toBe('Completed');
    expect(outcome.large.state).toBe('Completed');
  });

  describe('with a notice', () => {
    test('refuses jobs within a poll, and says why', () => {
      expect(outcome.noticedWithin).toBeLessThan(8);
      expect(outcome.during.state).toBe('Failed');
      expect(outcome.during.executions.map(({ state }) => state)).toEqual([REJECTED]);
      expect(outcome.during.executions[0]?.message).toMatch(
        /^rejected bid: AWS will terminate spot instance i-0123456789abcdef0 at /,
      );
    });

    test('lets the running job end, on the same compute node', () => {
      expect(outcome.running.state).toBe('Completed');
      expect(outcome.running.executions).toHaveLength(1);
      expect(outcome.sameCompute).toBe(true);
    });

    test('brings rows and report to the bucket at once', () => {
      const { report, objects } = outcome.noticed;
      expect(report).toMatchObject({
        healthy: true,
        interruption: { action: 'terminate', stage: 'noticed', sensorObjects: [expect.any(String)] },
      });
      expect(check(report, 'spot notice')).toMatchObject({ ok: true, takesWork: false });
      expect(check(report, 'compute node')).toMatchObject({ runningExecutions: 1 });
      expect(objects).toEqual([
        expect.stringMatching(
          /^\/data\/fleets\/local\/sensor\/SENSOR_GA_ATL_0000\/interruption-\d{8}T\d{6}Z-noticed\.json$/,
        ),
      ]);
    });

    test('tries a step that failed again, and says that it failed', () => {
      expect(outcome.refusedOnce).toEqual([403, 200]);
      expect(outcome.log).toMatch(
        / noticed:rows failed: S3 PUT .*-noticed\.json failed: HTTP 403 Injected\n/,
      );
    });

    test('a health check of every five minutes shows it too', () => {
      expect(outcome.ordinary).toMatchObject({ code: 0, healthy: true });
      expect(outcome.ordinary.report.interruption).toMatchObject({ action: 'terminate', stage: 'noticed' });
    });

    test('brings the last rows and the last report there before the end', () => {
      const { report, objects, rows } = outcome.last;
      expect(outcome.lastSecondsBefore).toBeGreaterThan(10);
      expect(report.interruption?.stage).toBe('last');
      expect(report.interruption?.sensorObjects.map((key) => `/data/${key}`)).toEqual(objects);
      const [first, last] = Object.values(rows);
      expect(first?.[0]?.id).toBe(1);
      expect(last?.[0]?.id).toBe((first?.at(-1)?.id ?? 0) + 1);
      expect(last?.length).toBeGreaterThan(10);
      expect(outcome.last.about).toEqual({
        version: 1,
        sensorId: 'SENSOR_GA_ATL_0000',
        nodeName: 'local-0-k3f9',
        instanceId: 'i-0123456789abcdef0',
        action: 'terminate',
      });
    });

    test('does each of this once, although the poller was killed in between', () => {
      expect(outcome.last.objects).toHaveLength(2);
      expect(outcome.last.sensorRestarts).toBe(1);
      for (const step of ['noticed:rows', 'noticed:report', 'last:sensor', 'last:rows', 'last:report']) {
        expect(outcome.log.split(` ${step} done\n`)).toHaveLength(2);
      }
      expect(outcome.log.split('SPOT NOTICE: AWS will terminate this instance at ')).toHaveLength(2);
    });

    test('a killed poller comes back by itself, and no bid is answered otherwise meanwhile', () => {
      expect(outcome.killed.answers).toEqual(['False']);
      expect(outcome.killed.refusal).toMatch(refusal);
    });
  });

  test('takes jobs again once the notice is withdrawn, and reports that', () => {
    expect(outcome.after).toMatchObject({ job: { state: 'Completed' }, state: false });
    expect(outcome.log).toContain('SPOT NOTICE OVER: the notice is gone; new work is taken again');
  });

  test('does not act on a notice whose time it outlived', () => {
    expect(outcome.outlived).toEqual({ refusal: null, state: false });
  });

  test('goes on, and says so, where the metadata service does not answer', () => {
    expect(outcome.metadataDown.refusal).toBeNull();
    expect(outcome.metadataDown.problem).toContain('asking the metadata service failed: ');
  });

  test('without a poller jobs fail and say why; the health check starts it and reports that once', () => {
    expect(outcome.withoutPoller.state).toBe('Failed');
    for (const { state, message } of outcome.withoutPoller.executions) {
      expect(state).toBe(FAILED);
      expect(message).toMatch(/^ExternalHTTPStrategy: error http POST .* http:\/\/127.0.0.1:1236\//);
    }
    expect(outcome.healing.code).toBe(1);
    expect(outcome.healing.failed).toEqual({
      'spot notice': expect.stringMatching(/new jobs fail on this node; was started again$/) as string,
    });
    expect(outcome.healed).toMatchObject({ code: 0, healthy: true });
    expect(outcome.afterHealing.state).toBe('Completed');
  });

  test('a poller whose keeper is gone serves on; one that hangs is ended and started again', () => {
    expect(outcome.withoutKeeper).toEqual({ cron: 0, answers: true });
    expect(outcome.hanging.failed['spot notice']).toMatch(/does not answer: timed out.*was started again$/);
    expect(outcome.afterHanging).toMatchObject({ code: 0, healthy: true });
  });

  test('changed files restart the poller alone, and no bid is lost', () => {
    expect(outcome.changedRun.code).toBe(0);
    expect(outcome.changed).toEqual({
      sameKeeper: true,
      otherVersion: true,
      answers: ['True'],
      starts: ['sensor', 'bacalhau'],
    });
  });
});

describe('what is due, by the time that is left', () => {
  /** The steps that are taken at a moment `left` seconds before the announced time, after those of `done`. */
  const due = (left: number, done: string[] = []) =>
    evaluate<string[]>(
      `
import datetime, json, interruption
end = datetime.datetime(2026, 1, 1, 12, tzinfo=datetime.timezone.utc)
now = end - datetime.timedelta(seconds=${left})
one = interruption.parse('{"action": "terminate", "time": "2026-01-01T12:00:00Z"}', now)
one = one._replace(done=tuple(json.loads('${JSON.stringify(done)}')))
taken = []
while (step := interruption.next_step(one, now)) is not None:
    taken.append(step)
    one = one._replace(done=(*one.done, step))
print(json.dumps(taken))`,
    );
  const noticed = ['noticed:rows', 'noticed:report'];
  const last = ['last:sensor', 'last:rows', 'last:report'];

  test.each([
    ['at the notice', 120, [], noticed],
    ['again, nothing', 90, noticed, []],
    ['what is left of it', 90, ['noticed:rows'], ['noticed:report']],
    ['shortly before the end', 29, noticed, last],
    ['at a notice that comes late, the last only', 10, [], last],
    ['after the announced time, while the instance still runs', -20, ['last:sensor'], last.slice(1)],
  ])('%s', async (_, left, done, expected) => {
    expect(await due(left, done)).toEqual(expected);
  });

  test.each(['{}', '[]', 'x', '{"action": "terminate"}', '{"action": "terminate", "time": "soon"}'])(
    'what the metadata service must not answer is an error: %s',
    async (notice) => {
      const code = `
import datetime, json, interruption
try:
    found = interruption.parse(${JSON.stringify(notice)}, datetime.datetime.now())
except ValueError:
    found = "error"
print(json.dumps(found))`;
      expect(await evaluate(code)).toBe('error');
    },
  );

  test('of very many rows the newest go, oldest first, and only those that did not go before', async () => {
    const code = `
import json, sqlite3, sensor_rows
path = "${folder.path}/rows.db"
with sqlite3.connect(path) as connection:
    connection.execute("CREATE TABLE sensor_readings (id INTEGER PRIMARY KEY, temperature)")
    connection.executemany("INSERT INTO sensor_readings (temperature) VALUES (?)", [[n / 2] for n in range(10005)])
shown = []
for after in (0, 10003, 10005):
    rows = sensor_rows.newer_than(path, after)
    shown.append([len(rows), *([rows[0], rows[-1]] if rows else [])])
print(json.dumps(shown))`;
    expect(await evaluate(code)).toEqual([
      [10000, { id: 6, temperature: 2.5 }, { id: 10005, temperature: 5002 }],
      [2, { id: 10004, temperature: 5001.5 }, { id: 10005, temperature: 5002 }],
      [0],
    ]);
  });

  test('a file that nobody can read counts as none', async () => {
    const code = `
import json, interruption, node_paths
node_paths.INTERRUPTION.parent.mkdir(parents=True)
found = []
for text in ('', '{}', '[]', '{"action": "stop", "time": 5}'):
    node_paths.INTERRUPTION.write_text(text)
    found.append(interruption.read())
print(json.dumps(found))`;
    const root = temporaryFolder();
    expect(await evaluate(code, { SKYFLEET_NODE_ROOT: root.path })).toEqual([null, null, null, null]);
    root.dispose();
  });
});
