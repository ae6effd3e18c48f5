import { nodesText } from '../../../cli/commands/nodes';
import { listPlaces } from '../../../cli/commands/list';
import { findNode, findNodes } from '../../../cli/fleet/find';
import type { HealthReport } from '../../../cli/fleet/health-reports';
import { instanceOf, type Instance } from '../../../cli/fleet/instances';
import { isWell, joinNodes, type FleetNode, type SeenFleet } from '../../../cli/fleet/nodes';
import type { StandingPlace } from '../../../deployment/operator/observation';
import type { RecordedPlace } from '../../../deployment/operator/recorded-state';

const reported = (ordinal: number): StandingPlace['nodes'][number] => ({
  instanceId: `i-${ordinal}`,
  zone: 'us-west-2a',
  region: 'us-west-2',
  privateIp: `10.0.0.${ordinal}`,
  publicIp: `54.0.0.${ordinal}`,
  nodeName: `s-0-n${ordinal}`,
  ordinal,
  sensorId: `SENSOR_${ordinal}`,
});
const place = (managed = false): StandingPlace => ({
  place: 's-0',
  incarnation: 's-0-aaaa',
  managed,
  nodes: [reported(0), reported(1)],
});
const instance = (id: number, more: Partial<Instance> = {}): Instance => ({
  instanceId: `i-${id}`,
  state: 'running',
  launchedAt: '2026-11-30T00:00:00.000Z',
  type: 't3.medium',
  spot: true,
  zone: 'us-west-2a',
  publicIp: `54.0.0.${id}`,
  privateIp: `10.0.0.${id}`,
  place: 's-0',
  incarnation: 's-0-aaaa',
  ...more,
});
const report = (id: number, more: Partial<HealthReport> = {}): HealthReport => ({
  healthy: true,
  time: '2026-11-30T00:58:00+00:00',
  place: 's-0',
  nodeName: `s-0-n${id}`,
  instanceId: `i-${id}`,
  sensorId: `SENSOR_${id}`,
  interruption: null,
  checks: [],
  ...more,
});
const connected = (id: number, connection = 'CONNECTED') => ({
  name: `s-0-n${id}`,
  type: 'Compute' as const,
  labels: {},
  membership: 'APPROVED',
  connection,
  engines: ['docker'],
});
const seen = (more: Partial<SeenFleet> = {}): SeenFleet => ({
  instances: [instance(0), instance(1)],
  skypilot: new Map([['s-0-aaaa', 'UP']]),
  orchestrator: [connected(0), connected(1)],
  reports: [report(0), report(1)],
  ...more,
});
const join = (more: Partial<SeenFleet> = {}, managed = false): FleetNode[] =>
  joinNodes('o/p/dev', [place(managed)], seen(more));
const now = Date.parse('2026-11-30T01:00:00Z');

test('a node is who Pulumi recorded, where AWS has it, and as each source sees it', () => {
  const [node] = join();
  expect(node).toEqual({
    stack: 'o/p/dev',
    place: 's-0',
    incarnation: 's-0-aaaa',
    managed: false,
    node: 's-0-n0',
    sensorId: 'SENSOR_0',
    instanceId: 'i-0',
    state: 'running',
    type: 't3.medium',
    spot: true,
    zone: 'us-west-2a',
    address: '54.0.0.0',
    since: '2026-11-30T00:00:00.000Z',
    skypilot: 'UP',
    orchestrator: { membership: 'APPROVED', connection: 'CONNECTED' },
    health: { healthy: true, time: '2026-11-30T00:58:00+00:00', failing: [] },
  });
  expect(join().every(isWell)).toBe(true);
});

test('a node whose instance AWS does not know is gone', () => {
  const nodes = join({ instances: [instance(1)] });
  expect(nodes.map(({ state }) => state)).toEqual(['gone', 'running']);
  expect(nodes.map(isWell)).toEqual([false, true]);
});

test('the report of an earlier instance says nothing of this one', () => {
  expect(join({ reports: [report(0, { instanceId: 'i-before' })] })[0]?.health).toBeNull();
});

test('a node that SkyPilot has brought back is where it reports from', () => {
  const there = {
    instances: [instance(1), instance(7), instance(0, { state: 'terminated' })],
    reports: [report(0, { instanceId: 'i-7' }), report(1)],
  };
  expect(join(there, true).map(({ instanceId }) => instanceId)).toEqual(['i-7', 'i-1']);
  expect(join(there).map(({ instanceId }) => instanceId)).toEqual(['i-0', 'i-1', 'i-7']);
});

