import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { NodeReport } from '../../deployment/operator/wait';
import { localStack } from '../../local/job/rig-stack';
import type { LocalStack } from '../../local/job/stack';
import { openRig, startRig, stopRig, type Rig } from '../../local/rig';
import { orchestratorTokenFile } from '../../local/rig/environment';
import { CHECKOUT } from '../../local/rig/paths';
import { endStragglers } from '../../local/rig/supervision';
import { exitCodes } from '../../cli/exit-codes';
import { reviewSchema, type StackReview } from '../../review/model';
import {
  aws,
  connectedNodes,
  emulator,
  onInstance,
  runCli,
  succeeded,
  taggedInstances,
} from '../e2e/rig-run';
import { ArgumentWatch, leaksIn } from '../e2e/token-search';

jest.setTimeout(60 * 60_000);

/** One real case for each class of change, and for each thing that can be wrong with what is there. */
const name = 'e2e-changes';
let rig: Rig;
let stack: LocalStack;
let watch: ArgumentWatch;
/** The token of the orchestrator before it was rotated. */
let retiredToken: string;
let nodes: Record<'single' | 'pair', NodeReport[]>;

type Fleet = Record<string, unknown>;
/** What the configuration says by now; each test goes on from where the last one left it. */
const declared = {
  single: { clusters: 1, ordinals: { first: 0, last: 9 } } as Fleet,
  pair: { clusters: 1, nodesPerCluster: 1, ordinals: { first: 10, last: 19 } } as Fleet,
  stack: {} as Record<string, unknown>,
};

async function prepare(): Promise<void> {
  const fleet = { instanceType: 't3.medium', spot: true, diskSizeGiB: 30 };
  await stack.prepare((config) => ({
    ...config,
    ...declared.stack,
    'skyfleet:fleets': [
      { ...fleet, ...declared.single, name: 'single' },
      { ...fleet, ...declared.pair, name: 'pair' },
    ],
  }));
}

/** The reasons that a preview gives, one line for each place, in the order of their names. */
async function preview(): Promise<string[]> {
  const { code, output } = await stack.run('preview', [], () => undefined);
  if (code !== 0) throw new Error(output);
  const [, diagnostics = ''] = output.split('Diagnostics:');
  const reasons = diagnostics.split('\n').filter((line) => /^\s+(single|pair)-\d.*: \w[\w-]*: /.test(line));
  return [...new Set(reasons.map((line) => line.trim()))].sort();
}

/** What `make review` says of the stack. */
async function review(): Promise<StackReview> {
  const program = ['node', 'bin/skyfleet.mjs', 'review', '--json', ...stack.stackOptions()];
  const { code, stdout, stderr } = await rig.exec(program, { cwd: CHECKOUT });
  if (code !== exitCodes.found) throw new Error(`the review ended with ${String(code)}: ${stderr}`);
  const [only] = reviewSchema.parse(JSON.parse(stdout)).stacks;
  if (only === undefined) throw new Error('the review holds no stack');
  return only;
}

async function up(): Promise<void> {
  const { code, output } = await stack.run('up', ['--yes', '--skip-preview'], () => undefined);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  nodes = (await stack.outputs())['nodes'] as typeof nodes;
}

const only = <T>(list: readonly T[] | undefined): T => {
  if (list?.length !== 1) throw new Error(`${list?.length ?? 0} instead of one`);
  return list[0] as T;
};

/** When the containers of a node were started: `/bacalhau_compute …` and `/sensor …`. */
async function started({ instanceId }: NodeReport): Promise<{ compute: string; sensor: string }> {
  const inspect = "docker inspect --format '{{.State.StartedAt}}' bacalhau_compute sensor";
  const [compute = '', sensor = ''] = (await onInstance(rig, instanceId, inspect)).stdout.trim().split('\n');
  return { compute, sensor };
}

const identity = async ({ instanceId }: NodeReport): Promise<string> =>
  (await onInstance(rig, instanceId, 'cat /opt/sensor/config/identity.json')).stdout;

/** The connected nodes of a sensor, in the orchestrator's own list. */
const connectedAs = async (sensorId: string): Promise<string[]> =>
  (await connectedNodes(rig))
    .filter(({ labels }) => labels['sensor_id'] === sensorId)
    .map(({ name: node }) => node);

