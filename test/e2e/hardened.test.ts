import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { localStack } from '../../local/job/rig-stack';
import type { LocalStack } from '../../local/job/stack';
import { openRig, pulumiEnv, stopRig, type Rig } from '../../local/rig';
import { GATEWAY } from '../../local/rig/addresses';
import { CHECKOUT } from '../../local/rig/paths';
import type { NodeReport } from '../../deployment/operator/wait';
import { actionsOf, readPolicy, uncovered, type LoggedRequest } from '../policies';
import { aws, runCli, succeeded, type Finished } from './rig-run';

jest.setTimeout(30 * 60_000);

/**
 * A stack with what a careful team asks for: settings from a shared stack, private subnets behind a NAT gateway, nodes
 * reached through a proxy, a machine that SkyPilot chooses below a price limit, flow logs, and no spot capacity at all.
 */
const name = 'e2e-hardened';
const stackName = 'organization/skyfleet/local';
let rig: Rig;
let stack: LocalStack;
let rendered: Finished;
let requestsOfUp: LoggedRequest[];

/** What the shared stack gives: all that the rig's own stack file says of the same keys is left out. */
const sharedSettings = {
  access: {
    // A ProxyCommand that needs nothing but a shell.
    proxy: {
      command: "bash -c 'exec 3<>/dev/tcp/%h/%p; cat <&3 & cat >&3; kill $!'",
      cidrs: [`${GATEWAY}/32`],
    },
  },
  orchestrator: { endpoints: [`nats://${GATEWAY}:4222`] },
  sensor: { image: 'ghcr.io/bacalhau-project/sensor-log-generator:1.5.0' },
  governance: {
    regions: ['us-west-2'],
    requiredTags: ['team'],
    permissionsBoundary: 'arn:aws:iam::123456789012:policy/boundary',
  },
  tags: { team: 'sensors' },
};

const inRig = async (argv: string[], cwd = CHECKOUT, input?: string): Promise<Finished> => {
  const options = { cwd, env: pulumiEnv(rig), ...(input === undefined ? {} : { input }) };
  const { code, stdout, stderr } = await rig.exec(argv, options);
  return { code: code ?? 1, stdout, stderr };
};

/** Makes the boundary that the documents give as an example. */
async function makeBoundary(): Promise<void> {
  const document = JSON.stringify(readPolicy('permissions-boundary')).replaceAll(
    'ACCOUNT_ID',
    '123456789012',
  );
  await aws(rig, 'iam', 'create-policy', '--policy-name', 'boundary', '--policy-document', document);
}

/** Brings the example of a shared stack up, with the settings of this test. */
async function upShared(): Promise<void> {
  // Below the checkout, where the packages are found.
  const folder = path.join(rig.paths.pulumi, 'shared');
  fs.cpSync(path.join(CHECKOUT, 'examples', 'shared-settings'), folder, { recursive: true });
  fs.writeFileSync(
    path.join(folder, 'Pulumi.prod.yaml'),
    stringify({ config: { 'skyfleet-shared:settings': sharedSettings } }),
  );
  const pulumi = ['pulumi', '--non-interactive'];
  succeeded(await inRig([...pulumi, 'stack', 'init', 'prod'], folder));
  const secret = [...pulumi, 'config', 'set', '--secret', 'orchestratorToken', '--stack', 'prod'];
  succeeded(await inRig(secret, folder, rig.orchestratorToken));
  succeeded(await inRig([...pulumi, 'up', '--yes', '--skip-preview', '--stack', 'prod'], folder));
}

async function prepare(onDestroy: 'keep' | 'delete'): Promise<void> {
  const left = Object.keys(sharedSettings).map((key) => `skyfleet:${key}`);
  await stack.prepare((config) => ({
    ...Object.fromEntries(Object.entries(config).filter(([key]) => !left.includes(key))),
    'skyfleet:shared': { stack: 'organization/skyfleet-shared/prod' },
    'skyfleet:network': {
      cidr: '10.44.0.0/16',
      zones: ['us-west-2a', 'us-west-2b'],
      nat: 'single',
      flowLogs: { retentionDays: 7 },
    },
    'skyfleet:fleets': [
      {
        name: 'sized',
        clusters: 1,
        cpus: 2,
        memoryGiB: 4,
        maxHourlyUsd: 0.2,
        onDemandFallback: true,
        ordinals: { first: 0, last: 9 },
      },
    ],
    'skyfleet:buckets': { onDestroy, prefix: 'team/fleets/', endpointUrl: `http://${GATEWAY}:5000` },
  }));
}