test('instances that nobody has recorded are listed behind, unless they have ended', () => {
  const others = [instance(8, { incarnation: 's-0-bbbb' }), instance(9, { state: 'terminated' })];
  const [, , other, ...rest] = join({ instances: [instance(0), instance(1), ...others] });
  expect(other).toMatchObject({ node: null, instanceId: 'i-8', incarnation: 's-0-bbbb', skypilot: null });
  expect(rest).toEqual([]);
  expect(other && isWell(other)).toBe(false);
});

test('what could not be asked is not held against a node', () => {
  const nodes = join({ skypilot: undefined, orchestrator: undefined, reports: undefined });
  expect(nodes[0]).toMatchObject({ skypilot: null, orchestrator: null, health: null });
  expect(nodes.every(isWell)).toBe(true);
});

test('as a table, what is wrong is in words', () => {
  const failing = [{ name: 'disk', ok: false, detail: '0.1 GiB free' }];
  const text = nodesText(
    join({
      orchestrator: [connected(0, 'DISCONNECTED')],
      reports: [report(0, { healthy: false, checks: failing })],
    }),
    now,
  );
  const [head, first, second] = text.split('\n');
  expect(head).toMatch(/^NODE +SENSOR +INSTANCE +TYPE +ZONE +SINCE +AWS +SKYPILOT +ORCHESTRATOR +HEALTH$/);
  expect(first).toMatch(
    /^s-0-n0 +SENSOR_0 +i-0 +t3\.medium spot +us-west-2a +60 min +running +UP +DISCONNECTED +UNHEALTHY, 2 min ago: disk: 0\.1 GiB free$/,
  );
  expect(second).toMatch(/running +UP +- +no report$/);
  expect(nodesText([], now)).toBe('no nodes\n');
});

test('places are summed up from their nodes', () => {
  const places = [
    { place: 's-10', applied: undefined, finished: false },
    { place: 's-1', applied: undefined, finished: false },
    { place: 's-0', applied: { ready: { incarnation: 's-0-aaaa' } }, finished: true },
  ] as unknown as RecordedPlace[];
  const nodes = join({ instances: [instance(0, { launchedAt: '2026-11-29T00:00:00.000Z' })] });
  expect(listPlaces({ stack: 'o/p/dev', region: 'us-west-2', places }, nodes)).toEqual([
    {
      stack: 'o/p/dev',
      place: 's-0',
      region: 'us-west-2',
      finished: true,
      incarnation: 's-0-aaaa',
      skypilot: 'UP',
      nodes: 2,
      well: 1,
      since: '2026-11-29T00:00:00.000Z',
    },
    expect.objectContaining({ place: 's-1', incarnation: null, nodes: 0, since: null, finished: false }),
    expect.objectContaining({ place: 's-10' }),
  ]);
});

describe('a node is found', () => {
  test.each(['s-0-n1', 'SENSOR_1', 'i-1'])('by %s, which means one', (name) => {
    expect(findNode(join(), name).instanceId).toBe('i-1');
  });

  test.each(['s-0', 's-0-aaaa'])('by %s, which means all that stand there', (name) => {
    expect(findNodes(join(), [name])).toHaveLength(2);
    expect(() => findNode(join(), name)).toThrow(`${name} means 2 nodes; name one of them:\n  s-0 · s-0-n0`);
  });

  test('once, by whatever names', () => {
    expect(findNodes(join(), ['s-0', 'i-1'])).toHaveLength(2);
    expect(findNodes(join(), [])).toHaveLength(2);
  });

  test('or else it is said what there is', () => {
    expect(() => findNodes(join(), ['s-0', 'mars'])).toThrow(
      'no node is called mars; a node goes by its place, incarnation, Bacalhau node, sensor or instance:\n  s-0 · s-0-n0 · SENSOR_0 · i-0',
    );
  });
});

test('AWS’s description of an instance is read', () => {
  const described = {
    InstanceId: 'i-1',
    State: { Name: 'running' },
    LaunchTime: '2026-11-30T00:00:00+00:00',
    InstanceType: 't3.small',
    Placement: { AvailabilityZone: 'us-west-2b' },
    PrivateIpAddress: '10.0.0.1',
    Tags: [
      { Key: 'skyfleet-place', Value: 's-1' },
      { Key: 'skyfleet-incarnation', Value: 's-1-cccc' },
    ],
  };
  expect(instanceOf(described)).toMatchObject({
    spot: false,
    publicIp: null,
    privateIp: '10.0.0.1',
    launchedAt: '2026-11-30T00:00:00.000Z',
    place: 's-1',
    incarnation: 's-1-cccc',
  });
  expect(instanceOf({ ...described, InstanceLifecycle: 'spot', Tags: [] })).toMatchObject({
    spot: true,
    place: undefined,
  });
});