/** Ids of the instances of the stack that AWS has not ended. */
const instances = async (): Promise<string[]> =>
  (await taggedInstances(rig, 'pending,running,stopped')).sort();

beforeAll(async () => {
  succeeded(await runCli(['rig', 'start', name]));
  rig = await openRig({ name });
  watch = new ArgumentWatch(() => rig.orchestratorToken);
  stack = localStack(rig);
  await prepare();
  expect(await preview()).toEqual([
    'pair-0: launch: a new place; 1 node',
    'single-0: launch: a new place; 1 node',
  ]);
  await up();
});
afterAll(async () => {
  watch.stop();
  await stopRig({ name });
});

test('none: what counts at the next launch only runs nothing on a node', async () => {
  const before = { nodes, started: await started(only(nodes.single)) };
  declared.single = { ...declared.single, onDemandFallback: true };
  await prepare();
  expect(await preview()).toEqual([]);
  await up();
  expect({ nodes, started: await started(only(nodes.single)) }).toEqual(before);
});

test('refresh: on the same machine, only the service whose files changed restarts, and tags change in place', async () => {
  const before = { nodes, started: await started(only(nodes.single)) };
  declared.stack = { 'skyfleet:bacalhau': { logLevel: 'debug' }, 'skyfleet:tags': { team: 'sensors' } };
  await prepare();
  expect(await preview()).toEqual([
    'pair-0: refresh: bacalhau.logLevel info → debug, tags {} → {"team":"sensors"}; 1 node is brought up to date in place',
    'single-0: refresh: bacalhau.logLevel info → debug, tags {} → {"team":"sensors"}; 1 node is brought up to date in place',
  ]);
  const { operations, nodes: touched, files } = await review();
  expect(operations).toMatchObject([{ kind: 'refresh', places: ['pair-0', 'single-0'] }]);
  expect(operations[0]?.changes.map(({ input }) => input)).toEqual(['bacalhau.logLevel', 'tags']);
  const all = [only(nodes.pair), only(nodes.single)].map(({ nodeName }) => nodeName);
  expect(touched).toEqual({ added: 0, removed: [], replaced: [], updated: all, identities: [] });
  expect(files.find(({ text }) => text === 'node.json')).toMatchObject({ of: ['pair-0', 'single-0'] });
  await up();
  expect(nodes).toEqual(before.nodes);
  const after = await started(only(nodes.single));
  expect(after.sensor).toBe(before.started.sensor);
  expect(after.compute).not.toBe(before.started.compute);
  const { Tags } = await aws<{ Tags: { ResourceType: string }[] }>(
    rig,
    ...['ec2', 'describe-tags', '--filters', 'Name=key,Values=team', 'Name=value,Values=sensors'],
    'Name=resource-type,Values=instance,volume',
  );
  expect(Tags.map(({ ResourceType }) => ResourceType).sort()).toEqual([
    'instance',
    'instance',
    'volume',
    'volume',
  ]);
});

test('refresh: a rotated token reaches every node, and the gap ends with the up', async () => {
  const all = [only(nodes.single), only(nodes.pair)];
  const before = await Promise.all(all.map(started));
  retiredToken = rig.orchestratorToken;
  fs.writeFileSync(orchestratorTokenFile(rig.paths), randomBytes(24).toString('hex'));
  rig = await openRig({ name });
  stack = localStack(rig);
  await stack.setToken(rig.orchestratorToken);
  const reason = 'refresh: orchestratorToken changed; 1 node is brought up to date in place';
  expect(await preview()).toEqual([`pair-0: ${reason}`, `single-0: ${reason}`]);

  await endStragglers(rig.paths, ({ service }) => service === 'orchestrator');
  const begun = Date.now();
  rig = await startRig({ name });
  const since = (): number => (Date.now() - begun) / 1000;
  const isBack = async ({ sensorId, nodeName }: NodeReport): Promise<number> => {
    while ((await connectedAs(sensorId))[0] !== nodeName) await sleep(500);
    return since();
  };
  const [gaps, end] = await Promise.all([Promise.all(all.map(isBack)), up().then(since)]);
  const shown = gaps.map((gap) => `${gap.toFixed(0)} s`).join(', ');
  process.stderr.write(
    `without the orchestrator: ${shown}; the up ended ${end.toFixed(0)} s after it came back\n`,
  );
  const after = await Promise.all(all.map(started));
  expect(after.map(({ sensor }) => sensor)).toEqual(before.map(({ sensor }) => sensor));
  for (const [index, { compute }] of after.entries()) expect(compute).not.toBe(before[index]?.compute);
});

