import { nodeScenario, temporaryFolder, writeSettings, type Finished, type Health } from './scripts';

jest.setTimeout(240_000);

interface Outcome {
  first: Finished;
  second: Finished;
  third: Finished;
  fourth: Finished;
  nodes: {
    Membership: string;
    Connection: string;
    Info: { NodeID: string; Labels: Record<string, string> };
  }[];
  objects: string[];
  cron: string;
  tokenFiles: string[];
  startsOfTwoRuns: string[];
  startsOfFourRuns: string[];
  healthy: Health;
  text: string;
  guard: string[];
  noUpload: Health;
  locked: Health;
  lockedSeconds: number;
  oldRow: Health;
  foreignRow: Health;
  noDatabase: Health;
  stoppedSensor: Health;
  unhealthySensor: Health;
  healed: Health;
  storageAsShipped: string[];
  storageWithRole: string[];
  noOrchestrator: Health;
  reportWithoutOrchestrator: boolean;
  aliveWithoutOrchestrator: { Status: string };
  unhealthyRun: Finished;
  noCompute: Health;
  badToken: Finished;
  noToken: Finished;
}

const folder = temporaryFolder();
afterAll(folder.dispose);

let outcome: Outcome;
beforeAll(async () => {
  writeSettings(folder.path);
  outcome = await nodeScenario<Outcome>('node_scenario.py', folder.path);
});

describe('the run part', () => {
  test('ends with one line on stdout that says who the node is', () => {
    expect(outcome.first).toMatchObject({ code: 0 });
    expect(outcome.first.stdout).toMatch(/^SKYFLEET_NODE \{[^\n]*\}\n$/);
    expect(JSON.parse(outcome.first.stdout.slice('SKYFLEET_NODE '.length))).toEqual({
      instanceId: 'i-0123456789abcdef0',
      zone: 'us-west-2a',
      region: 'us-west-2',
      privateIp: '10.0.0.5',
      publicIp: null,
      nodeName: 'local-0-k3f9',
      ordinal: 7,
      sensorId: 'SENSOR_GA_ATL_0000',
    });
  });

  test('makes a node that the orchestrator has approved and is connected to, with its labels', () => {
    expect(outcome.nodes).toHaveLength(1);
    expect(outcome.nodes[0]).toMatchObject({
      Membership: 'APPROVED',
      Connection: 'CONNECTED',
      Info: {
        NodeID: 'local-0-k3f9',
        Labels: {
          name: 'local-0-k3f9',
          fleet: 'local',
          ordinal: '7',
          sensor_id: 'SENSOR_GA_ATL_0000',
          team: 'x',
        },
      },
    });
  });

  test('writes the claim and the health report into the bucket', () => {
    expect(outcome.objects).toEqual([
      '/data/fleets/local/claims/local-0/0.json',
      '/data/fleets/local/health/local-0-k3f9.json',
    ]);
  });

  test('leaves the token in one file, and shows it nowhere', () => {
    expect(outcome.tokenFiles).toEqual(['etc/bacalhau/compute.env']);
    for (const finished of [outcome.first, outcome.second, outcome.unhealthyRun, outcome.badToken]) {
      expect(finished.stdout + finished.stderr).not.toMatch(/planted/);
    }
  });

  test('run again changes nothing and restarts nothing', () => {
    expect(outcome.second).toMatchObject({ code: 0, stdout: outcome.first.stdout });
    expect(outcome.startsOfTwoRuns).toEqual(['sensor', 'bacalhau']);
  });

  test('restarts only the service whose file changed', () => {
    expect(outcome.third).toMatchObject({ code: 0 });
    expect(outcome.fourth).toMatchObject({ code: 0 });
    expect(outcome.startsOfFourRuns).toEqual(['sensor', 'bacalhau', 'sensor', 'bacalhau']);
  });

  test('installs a health check for every five minutes', () => {
    expect(outcome.cron).toContain('\n*/5 * * * * root /usr/local/bin/health-check.sh --quiet');
  });

  test('starts nothing for spot notices or draining on a node on demand that is not drained', () => {
    expect(outcome.first.stderr).not.toContain('new work');
    expect(outcome.cron).not.toContain('spot');
  });

  test('fails where the node does not become healthy: with the step and the log that matters, but not the token', () => {
    expect(outcome.unhealthyRun).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.unhealthyRun.stderr).toContain(
      'FAIL orchestrator: no connection to nats://127.0.0.1:4222',
    );
    expect(outcome.unhealthyRun.stderr).toContain(
      '--- last lines of bacalhau_compute\nthe log, with ******** in it',
    );
    expect(outcome.unhealthyRun.stderr).not.toContain('last lines of sensor');
    expect(outcome.unhealthyRun.stderr).toContain(
      'step "wait until healthy, 1 s at most" failed (exit code 1)',
    );
  });

  test('names the step that failed', () => {
    expect(outcome.badToken).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.badToken.stderr).toContain('step "write the files of the services" failed');
    expect(outcome.noToken).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.noToken.stderr).toContain(
      's3://data/fleets/local/credentials/orchestrator-token does not exist: the stack writes',
    );
  });
});

