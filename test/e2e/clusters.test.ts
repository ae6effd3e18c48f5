import { LocalStack } from '../../local/job/stack';
import { openRig, pulumiEnv, stopRig, type Rig } from '../../local/rig';
import { inNamespace } from '../../local/rig/namespace';
import { CHECKOUT } from '../../local/rig/paths';
import type { NodeReport } from '../../deployment/operator/wait';
import { onInstance, runCli, succeeded } from './rig-run';

jest.setTimeout(40 * 60_000);

/** Three nodes each way in one stack: three clusters of one node, and one cluster of three nodes. */
const name = 'e2e-clusters';
let rig: Rig;
let stack: LocalStack;
let nodes: Record<'singles' | 'trio', NodeReport[]>;

interface ListedNode {
  Info: { NodeID: string; NodeType: string; Labels: Record<string, string> };
  Membership: string;
  ConnectionState: { Status: string };
}

/** The compute nodes in the orchestrator's own list, as `name membership connection sensor`. */
async function listedNodes(): Promise<string[]> {
  const { stdout } = await rig.exec([
    'curl',
    '--silent',
    `${rig.endpoints.bacalhau}/api/v1/orchestrator/nodes`,
  ]);
  const { Nodes } = JSON.parse(stdout) as { Nodes: ListedNode[] };
  return Nodes.filter(({ Info }) => Info.NodeType === 'Compute')
    .map(({ Info, Membership, ConnectionState }) =>
      [Info.NodeID, Membership, ConnectionState.Status, Info.Labels['sensor_id']].join(' '),
    )
    .sort();
}

const connected = ({ nodeName, sensorId }: NodeReport): string =>
  `${nodeName} APPROVED CONNECTED ${sensorId}`;

/** Brings the stack up with a number of single-node clusters beside the cluster of three. */
async function up(singles: number): Promise<void> {
  const fleet = { instanceType: 't3.medium', spot: true, diskSizeGiB: 30 };
  await stack.prepare((config) => ({
    ...config,
    'skyfleet:fleets': [
      { ...fleet, name: 'singles', clusters: singles, ordinals: { first: 0, last: 9 } },
      { ...fleet, name: 'trio', clusters: 1, nodesPerCluster: 3, ordinals: { first: 10, last: 19 } },
    ],
  }));
  const { code, output } = await stack.run('up', ['--yes', '--skip-preview'], () => undefined);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  nodes = (await stack.outputs())['nodes'] as typeof nodes;
}

/** When each container of the given nodes was started. */
const startTimes = (reports: NodeReport[]): Promise<string[]> =>
  Promise.all(
    reports.map(async ({ instanceId }) => {
      const inspect = "docker inspect --format '{{.Name}} {{.State.StartedAt}}' sensor bacalhau_compute";
      return `${instanceId} ${(await onInstance(rig, instanceId, inspect)).stdout}`;
    }),
  );

beforeAll(async () => {
  succeeded(await runCli(['rig', 'start', name]));
  rig = await openRig({ name });
  stack = new LocalStack({
    projectDir: CHECKOUT,
    folder: rig.paths.pulumi,
    stack: 'local',
    env: pulumiEnv(rig),
    enter: (argv) => inNamespace(rig.paths, argv),
    orchestratorToken: rig.orchestratorToken,
  });
  await up(3);
});
afterAll(() => stopRig({ name }));

test('a place is a SkyPilot cluster of its own by default', () => {
  expect(nodes.singles.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2]);
  nodes.singles.forEach(({ nodeName }, index) =>
    expect(nodeName).toMatch(new RegExp(`^singles-${index}-\\w{4}$`)),
  );
});

test('a cluster of three nodes gives each a number, an ordinal and an instance of its own', () => {
  expect(nodes.trio.map(({ ordinal }) => ordinal)).toEqual([10, 11, 12]);
  nodes.trio.forEach(({ nodeName }, index) =>
    expect(nodeName).toMatch(new RegExp(`^trio-0-\\w{4}-${index}$`)),
  );
  expect(new Set(nodes.trio.map(({ nodeName }) => nodeName.replace(/-\d$/, ''))).size).toBe(1);
  expect(new Set(nodes.trio.map(({ instanceId }) => instanceId)).size).toBe(3);
});

test('the orchestrator lists all six, each with the identity of its place', async () => {
  const all = [...nodes.singles, ...nodes.trio];
  expect(new Set(all.map(({ sensorId }) => sensorId)).size).toBe(6);
  expect(await listedNodes()).toEqual(all.map(connected).sort());
});

test('a place that is taken away leaves the others undisturbed', async () => {
  const staying = [...nodes.singles.slice(0, 2), ...nodes.trio];
  const before = await startTimes(staying);
  await up(2);
  expect([...nodes.singles, ...nodes.trio]).toEqual(staying);
  expect(await startTimes(staying)).toEqual(before);
});