test('scale: places and nodes are added, and every other node is left alone', async () => {
  const [single, pair] = [only(nodes.single), only(nodes.pair)];
  const before = [await started(single), await started(pair)];
  declared.single = { ...declared.single, clusters: 2 };
  declared.pair = { ...declared.pair, nodesPerCluster: 2 };
  await prepare();
  expect(await preview()).toEqual([
    'pair-0: scale: nodesPerCluster 1 → 2; 1 node is added',
    'single-1: launch: a new place; 1 node',
  ]);
  await up();
  expect(nodes.single).toHaveLength(2);
  expect(nodes.single[0]).toEqual(single);
  expect(nodes.pair.map(({ ordinal }) => ordinal)).toEqual([10, 11]);
  expect(nodes.pair[0]?.instanceId).toBe(pair.instanceId);
  expect(await started(single)).toEqual(before[0]);
  expect(await started(pair)).toEqual(before[1]);
});

test('scale: a place that is taken away leaves every other node alone', async () => {
  const single = nodes.single[0] as NodeReport;
  const before = await started(single);
  declared.single = { ...declared.single, clusters: 1 };
  await prepare();
  expect(await preview()).toEqual([
    expect.stringMatching(/^single-1: scale: the place is removed; single-1-\w{4} end$/),
  ]);
  await up();
  expect(nodes.single).toEqual([single]);
  expect(await started(single)).toEqual(before);
  expect(await instances()).toEqual([single, ...nodes.pair].map(({ instanceId }) => instanceId).sort());
});

test('rebuild-workers: a cluster with fewer nodes keeps its head, and other places are left alone', async () => {
  const [single, [head]] = [only(nodes.single), nodes.pair];
  const before = await started(single);
  declared.pair = { ...declared.pair, nodesPerCluster: 1 };
  await prepare();
  expect(await preview()).toEqual([
    'pair-0: rebuild-workers: nodesPerCluster 2 → 1; 1 worker ends, 0 are made anew',
  ]);
  await up();
  expect(nodes.pair.map(({ instanceId }) => instanceId)).toEqual([head?.instanceId]);
  expect(nodes.single).toEqual([single]);
  expect(await started(single)).toEqual(before);
  expect(await instances()).toEqual([single, ...nodes.pair].map(({ instanceId }) => instanceId).sort());

  declared.pair = { ...declared.pair, nodesPerCluster: 2 };
  await prepare();
  await up();
  expect(nodes.pair).toHaveLength(2);
});