describe('the health check', () => {
  const checks = [
    'service bacalhau_compute',
    'service sensor',
    'compute node',
    'orchestrator',
    'disk',
    'memory',
    'sensor rows',
    'imds guard',
    'report upload',
  ];

  test('passes on a healthy node, as JSON and as text', () => {
    expect(outcome.healthy).toMatchObject({ code: 0, healthy: true, failed: {} });
    expect(outcome.healthy.report.checks.map(({ name }) => name)).toEqual(checks);
    expect(outcome.healthy.report).toMatchObject({
      version: 1,
      stack: 'organization/skyfleet/local',
      place: 'local-0',
      nodeName: 'local-0-k3f9',
      ordinal: 7,
      instanceId: 'i-0123456789abcdef0',
      sensorId: 'SENSOR_GA_ATL_0000',
      interruption: null,
    });
    expect(outcome.text).toMatch(/^local-0-k3f9 healthy at /);
    expect(outcome.text.split('\n').filter((line) => line.startsWith('  ok   '))).toHaveLength(checks.length);
  });

  test('notices that the orchestrator is gone, while Bacalhau calls itself alive', () => {
    expect(outcome.aliveWithoutOrchestrator).toEqual({ Status: 'OK' });
    expect(outcome.noOrchestrator).toMatchObject({ code: 1, healthy: false });
    expect(outcome.noOrchestrator.failed).toEqual({
      orchestrator: 'no connection to nats://127.0.0.1:4222; `docker logs bacalhau_compute` says why',
    });
    expect(outcome.reportWithoutOrchestrator).toBe(false);
  });

  test.each([
    ['a newest row that is old', 'oldRow', /^the newest row is 60\d\.\d s old, more than 120 s$/],
    [
      'rows of another sensor',
      'foreignRow',
      /^the newest row is of SENSOR_XX_XXX_0000, this node's sensor is SENSOR_GA_ATL_0000$/,
    ],
    ['a database that is not there', 'noDatabase', /unable to open database file/],
  ] as const)('notices %s', (_, step, message) => {
    expect(outcome[step].code).toBe(1);
    expect(outcome[step].failed).toEqual({ 'sensor rows': expect.stringMatching(message) as string });
  });

  test.each([
    ['a stopped service', 'stoppedSensor', 'sensor is exited, exit code 0'],
    ['a service whose own check fails', 'unhealthySensor', 'sensor runs, but its own health check fails'],
  ] as const)('notices %s', (_, step, message) => {
    expect(outcome[step].code).toBe(1);
    expect(outcome[step].failed).toEqual({ 'service sensor': message });
  });

  test('notices that the compute node does not run', () => {
    expect(outcome.noCompute.failed['compute node']).toContain('does not answer');
  });

  test('restarts a compute node that was started before the container engine answered', () => {
    expect(outcome.healed).toMatchObject({ code: 0, healthy: true });
    expect(outcome.healed.report.checks.find(({ name }) => name === 'compute node')?.detail).toContain(
      'docker',
    );
  });

  test('sets the rule against the metadata service anew where it is gone', () => {
    expect(outcome.guard).toEqual(['added', 'set']);
  });

  test('reports that its report could not be uploaded', () => {
    expect(outcome.noUpload).toMatchObject({ code: 1, healthy: false });
    expect(outcome.noUpload.failed).toEqual({
      'report upload': 'S3 PUT s3://data/fleets/local/health/local-0-k3f9.json failed: HTTP 403 Injected',
    });
  });

  test('waits for another run of itself', () => {
    expect(outcome.locked.code).toBe(0);
    expect(outcome.lockedSeconds).toBeGreaterThan(1.5);
  });
});

test("jobs cannot use S3 with the node's role: the compute node has no role", () => {
  expect(outcome.storageWithRole).toContain('s3');
  expect(outcome.storageAsShipped).not.toContain('s3');
});
