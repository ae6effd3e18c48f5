import { nodeScenario, temporaryFolder, writeSettings, type Finished, type Health } from './scripts';

jest.setTimeout(300_000);

interface Outcome {
  badPhase: Finished;
  withoutImage: Finished;
  withoutOrchestrator: Finished;
  withoutToken: Finished;
  standby: Finished;
  images: string[];
  standbyAgain: Finished;
  imagesAgain: string[];
  afterStandby: { objects: string[]; starts: string[]; asked: string[]; cron: boolean; identity: boolean };
  nothingToStandDown: Finished;
  heldByOther: Finished;
  afterHeld: { claim: { instanceId: string }; starts: string[] };
  full: Finished;
  deletionsAtFirst: number[];
  claim: { incarnation: string };
  servingStandby: Finished;
  servingFile: boolean;
  deletionsWhileHealthy: number[];
  paused: Health;
  marker: boolean;
  markerType: string;
  notRepaired: Finished;
  repaired: Finished;
  afterRepair: { asked: string[]; sameCompute: boolean; marker: boolean; starts: string[] };
  hanging: Finished;
  afterHanging: string[];
  nothingToRepair: Finished;
  afterNothing: string[];
  markerStays: Health;
  markerGoes: { report: Health; marker: boolean };
  markerBefore: boolean;
  halfDown: Finished;
  halfDownState: { cron: boolean; containers: string[] };
  down: Finished;
  downState: {
    cron: boolean;
    containers: string[];
    asked: string[];
    computeEnded: boolean;
    marker: boolean;
    claim: string;
  };
  downAgain: Finished;
  healthWhenDown: { code: number; error: string };
  reportsWhenDown: string[];
  standbyWhenDown: Finished;
  startsWhenDown: string[];
  stillDown: Finished;
  stillDownHealth: { code: number; error: string };
  back: Finished;
  backState: { claim: string; cron: boolean; starts: string[]; health: Health };
}

const folder = temporaryFolder();
afterAll(folder.dispose);

let outcome: Outcome;
beforeAll(async () => {
  writeSettings(folder.path);
  outcome = await nodeScenario<Outcome>('hand_over_scenario.py', folder.path);
});

const machine = {
  instanceId: 'i-0123456789abcdef0',
  zone: 'us-west-2a',
  region: 'us-west-2',
  privateIp: '10.0.0.5',
  publicIp: null,
};

describe('a node that stands by', () => {
  test('ends with one line on stdout that says which machine it is', () => {
    expect(outcome.standby).toMatchObject({
      code: 0,
      stdout: `SKYFLEET_STANDBY ${JSON.stringify(machine)}\n`,
    });
  });

  test('has fetched the images that the engine did not have, and fetches nothing twice', () => {
    expect(outcome.images).toEqual([
      'ghcr.io/bacalhau-project/bacalhau:v1.9.0',
      'ghcr.io/bacalhau-project/sensor-log-generator:1.0.0',
    ]);
    expect(outcome.imagesAgain).toEqual(outcome.images);
  });

  test('has no claim, no identity, no service and nothing that cron runs, however often it ran', () => {
    expect(outcome.standbyAgain).toMatchObject({ code: 0, stdout: outcome.standby.stdout });
    expect(outcome.afterStandby).toEqual({
      objects: [],
      starts: [],
      asked: [],
      cron: false,
      identity: false,
    });
  });

  test.each([
    ['an image that cannot be had', 'withoutImage', 'fetch the images', 'cannot fetch the image ghcr.io/'],
    [
      'no orchestrator in reach',
      'withoutOrchestrator',
      'reach an orchestrator',
      'no orchestrator accepts a connection: nats://127.0.0.1:4222: [Errno 111] Connection refused',
    ],
    ['no token', 'withoutToken', "look for the orchestrator's token", 'orchestrator-token does not exist'],
  ] as const)('fails with %s', (_, part, step, message) => {
    expect(outcome[part]).toMatchObject({ code: 1, stdout: '' });
    expect(outcome[part].stderr).toContain(message);
    expect(outcome[part].stderr).toContain(`step "${step}" failed`);
  });

  test('is completed by a full run', () => {
    expect(outcome.full).toMatchObject({ code: 0 });
    expect(outcome.full.stdout).toMatch(/^SKYFLEET_NODE \{/);
  });

  test('that serves already is left alone, changed files or not', () => {
    expect(outcome.servingStandby).toMatchObject({ code: 0, stdout: outcome.standby.stdout });
    expect(outcome.servingStandby.stderr).toContain('this node serves already: bacalhau_compute sensor');
    expect(outcome.servingFile).toBe(false);
    expect(outcome.afterRepair.starts).toEqual(['sensor', 'bacalhau']);
  });

  test('cannot be asked for another phase', () => {
    expect(outcome.badPhase).toMatchObject({ code: 2, stdout: '' });
    expect(outcome.badPhase.stderr).toContain('SKYFLEET_PHASE is "ready": must be full or standby');
  });
});

describe('a place that another node has', () => {
  test('is not taken where that node is in the cluster', () => {
    expect(outcome.heldByOther).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.heldByOther.stderr).toContain(
      'all 1 member(s) are held by nodes that are in the cluster: i-other at 10.0.0.9. ' +
        'SKYPILOT_NODE_IPS is 10.0.0.5 10.0.0.9',
    );
    expect(outcome.afterHeld).toEqual({
      claim: expect.objectContaining({ instanceId: 'i-other' }) as unknown,
      starts: [],
    });
  });

  test('is taken where that node is of another incarnation', () => {
    expect(outcome.claim.incarnation).toBe('local-0-k3f9');
  });
});