describe('replace', () => {
  const reason = 'single-0: replace: instanceType t3.medium → t3.large; 1 node restarts elsewhere';

  test('that fails leaves the old node serving, and is still told with the values last applied', async () => {
    const old = only(nodes.single);
    const before = await started(old);
    const fault = { op: 'RunInstances', code: 'InsufficientInstanceCapacity', message: 'none' };
    await emulator(rig, 'fail', { ...fault, count: 1000, instanceType: 't3.large' });
    declared.single = { ...declared.single, instanceType: 't3.large' };
    await prepare();
    expect(await preview()).toEqual([reason]);
    const { code, output } = await stack.run('up', ['--yes', '--skip-preview'], () => undefined);
    expect(code).not.toBe(0);
    expect(output).toContain('InsufficientInstanceCapacity');
    expect(await started(old)).toEqual(before);
    expect(await connectedAs(old.sensorId)).toEqual([old.nodeName]);
    expect(await preview()).toEqual([reason]);
  });

  test('that is taken back finds the old node as it was', async () => {
    const old = only(nodes.single);
    const before = await started(old);
    declared.single = { ...declared.single, instanceType: 't3.medium' };
    await prepare();
    expect(await preview()).toEqual([
      `single-0: revert: the last change was not finished and is taken back; ${old.nodeName} stays`,
    ]);
    await up();
    expect(nodes.single).toEqual([old]);
    expect(await started(old)).toEqual(before);
    expect(await preview()).toEqual([]);
  });

  test('hands the identity over: never on two nodes at once, and the same on the new one', async () => {
    await rig.exec(['curl', '--silent', '--request', 'DELETE', `${rig.endpoints.aws}/_emu/fail`]);
    const old = only(nodes.single);
    const before = await identity(old);
    declared.single = { ...declared.single, instanceType: 't3.large' };
    await prepare();

    const seen: string[][] = [];
    const ended = new AbortController();
    const watch = (async () => {
      while (!ended.signal.aborted) {
        seen.push(await connectedAs(old.sensorId));
        await sleep(500);
      }
    })();
    await up().finally(() => ended.abort());
    await watch;
    expect(seen.filter((names) => names.length > 1)).toEqual([]);

    const fresh = only(nodes.single);
    expect(fresh.nodeName).not.toBe(old.nodeName);
    expect(fresh.sensorId).toBe(old.sensorId);
    expect(await identity(fresh)).toBe(before);
    expect(await instances()).toEqual([fresh, ...nodes.pair].map(({ instanceId }) => instanceId).sort());
    expect(await preview()).toEqual([]);
  });
});

describe('drift', () => {
  test('a node that AWS has taken and one whose sensor has ended are told and repaired, and nothing else', async () => {
    const [single, pair] = [only(nodes.single), nodes.pair[1] as NodeReport];
    const computeBefore = (await started(pair)).compute;
    const identityBefore = await identity(single);
    await emulator(rig, `preempt/${single.instanceId}`, {});
    await onInstance(rig, pair.instanceId, 'docker stop sensor; health-check.sh --quiet');
    const reasons = await preview();
    expect(reasons).toEqual([
      expect.stringMatching(`^pair-0: repair: ${pair.nodeName} is unhealthy \\(service sensor: `),
      expect.stringMatching(`^single-0: repair: ${single.nodeName} is gone `),
    ]);
    await up();
    const repaired = only(nodes.single);
    expect(repaired.instanceId).not.toBe(single.instanceId);
    expect(await identity(repaired)).toBe(identityBefore);
    expect(nodes.pair[1]).toEqual(pair);
    expect((await started(pair)).compute).toBe(computeBefore);
    expect(await preview()).toEqual([]);
  });

  test('the same again is told and repaired again, and so is a machine that was stopped', async () => {
    const [single, pair] = [only(nodes.single), nodes.pair[1] as NodeReport];
    await emulator(rig, `preempt/${single.instanceId}`, {});
    await aws(rig, 'ec2', 'stop-instances', '--instance-ids', pair.instanceId);
    expect(await preview()).toEqual([
      expect.stringMatching(`^pair-0: repair: ${pair.nodeName} is stopped `),
      expect.stringMatching(`^single-0: repair: ${single.nodeName} is gone `),
    ]);
    await up();
    expect(nodes.pair[1]?.instanceId).toBe(pair.instanceId);
    expect(await connectedAs(single.sensorId)).toEqual([only(nodes.single).nodeName]);
    expect(await connectedAs(pair.sensorId)).toEqual([pair.nodeName]);
    expect(await preview()).toEqual([]);
  });

  test('a SkyPilot server that cannot be asked is told in a preview, and up does not guess', async () => {
    declared.stack = { ...declared.stack, 'skyfleet:skypilot': { endpoint: 'http://127.0.0.1:1' } };
    await prepare();
    const shown = await stack.run('preview', [], () => undefined);
    expect(shown.output).toContain('What is really there is not known: No SkyPilot server can be reached');
    const refused = await stack.run('up', ['--yes', '--skip-preview'], () => undefined);
    expect(refused.code).not.toBe(0);
    expect(refused.output).toContain('Nothing was changed, because it would be by guess.');
  });
});

test('the token is in no log, state or argument list after all that', () => {
  expect(leaksIn(rig)).toEqual([]);
  expect(leaksIn({ paths: rig.paths, orchestratorToken: retiredToken })).toEqual([]);
  expect(watch.stop()).toEqual([]);
});