beforeAll(async () => {
  succeeded(await runCli(['rig', 'start', name]));
  rig = await openRig({ name });
  stack = localStack(rig);
  await makeBoundary();
  await upShared();
  await prepare('delete');

  rendered = await render();

  const noSpot = { op: 'RunInstances', code: 'InsufficientInstanceCapacity', message: 'no spot capacity' };
  const fault = JSON.stringify({ ...noSpot, count: 100, market: 'spot' });
  succeeded(await inRig(['curl', '--silent', '--fail', '--data', fault, `${rig.endpoints.aws}/_emu/fail`]));
  const { code, output } = await stack.run('up', ['--yes', '--skip-preview'], () => undefined);
  expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
  const log = fs.readFileSync(path.join(rig.paths.aws, 'requests.jsonl'), 'utf8').trim().split('\n');
  const operator = fs.readFileSync(path.join(rig.paths.aws, 'operator.json'), 'utf8');
  const { accessKeyId } = JSON.parse(operator) as { accessKeyId: string };
  requestsOfUp = log
    .map((line) => JSON.parse(line) as LoggedRequest & { accessKeyId: string | null })
    // The boundary was made by the platform team.
    .filter((request) => request.accessKeyId === accessKeyId && request.action !== 'CreatePolicy');
});
afterAll(() => stopRig({ name }));

/** Renders the tasks of the stack into a folder that goes with the rig. */
function render(): Promise<Finished> {
  const program = ['bin/skyfleet.mjs', 'render', '--stack', 'local', '--json'];
  const configFile = path.join(rig.paths.pulumi, 'project', 'Pulumi.local.yaml');
  const out = path.join(rig.paths.pulumi, 'rendered');
  return inRig([process.execPath, ...program, '--config-file', configFile, '--out', out]);
}

/** Launches another incarnation of the place, of which Pulumi knows nothing. */
async function launchUnrecorded(): Promise<void> {
  const [place] = JSON.parse((await render()).stdout) as { cluster: string; task: string; config: string }[];
  const { cluster = '', task = '', config = '' } = place ?? {};
  for (const file of [task, config])
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replaceAll(cluster, 'sized-0-lost'));
  const options = ['--yes', '--detach-run', '-c', 'sized-0-lost', '--config', config];
  succeeded(await inRig(['sky', 'launch', ...options, task]));
  expect(await instancesOfStack()).toHaveLength(2);
}

/** Ids of the instances of the stack that AWS has not terminated. */
const instancesOfStack = async (): Promise<string[]> =>
  aws<string[]>(
    rig,
    ...['ec2', 'describe-instances', '--query', 'Reservations[].Instances[].InstanceId', '--filters'],
    ...[`Name=tag:skyfleet-stack,Values=${stackName}`, 'Name=instance-state-name,Values=running'],
  );

test('the task is known before the first up, but for what AWS has to name', () => {
  expect(rendered.code).toBe(0);
  expect(JSON.parse(rendered.stdout)).toMatchObject([{ place: 'sized-0', cluster: 'sized-0-new' }]);
  expect(rendered.stderr.trim().split('\n')).toEqual([
    expect.stringMatching(/^sized-0: node\.json is known only after the first pulumi up; /),
  ]);
});

test('without spot capacity the node is on-demand, of a type that SkyPilot chose, with a private address only', async () => {
  const nodes = (await stack.outputs())['nodes'] as Record<string, NodeReport[]>;
  const [node] = nodes['sized'] ?? [];
  const { Reservations } = await aws<{ Reservations: { Instances: Record<string, unknown>[] }[] }>(
    rig,
    ...['ec2', 'describe-instances', '--instance-ids', node?.instanceId ?? ''],
  );
  const [instance] = Reservations.flatMap(({ Instances }) => Instances);
  expect(instance).toMatchObject({ MetadataOptions: { HttpTokens: 'required' } });
  expect(instance?.['InstanceType']).toMatch(/^\w+\.\w+$/);
  expect(instance).not.toHaveProperty('InstanceLifecycle');
  expect(instance).not.toHaveProperty('PublicIpAddress');
  expect(node?.publicIp).toBeNull();
});

test('volumes are encrypted and carry the tags that the platform team asks for', async () => {
  const { Volumes } = await aws<{
    Volumes: { Encrypted: boolean; Tags: { Key: string; Value: string }[] }[];
  }>(rig, ...['ec2', 'describe-volumes', '--filters', `Name=tag:skyfleet-stack,Values=${stackName}`]);
  expect(Volumes).toHaveLength(1);
  expect(Volumes[0]?.Encrypted).toBe(true);
  expect(Volumes[0]?.Tags).toContainEqual({ Key: 'team', Value: 'sensors' });
});

test('every role has the boundary, and within it the node writes below the prefix of the stack', async () => {
  const { Roles } = await aws<{ Roles: { RoleName: string }[] }>(rig, 'iam', 'list-roles');
  expect(Roles).toHaveLength(2);
  for (const { RoleName } of Roles) {
    expect(await aws(rig, 'iam', 'get-role', '--role-name', RoleName)).toHaveProperty(
      'Role.PermissionsBoundary.PermissionsBoundaryArn',
      sharedSettings.governance.permissionsBoundary,
    );
  }
  const bucket = String((await stack.outputs())['dataBucket']);
  const list = ['s3api', 'list-objects-v2', '--bucket', bucket, '--query', 'Contents[].Key'];
  const keys = await aws<string[]>(rig, ...list);
  expect(keys.filter((key) => !key.startsWith('team/fleets/sized/'))).toEqual([]);
  expect(keys).toContainEqual(expect.stringMatching(/^team\/fleets\/sized\/health\/sized-0-\w{4}\.json$/));
});

