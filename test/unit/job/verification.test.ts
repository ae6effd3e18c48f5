import type { OrchestratorNode } from '../../../deployment/operator/orchestrator';
import { fleetTable, problemsOf, strangers, type NodeEvidence } from '../../../local/job/verification';

const declared = {
  instanceId: 'i-1',
  zone: 'us-west-2a',
  region: 'us-west-2',
  privateIp: '10.0.0.4',
  publicIp: '54.0.0.1',
  nodeName: 'local-0-aaaa',
  ordinal: 0,
  sensorId: 'SENSOR_WA_SEA_0000',
};
const listed: OrchestratorNode = {
  name: 'local-0-aaaa',
  type: 'Compute',
  labels: { sensor_id: 'SENSOR_WA_SEA_0000', fleet: 'local' },
  membership: 'APPROVED',
  connection: 'CONNECTED',
  engines: ['docker'],
};
const good: NodeEvidence = {
  declared,
  listed,
  rows: [3, 9],
  object: 'fleets/local/sensor/SENSOR_WA_SEA_0000/1.json',
};

test('a node that keeps every promise has no problem', () => {
  expect(problemsOf(good)).toEqual([]);
});

test.each<[string, Partial<NodeEvidence>, string]>([
  ['is not listed', { listed: undefined }, "connect: local-0-aaaa is not in the orchestrator's node list"],
  [
    'is not approved',
    { listed: { ...listed, membership: 'PENDING' } },
    'connect: local-0-aaaa is PENDING, not APPROVED',
  ],
  [
    'is not connected',
    { listed: { ...listed, connection: 'DISCONNECTED' } },
    'connect: local-0-aaaa is DISCONNECTED, not CONNECTED',
  ],
  [
    'has another identity',
    { listed: { ...listed, labels: {} } },
    "identity: local-0-aaaa has label sensor_id=, its place's identity is SENSOR_WA_SEA_0000",
  ],
  ['has no rows', { rows: [0, 0] }, 'sensor: the rows on local-0-aaaa do not grow (0, then 0)'],
  ['has rows that stand still', { rows: [5, 5] }, 'sensor: the rows on local-0-aaaa do not grow (5, then 5)'],
  [
    'cannot run the job',
    { rows: 'job j is Failed' },
    'sensor: counting the rows on local-0-aaaa failed: job j is Failed',
  ],
  [
    'wrote no object',
    { object: undefined },
    'bucket: local-0-aaaa has written no object for SENSOR_WA_SEA_0000',
  ],
])('a node that %s is named with the step', (_, change, problem) => {
  expect(problemsOf({ ...good, ...change })).toEqual([problem]);
});

test('a connected node that nobody declares is a stranger, a disconnected one is history', () => {
  const others = [
    listed,
    { ...listed, name: 'local-0-bbbb' },
    { ...listed, name: 'local-0-cccc', connection: 'DISCONNECTED' },
  ];
  expect(strangers(others, [declared])).toEqual([
    'connect: local-0-bbbb is connected, but no place of the stack declares it',
  ]);
});

test('the table says where each node stands', () => {
  const table = fleetTable([good, { ...good, listed: undefined, rows: 'x', object: undefined }]);
  for (const text of [
    'local-0-aaaa',
    'APPROVED',
    'CONNECTED',
    'SENSOR_WA_SEA_0000',
    '3 → 9',
    'fleet=local',
    'not listed',
    'failed',
    'none',
  ]) {
    expect(table).toContain(text);
  }
});
