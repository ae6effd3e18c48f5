import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { localStack } from '../../local/job/rig-stack';
import type { LocalStack } from '../../local/job/stack';
import { sensorRowsJob } from '../../local/jobs';
import { openRig, stopRig, type Rig } from '../../local/rig';
import { CHECKOUT } from '../../local/rig/paths';
import type { NodeReport } from '../../deployment/operator/wait';
import { aws, computeNodes, emulator, onInstance, runCli, succeeded } from './rig-run';

jest.setTimeout(40 * 60_000);

/** Three nodes each way in one stack: three clusters of one node, and one cluster of three nodes. */
const name = 'e2e-clusters';
const { config: stackFile } = parse(fs.readFileSync(path.join(CHECKOUT, 'Pulumi.local.yaml'), 'utf8')) as {
  config: Record<string, { image?: string }>;
};
const sensorImage = stackFile['skyfleet:sensor']?.image ?? '';
let rig: Rig;
let stack: LocalStack;
let nodes: Record<'singles' | 'trio', NodeReport[]>;

/** The compute nodes in the orchestrator's own list, as `name membership connection sensor`. */
const listedNodes = async (): Promise<string[]> =>
  (await computeNodes(rig))
    .map(({ name: node, membership, connection, labels }) =>
      [node, membership, connection, labels['sensor_id']].join(' '),
    )
    .sort();

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

/** What the health check of a node writes to the bucket, as far as it is read here. */
interface HealthReport {
  interruption: { action: string; time: string; stage: string } | null;
}

/** Runs the job that counts a node's rows, which no other node may take; returns the state that it ends in. */
async function jobOn(nodeName: string): Promise<string> {
  const job = sensorRowsJob(nodeName, sensorImage, randomUUID());
  const jobs = `${rig.endpoints.bacalhau}/api/v1/orchestrator/jobs`;
  const put = ['--request', 'PUT', '--header', 'content-type: application/json', '--data'];
  const sent = await rig.exec(['curl', '--silent', ...put, JSON.stringify({ Job: job }), jobs]);
  const { JobID } = JSON.parse(sent.stdout) as { JobID: string };
  for (let tries = 0; tries < 60; tries++) {
    const { stdout } = await rig.exec(['curl', '--silent', `${jobs}/${JobID}`]);
    const state = (JSON.parse(stdout) as { Job: { State: { StateType: string } } }).Job.State.StateType;
    if (['Failed', 'Completed', 'Stopped'].includes(state)) return state;
    await sleep(500);
  }
  return 'still running';
}

beforeAll(async () => {
  succeeded(await runCli(['rig', 'start', name]));
  rig = await openRig({ name });
  stack = localStack(rig);
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
  const [incarnation = ''] = nodes.trio.map(({ nodeName }) => nodeName);
  expect(incarnation).toMatch(/^trio-0-\w{4}$/);
  expect(nodes.trio.map(({ nodeName }) => nodeName)).toEqual([
    incarnation,
    `${incarnation}-1`,
    `${incarnation}-2`,
  ]);
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

test('the nodes find their gateway where it was, whichever node goes', async () => {
  const links = async (...of: string[]): Promise<string[]> => {
    const { stdout } = await rig.exec(['ip', '-json', 'link', 'show', ...of]);
    return (JSON.parse(stdout) as { address: string }[]).map(({ address }) => address);
  };
  const [bridge] = await links('type', 'bridge');
  // A bridge without an address of its own has that of a port.
  expect(await links('type', 'veth')).not.toContain(bridge);
});

test('a node is reached by SSH only while its group has the rule for it', async () => {
  const [node] = nodes.singles as [NodeReport];
  /** What the node says first, or how asking it ended. */
  const banner = async (seconds: number): Promise<string> => {
    const read = `exec 3<>/dev/tcp/${node.publicIp}/22; head -c 7 <&3`;
    const { code, stdout, stderr } = await rig.exec(['timeout', String(seconds), 'bash', '-c', read]);
    return code === 0 ? stdout : `exit code ${code}${stderr}`;
  };
  const { Reservations } = await aws<{
    Reservations: { Instances: { SecurityGroups: { GroupId: string }[] }[] }[];
  }>(rig, 'ec2', 'describe-instances', '--instance-ids', node.instanceId);
  const group = Reservations[0]?.Instances[0]?.SecurityGroups[0]?.GroupId ?? '';
  const rule = ['--group-id', group, '--protocol', 'tcp', '--port', '22', '--cidr', '54.214.0.0/16'];

  expect(await banner(15)).toBe('SSH-2.0');
  await aws(rig, 'ec2', 'revoke-security-group-ingress', ...rule);
  expect(await banner(5)).toBe('exit code 124');
  await aws(rig, 'ec2', 'authorize-security-group-ingress', ...rule);
  expect(await banner(15)).toBe('SSH-2.0');
});

test('a node that AWS takes back takes no more work, and tells so in its last report', async () => {
  const [, node] = nodes.singles as [NodeReport, NodeReport];
  await emulator(rig, `preempt/${node.instanceId}`, { noticeSeconds: 60 });
  const end = Date.now() + 60_000;

  const bucket = String((await stack.outputs())['dataBucket']);
  const lastReport = async (): Promise<HealthReport | undefined> => {
    const url = `s3://${bucket}/fleets/singles/health/${node.nodeName}.json`;
    const { stdout } = await rig.exec(['aws', 's3', 'cp', '--quiet', url, '-']);
    const report = stdout === '' ? undefined : (JSON.parse(stdout) as HealthReport);
    return report?.interruption?.stage === 'last' ? report : undefined;
  };
  let report: HealthReport | undefined;
  while (report === undefined && Date.now() < end) {
    report = await lastReport();
    await sleep(1000);
  }
  expect(report?.interruption).toMatchObject({ action: 'terminate', stage: 'last' });

  // Still there, and connected; and yet what only it could run is run by nobody.
  expect(await listedNodes()).toContainEqual(connected(node));
  expect(await jobOn(node.nodeName)).toBe('Failed');
  const [staying] = nodes.singles as [NodeReport];
  expect(await jobOn(staying.nodeName)).toBe('Completed');
});
