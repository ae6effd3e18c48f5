import {
  nodeScenario,
  temporaryFolder,
  writeSettings,
  type Finished,
  type Health,
  type Job,
} from './scripts';

jest.setTimeout(300_000);

interface Outcome {
  first: Finished;
  cron: string;
  before: Job;
  healthy: Health;
  healthWhileDraining: Health;
  takenBack: Finished;
  withdrawn: Finished;
  afterWithdrawal: Job;
  refusal: string;
  during: Job;
  down: Finished;
  running: Job;
  downAgain: Finished;
  back: Finished;
  afterReturn: Job;
  overtime: Finished;
  backAgain: Finished;
  withoutDraining: Finished;
  withoutGate: { cron: string; answers: object; job: Job; health: Health };
}

const folder = temporaryFolder();
afterAll(folder.dispose);

const check = (health: Health, name: string) => health.report.checks.find((one) => one.name === name);

/** What a node says of its draining when it has stood down. */
function drained({ code, stdout }: Finished): { minutes: number; leftRunning: number } {
  expect(code).toBe(0);
  expect(stdout).toMatch(/^SKYFLEET_STOOD_DOWN \{[^\n]*\}\n$/);
  const said = JSON.parse(stdout.slice('SKYFLEET_STOOD_DOWN '.length)) as {
    drained: { minutes: number; leftRunning: number };
  };
  return said.drained;
}

describe('a node on demand that is drained before it stands down', () => {
  let outcome: Outcome;
  beforeAll(async () => {
    writeSettings(folder.path, (value) => (value.drainMinutes = 10));
    outcome = await nodeScenario<Outcome>('drain_scenario.py', folder.path);
  });

  test('has something that answers for new work, which cron keeps running', () => {
    expect(outcome.first.code).toBe(0);
    expect(outcome.first.stderr).toMatch(/start what answers for new work\n[^]*start the compute node\n/);
    expect(outcome.cron).toMatch(/^@reboot root python3 -B .*\/spot_notice.py --start/m);
  });

  test('takes jobs until then, and asks for no spot notice', () => {
    expect(outcome.before.state).toBe('Completed');
    expect(check(outcome.healthy, 'work gate')).toMatchObject({ ok: true, takesWork: true });
    expect(outcome.healthy).toMatchObject({ healthy: true, report: { interruption: null } });
  });

  test('refuses new jobs, and says why', () => {
    expect(outcome.refusal).toBe('draining: this node is about to hand its place over');
    expect(outcome.during.state).toBe('Failed');
    expect(outcome.during.executions.map(({ message }) => message)).toEqual([
      'rejected bid: draining: this node is about to hand its place over',
    ]);
    expect(outcome.healthWhileDraining).toMatchObject({ code: 0, healthy: true });
    expect(check(outcome.healthWhileDraining, 'work gate')).toMatchObject({ ok: true, takesWork: false });
  });

  test('lets running jobs end first', () => {
    expect(drained(outcome.down).leftRunning).toBe(0);
    expect(outcome.running.state).toBe('Completed');
    expect(outcome.running.executions).toHaveLength(1);
  });

  test('tells the same when asked again', () => {
    expect(outcome.downAgain.stdout).toBe(outcome.down.stdout);
  });

  test('takes work again where a run part comes in between', () => {
    expect(outcome.takenBack.code).toBe(0);
    expect(outcome.withdrawn).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.withdrawn.stderr).toContain('the run part came in between and took work again');
    expect(outcome.afterWithdrawal.state).toBe('Completed');
  });

  test('takes work again once a run part has brought it back', () => {
    expect(outcome.back.code).toBe(0);
    expect(outcome.afterReturn.state).toBe('Completed');
  });

  test('waits no longer than its limit, counted from the first attempt, and tells what it left running', () => {
    const { minutes, leftRunning } = drained(outcome.overtime);
    expect(minutes).toBeGreaterThanOrEqual(60);
    expect(leftRunning).toBe(1);
    expect(outcome.backAgain.code).toBe(0);
  });

  test('answers for new work no more where draining is not asked for any longer', () => {
    expect(outcome.withoutDraining.code).toBe(0);
    expect(outcome.withoutGate).toMatchObject({
      cron: expect.not.stringContaining('spot') as string,
      answers: {},
      job: { state: 'Completed' },
      health: { code: 0, healthy: true },
    });
  });
});
