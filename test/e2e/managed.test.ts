import { setTimeout as sleep } from 'node:timers/promises';
import { localStack } from '../../local/job/rig-stack';
import type { LocalStack } from '../../local/job/stack';
import { openRig, stopRig, type Rig } from '../../local/rig';
import { CHECKOUT } from '../../local/rig/paths';
import type { NodeReport } from '../../deployment/operator/wait';
import {
  aws,
  computeNodes,
  connectedNodes,
  emulator,
  onInstance,
  runCli,
  succeeded,
  taggedInstances,
} from './rig-run';
import { ArgumentWatch, leaksIn } from './token-search';

jest.setTimeout(40 * 60_000);

/** A fleet that SkyPilot recovers by itself: one managed job of three nodes. */
const name = 'e2e-managed';
let rig: Rig;
let stack: LocalStack;
let watch: ArgumentWatch;
let nodes: NodeReport[];
let logLevel = 'info';

async function prepare(): Promise<void> {
  await stack.prepare((config) => ({
    ...config,
    'skyfleet:bacalhau': { logLevel },
    'skyfleet:fleets': [
      {
        ...{ name: 'watch', recovery: 'managed', clusters: 1, nodesPerCluster: 3 },
        ...{ instanceType: 't3.medium', spot: true, diskSizeGiB: 30, ordinals: { first: 0, last: 9 } },
      },
    ],
  }));
}

async function up(): Promise<void> {
  await prepare();
  const { code, output } = await stack.run('up', ['--yes', '--skip-preview'], () => undefined);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  nodes = ((await stack.outputs())['nodes'] as { watch: NodeReport[] }).watch;
}

/** What a preview says; it ends with an error where there is anything to do. */
async function unchanged(): Promise<string> {
  const { code, output } = await stack.run('preview', ['--expect-no-changes', '--diff'], () => undefined);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  return output;
}

/** Ids of the instances that run. */
const running = (): Promise<string[]> => taggedInstances(rig, 'pending,running');

/** The identity of the node on an instance, and when its services were started. */
async function nodeOn(instanceId: string): Promise<{ identity: string; started: string }> {
  const identity = await onInstance(rig, instanceId, 'cat /opt/sensor/config/identity.json');
  const inspect = "docker inspect --format '{{.State.StartedAt}}' bacalhau_compute sensor";
  return { identity: identity.stdout, started: (await onInstance(rig, instanceId, inspect)).stdout };
}

/** The connected compute nodes in the orchestrator's own list, with the names of their sensors. */
const connected = async (): Promise<string[]> =>
  (await connectedNodes(rig)).map(({ name: node, labels }) => `${node} ${labels['sensor_id'] ?? ''}`).sort();

const expected = (): string[] => nodes.map(({ nodeName, sensorId }) => `${nodeName} ${sensorId}`).sort();

const preempt = (instanceId: string): Promise<void> =>
  emulator(rig, `preempt/${instanceId}`, { noticeSeconds: 0 });

/** Shows on an instance what its node is, and how far SkyPilot's job has come. */
const showNode = `cat /opt/sensor/config/identity.json; docker ps --all; docker logs --tail 20 bacalhau_compute 2>&1
  tail --lines 20 /home/*/sky_logs/*/run.log`;

/** What is there, for whoever reads why something did not come to be. */
async function situation(): Promise<string> {
  const ids = await running();
  const instances = await Promise.all(
    ids.map(async (id) => `${id}:\n${(await onInstance(rig, id, showNode)).stdout}`),
  );
  const jobs = await rig.exec(['sky', 'jobs', 'queue']);
  return [...instances, JSON.stringify(await computeNodes(rig)), jobs.stdout, jobs.stderr].join('\n');
}

/** Asks again and again until something is so. */
async function until(what: string, minutes: number, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + minutes * 60_000;
  while (!(await isSo())) {
    if (Date.now() > deadline) {
      throw new Error(`not within ${minutes} minutes: ${what}\n${await situation()}`);
    }
    await sleep(2000);
  }
}

beforeAll(async () => {
  succeeded(await runCli(['rig', 'start', name]));
  rig = await openRig({ name });
  watch = new ArgumentWatch(() => rig.orchestratorToken);
  stack = localStack(rig);
});
afterAll(async () => {
  watch.stop();
  await stopRig({ name });
});

test('up brings up a managed job of three nodes, and the next preview is clean', async () => {
  await up();
  expect(nodes.map(({ ordinal }) => ordinal)).toEqual([0, 1, 2]);
  expect(await connected()).toEqual(expected());
  await unchanged();
});