describe('the marker of a fault', () => {
  test('is a copy of the unhealthy report', () => {
    expect(outcome.paused.failed).toEqual({ 'service sensor': 'sensor is paused' });
    expect(outcome.marker).toBe(true);
    expect(outcome.markerType).toBe('application/json');
  });

  test('is deleted by the first healthy report of a run, and again only after an unhealthy one', () => {
    expect(outcome.deletionsAtFirst).toEqual([204]);
    expect(outcome.deletionsWhileHealthy).toEqual([204]);
    expect(outcome.afterRepair.marker).toBe(false);
  });

  test('that cannot be deleted is reported, and deleted by the next report', () => {
    expect(outcome.markerStays).toMatchObject({ code: 1, healthy: false });
    expect(outcome.markerStays.failed).toEqual({
      'report upload':
        'S3 DELETE s3://data/fleets/local/health/faults/local-0-k3f9.json failed: HTTP 403 Injected',
    });
    expect(outcome.markerGoes).toMatchObject({ report: { code: 0, healthy: true }, marker: false });
  });
});

describe('a service that fails its check although its files did not change', () => {
  test('is left alone by an ordinary run, which says what is wrong', () => {
    expect(outcome.notRepaired).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.notRepaired.stderr).toContain('FAIL service sensor: sensor is paused');
  });

  test('is restarted by a repairing run, be it paused; the other is not', () => {
    expect(outcome.repaired).toMatchObject({ code: 0, stdout: outcome.full.stdout });
    expect(outcome.repaired.stderr).toContain('restarting sensor, since service sensor: sensor is paused');
    expect(outcome.afterRepair).toMatchObject({
      asked: ['POST /containers/sensor/unpause', 'POST /containers/sensor/restart?t=5'],
      sameCompute: true,
    });
  });

  test('is restarted where it hangs', () => {
    expect(outcome.hanging).toMatchObject({ code: 0 });
    expect(outcome.afterHanging).toEqual(['POST /containers/bacalhau_compute/restart?t=5']);
  });

  test('and where all is well a repairing run restarts nothing', () => {
    expect(outcome.nothingToRepair).toMatchObject({ code: 0 });
    expect(outcome.afterNothing).toEqual([]);
  });
});

describe('a node that stands down', () => {
  const line = `SKYFLEET_STOOD_DOWN ${JSON.stringify({ instanceId: machine.instanceId, drained: null })}\n`;

  test('says so in one line, once nothing of it runs any more or can come back', () => {
    expect(outcome.down).toMatchObject({ code: 0, stdout: line });
    expect(outcome.downState).toMatchObject({ cron: false, containers: [], computeEnded: true });
  });

  test('ends its services in an orderly way: told to stop, with time for it', () => {
    expect(outcome.downState.asked).toEqual([
      'POST /containers/bacalhau_compute/stop?t=30',
      'POST /containers/bacalhau_compute/stop?t=30',
      'DELETE /containers/bacalhau_compute?force=1',
      'POST /containers/sensor/unpause',
      'POST /containers/sensor/stop?t=30',
      'DELETE /containers/sensor?force=1',
    ]);
  });

  test('says nothing where it failed half-way, and goes on when asked again', () => {
    expect(outcome.halfDown).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.halfDown.stderr).toContain(
      'stand_down: container engine POST /containers/bacalhau_compute/stop?t=30: HTTP 500',
    );
    expect(outcome.halfDownState).toEqual({ cron: false, containers: ['bacalhau_compute', 'sensor'] });
    expect(outcome.downAgain).toMatchObject({ code: 0, stdout: line });
  });

  test('that never had a place has nothing to give up', () => {
    expect(outcome.nothingToStandDown).toMatchObject({ code: 0, stdout: line });
  });

  test('leaves no marker of a fault, and its claim to whoever takes the place', () => {
    expect(outcome.markerBefore).toBe(true);
    expect(outcome.downState).toMatchObject({ marker: false, claim: machine.instanceId });
  });

  test('reports nothing any more', () => {
    expect(outcome.healthWhenDown).toEqual({
      code: 1,
      error: expect.stringContaining('this node stood down') as string,
    });
    expect(outcome.reportsWhenDown).toEqual([]);
  });

  test('can stand by', () => {
    expect(outcome.standbyWhenDown).toMatchObject({ code: 0, stdout: outcome.standby.stdout });
    expect(outcome.startsWhenDown).toEqual(['sensor', 'bacalhau']);
  });

  test('stays down while another has its place', () => {
    expect(outcome.stillDown).toMatchObject({ code: 1, stdout: '' });
    expect(outcome.stillDownHealth.error).toContain('this node stood down');
  });

  test('comes back by its run part', () => {
    expect(outcome.back).toMatchObject({ code: 0, stdout: outcome.full.stdout });
    expect(outcome.backState).toMatchObject({
      claim: machine.instanceId,
      cron: true,
      starts: ['sensor', 'bacalhau', 'sensor', 'bacalhau'],
      health: { code: 0, healthy: true },
    });
  });
});