test("all traffic is recorded, and the VPC's default group lets nothing through", async () => {
  const { FlowLogs } = await aws<{ FlowLogs: Record<string, string>[] }>(rig, 'ec2', 'describe-flow-logs');
  expect(FlowLogs).toMatchObject([{ TrafficType: 'ALL', DeliverLogsStatus: 'SUCCESS' }]);
  const { SecurityGroups } = await aws<{ SecurityGroups: unknown[] }>(
    rig,
    ...['ec2', 'describe-security-groups', '--filters', 'Name=group-name,Values=default'],
    ...[`Name=tag:skyfleet-stack,Values=${stackName}`],
  );
  expect(SecurityGroups).toMatchObject([{ IpPermissions: [], IpPermissionsEgress: [] }]);
});

test('the documented policies allow all that was asked of AWS, but for a look at all buckets', () => {
  const policies = ['skypilot-operator', 'pulumi-operator', 'pulumi-operator-data'].map(readPolicy);
  const actions = actionsOf(requestsOfUp);
  expect(actions).toEqual(expect.arrayContaining(['ec2:RunInstances', 'iam:PassRole', 's3:PutBucketPolicy']));
  // SkyPilot's own check of its credentials, which it can do without.
  expect(uncovered(policies, actions)).toEqual(['s3:ListAllMyBuckets']);
});

test('the SkyPilot server holds the mark of the stack, and a server without it is refused', async () => {
  const { stdout } = await inRig(['curl', '--silent', `${rig.endpoints.sky}/users`]);
  const marks = (JSON.parse(stdout) as { id: string; name: string }[]).filter(
    (user) => user.name === `skyfleet:${stackName}`,
  );
  expect(marks).toHaveLength(1);
  const claim = (mark: string): Promise<Finished> =>
    inRig([
      'env',
      `SKYFLEET_STACK=${stackName}`,
      `SKYFLEET_SKYPILOT_ENDPOINT=${rig.endpoints.sky}`,
      'SKYFLEET_CALL_MINUTES=5',
      `PULUMI_COMMAND_STDOUT={"mark":"${mark}"}`,
      ...[process.execPath, '--import', 'tsx', 'deployment/operator/commands/claim.ts'],
    ]);
  expect(await claim(marks[0]?.id ?? '')).toMatchObject({
    code: 0,
    stdout: `{"mark":"${marks[0]?.id ?? ''}"}`,
  });
  const refused = await claim('00000000');
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain(`is not the one that stack ${stackName} belongs to`);
});

test('destroy ends what Pulumi never recorded too, leaves a kept bucket with its settings and without the token, and the server', async () => {
  const bucket = String((await stack.outputs())['dataBucket']);
  await prepare('keep');
  expect((await stack.run('up', ['--yes', '--skip-preview'], () => undefined)).code).toBe(0);
  await launchUnrecorded();
  const { code, output } = await stack.run('destroy', ['--yes', '--skip-preview'], () => undefined);
  expect(code).toBe(0);
  expect(output).toContain(`Bucket ${bucket} stays, with its data and settings`);

  expect(await instancesOfStack()).toEqual([]);
  const { Buckets } = await aws<{ Buckets: { Name: string }[] }>(rig, 's3api', 'list-buckets');
  expect(Buckets.map((kept) => kept.Name)).toEqual([bucket]);
  const ofBucket = <T>(call: string, ...options: string[]): Promise<T> =>
    aws<T>(rig, 's3api', call, '--bucket', bucket, ...options);
  const { stdout: users } = await inRig(['curl', '--silent', `${rig.endpoints.sky}/users`]);
  expect(users).not.toContain('skyfleet');
  expect(await ofBucket('get-bucket-policy')).toHaveProperty(
    'Policy',
    expect.stringContaining('aws:SecureTransport'),
  );
  expect(await ofBucket('get-bucket-versioning')).toEqual({ Status: 'Enabled' });
  expect(await ofBucket('get-public-access-block')).toHaveProperty(
    'PublicAccessBlockConfiguration.BlockPublicAcls',
    true,
  );
  const versions = (prefix: string): Promise<Record<string, unknown>> =>
    ofBucket('list-object-versions', '--prefix', prefix);
  expect(await versions('team/fleets/sized/credentials/')).not.toHaveProperty('Versions');
  expect(await versions('team/fleets/sized/sensor/')).toHaveProperty('Versions');
});