/** The instance that SkyPilot runs the cluster by; it tags it so. */
const headOfCluster = async (): Promise<string> =>
  (
    await aws<[string]>(
      rig,
      ...['ec2', 'describe-instances', '--query', 'Reservations[].Instances[].InstanceId', '--filters'],
      ...['Name=tag:ray-node-type,Values=head', 'Name=instance-state-name,Values=running'],
    )
  )[0];

test('a node that AWS takes comes back unattended as the same sensor, and the others never notice', async () => {
  const head = await headOfCluster();
  const [lost, ...rest] = [...nodes].sort(
    (a, b) => Number(a.instanceId === head) - Number(b.instanceId === head),
  ) as [NodeReport, ...NodeReport[]];
  const others = rest.map(({ instanceId }) => instanceId);
  const before = await Promise.all([...others, lost.instanceId].map(nodeOn));
  await preempt(lost.instanceId);

  const fresh = async (): Promise<string[]> =>
    (await running()).filter((id) => !nodes.some(({ instanceId }) => instanceId === id));
  await until('another instance runs', 10, async () => (await fresh()).length === 1);
  expect(await unchanged()).toContain('SkyPilot is bringing');
  // The list of nodes knows the lost one as connected until it misses it.
  const serves = async (): Promise<boolean> => {
    const [instance] = await fresh();
    return (
      instance !== undefined && (await nodeOn(instance)).identity !== '' && (await connected()).length === 3
    );
  };
  await until('three nodes are connected', 10, serves);
  const [instance = ''] = await fresh();

  const after = await Promise.all([...others, instance].map(nodeOn));
  expect(after.slice(0, 2)).toEqual(before.slice(0, 2));
  expect(after[2]?.identity).toBe(before[2]?.identity);
  expect(await connected()).toEqual(expected());
});

test('the next preview is clean, and a refresh reaches all nodes on the machines that they have by now', async () => {
  await until('SkyPilot says that the job runs', 5, async () => !(await unchanged()).includes('bringing'));
  const machines = (await running()).sort();
  logLevel = 'debug';
  await up();
  expect(nodes.map(({ instanceId }) => instanceId).sort()).toEqual(machines);
  for (const { instanceId } of nodes) {
    const config = await onInstance(rig, instanceId, 'cat /etc/bacalhau/config.yaml');
    expect(config.stdout).toContain('debug');
  }
  await unchanged();
});

test('the command line runs a command on each node of the job', async () => {
  const command = ['hostname', '--all-ip-addresses'];
  const argv = [process.execPath, 'bin/skyfleet.mjs', 'exec', '--stack', 'local', '--json', ...command];
  const { code, stdout, stderr } = await rig.exec(argv, { cwd: CHECKOUT });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  const printed = JSON.parse(stdout) as { node: string; stdout: string }[];
  expect(printed).toEqual(
    nodes.map(
      ({ nodeName, privateIp }) =>
        expect.objectContaining({
          node: nodeName,
          stdout: expect.stringContaining(privateIp) as string,
        }) as object,
    ),
  );
});

test('where AWS takes the head, SkyPilot makes the whole cluster anew, of the same sensors', async () => {
  const identities = async (ids: string[]): Promise<string[]> =>
    (await Promise.all(ids.map(nodeOn))).map(({ identity }) => identity).sort();
  const old = nodes.map(({ instanceId }) => instanceId);
  const before = await identities(old);
  await preempt(await headOfCluster());
  await until('three other instances run', 10, async () => {
    const ids = await running();
    return ids.length === 3 && ids.every((id) => !old.includes(id));
  });
  const ids = await running();
  await until('all have an identity', 10, async () => (await identities(ids)).every((text) => text !== ''));
  expect(await identities(ids)).toEqual(before);
  await until('three nodes are connected', 5, async () => (await connected()).length === 3);
  expect(await connected()).toEqual(expected());
});

test('destroy leaves nothing, nor a managed job', async () => {
  const { code, output } = await stack.run('destroy', ['--yes', '--skip-preview'], () => undefined);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  expect(await running()).toEqual([]);
  const queue = await rig.exec(['sky', 'jobs', 'queue', '--skip-finished', '--all-users']);
  expect(queue.stdout).toContain('No in-progress managed jobs');
});

test('the token is in no log, state or argument list after all that', () => {
  expect(leaksIn(rig)).toEqual([]);
  expect(watch.stop()).toEqual([]);
});
