import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { version as awsSdk } from '@pulumi/aws/package.json';
import { version as commandSdk } from '@pulumi/command/package.json';
import { version as pulumiSdk } from '@pulumi/pulumi/package.json';
import { good } from '../../config/good';
import { SkyPilotServer } from '../../operator/skypilot-server';
import { NatsServer } from './nats-server';

/** The command as a person runs it, with a Pulumi and an AWS CLI that answer from files, and servers that answer. */

const checkout = path.resolve(__dirname, '../../../..');
const token = 'planted-token-of-the-nodes';
const login = 'planted-login-of-skypilot';
const mark = '0a1b2c3d';
let folder: string;
let sky: SkyPilotServer;
let nats: NatsServer;
/** Address of the SkyPilot server. */
let endpoint: string;

const pulumi = (bin: string): string => `#!/bin/sh
echo "pulumi $*" >> ${bin}/calls
all="$*"
while [ $# -gt 0 ]; do [ "$1" = --stack ] && stack=$2; shift; done
case "$all" in
  version*) echo v${pulumiSdk} ;;
  "plugin ls"*) /bin/cat ${bin}/plugins.json ;;
  "stack ls"*) /bin/cat ${bin}/stacks.json ;;
  "stack export"*) /bin/cat ${bin}/$stack.state.json || { echo "error: no state of $stack" >&2; exit 255; } ;;
  config*) /bin/cat ${bin}/$stack.config.json ;;
esac
`;
const aws = (bin: string): string => `#!/bin/sh
echo "aws $*" >> ${bin}/calls
case "$1 $2" in
  "sts get-caller-identity") /bin/cat ${bin}/identity.json || { echo "Unable to locate credentials" >&2; exit 253; } ;;
  "ec2 describe-availability-zones") /bin/cat ${bin}/zones.json ;;
  "iam get-role") echo "An error occurred (AccessDenied) when calling GetRole" >&2; exit 254 ;;
  "iam simulate-principal-policy") /bin/cat ${bin}/simulated.json || { echo "An error occurred (AccessDenied) when calling the SimulatePrincipalPolicy operation: no" >&2; exit 254; } ;;
  "ec2 describe-instances") echo '[{"type":"t3.medium","life":"spot","stack":null}]' ;;
  "ec2 describe-instance-types") echo '[{"type":"t3.medium","cpus":2}]' ;;
  "service-quotas get-service-quota") /bin/cat ${bin}/quota.json || { echo "An error occurred (AccessDeniedException) when calling GetServiceQuota" >&2; exit 254; } ;;
  "ec2 describe-vpcs") echo '["vpc-1"]' ;;
  *) echo "aws-cli/2.31.0 Python/3.13" ;;
esac
`;

function write(file: string, content: unknown): void {
  fs.writeFileSync(path.join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
}

/** Gives a stack its file, its configuration as Pulumi prints it, and a state with a VPC and its SkyPilot server. */
function writeStack(
  name: string,
  endpoints: string[],
  skypilot: string,
  change: Record<string, unknown> = {},
): void {
  const values: Record<string, unknown> = {
    ...good,
    orchestrator: { endpoints },
    skypilot: { endpoint: skypilot },
    ...change,
  };
  const entries = Object.entries(values).map(([key, value]) => [
    `skyfleet:${key}`,
    { value: JSON.stringify(value), secret: false },
  ]);
  write(`${name}.config.json`, {
    ...Object.fromEntries(entries),
    'aws:region': { value: 'us-west-2', secret: false },
    'skyfleet:orchestratorToken': { value: token, secret: true },
    'skyfleet:skypilotToken': { value: login, secret: true },
  });
  write(`Pulumi.${name}.yaml`, stringify({ config: { 'skyfleet:fleets': values['fleets'] } }));
  const stack = `organization/skyfleet/${name}`;
  const urn = (type: string, of: string): string =>
    `urn:pulumi:${name}::skyfleet::${type}::skyfleet-${name}${of}`;
  write(`${name}.state.json`, {
    deployment: {
      resources: [
        { urn: urn('pulumi:pulumi:Stack', ''), type: 'pulumi:pulumi:Stack' },
        {
          urn: urn('aws:ec2/vpc:Vpc', '-vpc'),
          type: 'aws:ec2/vpc:Vpc',
          inputs: { tags: { 'skyfleet-stack': stack } },
        },
        {
          urn: urn('command:local:Command', '-skypilot'),
          type: 'command:local:Command',
          inputs: { environment: { SKYFLEET_STACK: stack } },
          outputs: { stdout: JSON.stringify({ mark }) },
        },
      ],
    },
  });
}

beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-doctor-'));
  sky = new SkyPilotServer(() => ({ value: ['aws'] }));
  sky.users.add(mark);
  nats = new NatsServer(token);
  const programs = {
    pulumi,
    aws,
    ssh: () => '#!/bin/sh\necho OpenSSH_9.2 >&2\n',
    python3: () => '#!/bin/sh\necho Python 3.11\n',
  };
  for (const [name, script] of Object.entries(programs)) {
    fs.writeFileSync(path.join(folder, name), script(folder), { mode: 0o755 });
  }
  write('calls', '');
  write('Pulumi.yaml', 'name: skyfleet\nruntime: nodejs\n');
  write('stacks.json', [{ name: 'dev', current: true }]);
  write('plugins.json', [
    { name: 'aws', kind: 'resource', version: awsSdk },
    { name: 'command', kind: 'resource', version: commandSdk },
  ]);
  write('identity.json', {
    Account: '123456789012',
    Arn: 'arn:aws:sts::123456789012:assumed-role/engineers/ann',
  });
  write('zones.json', {
    AvailabilityZones: good.network.zones.map((ZoneName) => ({ ZoneName, State: 'available' })),
  });
  write('simulated.json', {
    EvaluationResults: [{ EvalActionName: 'ec2:DescribeVpcs', EvalDecision: 'allowed' }],
  });
  write('quota.json', { Quota: { Value: 8 } });
  endpoint = await sky.start();
  writeStack('dev', [await nats.start()], endpoint);
});
afterEach(async () => {
  await Promise.all([sky.stop(), nats.stop()]);
  fs.rmSync(folder, { recursive: true });
});

interface Ended {
  code: number | null;
  stdout: string;
  stderr: string;
}

async function doctor(...options: string[]): Promise<Ended> {
  const child = spawn(process.execPath, [path.join(checkout, 'bin/skyfleet.mjs'), 'doctor', ...options], {
    cwd: folder,
    env: { PATH: folder, HOME: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  await once(child, 'close');
  return { code: child.exitCode, stdout, stderr };
}

/** Nothing that was said, and no call of another program, carries a secret. */
function expectNoSecret({ stdout, stderr }: Ended): void {
  const calls = fs.readFileSync(path.join(folder, 'calls'), 'utf8');
  for (const secret of [token, login]) {
    expect(`${stdout}${stderr}${calls}`).not.toContain(secret);
    expect(`${stdout}${stderr}${calls}`).not.toContain(Buffer.from(secret).toString('base64'));
  }
}

test('says one line where all is well, and with --verbose what it has looked at', async () => {
  const quiet = await doctor();
  expect(quiet).toEqual({ code: 0, stderr: '', stdout: '19 checks: 19 ok\n' });
  const told = await doctor('--verbose');
  expect(told.code).toBe(0);
  for (const line of [
    'ok: stack: organization/skyfleet/dev is there',
    'ok: AWS credentials: arn:aws:sts::123456789012:assumed-role/engineers/ann',
    'ok: AWS region: us-west-2 is enabled, with us-west-2a, us-west-2b',
    'ok: quota of spot vCPUs, Standard: the stack needs 6 vCPUs, others in the account use 2; the quota L-34B43A08 allows 8',
    'accepts the token, as seen from here; the nodes must reach it too',
    "ok: SkyPilot server, the stack's own",
  ]) {
    expect(told.stdout).toContain(line);
  }
  expectNoSecret(told);
});

test('every failure has its remedy, one does not hide another, and no secret is told', async () => {
  write('plugins.json', []);
  write('zones.json', { AvailabilityZones: [{ ZoneName: 'us-west-2a', State: 'available' }] });
  write('simulated.json', {
    EvaluationResults: [{ EvalActionName: 'ec2:CreateVpc', EvalDecision: 'implicitDeny' }],
  });
  write('quota.json', { Quota: { Value: 7 } });
  await nats.stop();
  nats = new NatsServer('the token of another orchestrator');
  sky.users.delete(mark);
  writeStack('dev', [await nats.start(), 'nats://127.0.0.1:1'], endpoint);
  const ended = await doctor('--json');
  expect(ended.code).toBe(2);
  const { checks, stacks } = JSON.parse(ended.stdout) as {
    checks: { check: string; state: string; remedy?: string }[];
    stacks: { stack: string; checks: { check: string; state: string; remedy?: string }[] }[];
  };
  const ill = [...checks, ...(stacks[0]?.checks ?? [])].filter(({ state }) => state !== 'ok');
  expect(ill.map(({ check, state }) => `${state} ${check.replace(/127.0.0.1:\d\d+/, 'here')}`)).toEqual([
    'failed Pulumi plugin aws',
    'failed Pulumi plugin command',
    'failed AWS region',
    'failed AWS permissions pulumi-operator',
    'failed AWS permissions pulumi-operator-data',
    'failed AWS permissions pulumi-recover',
    'failed quota of spot vCPUs, Standard',
    "failed SkyPilot server, the stack's own",
    'failed orchestrator nats://here',
    'failed orchestrator nats://127.0.0.1:1',
  ]);
  expect(ill.filter(({ remedy }) => remedy === undefined)).toEqual([]);
  expectNoSecret(ended);
});

test('what may not be asked cannot be told, which is not the same as being well', async () => {
  fs.rmSync(path.join(folder, 'simulated.json'));
  fs.rmSync(path.join(folder, 'quota.json'));
  const { code, stdout } = await doctor();
  expect(code).toBe(2);
  expect(stdout).toContain('cannot be told: AWS permissions: IAM does not simulate them: ');
  expect(stdout).toContain('remedy: allow iam:SimulatePrincipalPolicy');
  expect(stdout).toContain('the quota L-34B43A08 cannot be read');
  expect(stdout).toContain('17 checks: 15 ok, 2 cannot be told\n');
});

test('what needs the credentials is skipped without them, and the rest is looked at', async () => {
  fs.rmSync(path.join(folder, 'identity.json'));
  const { code, stdout } = await doctor('--verbose');
  expect(code).toBe(2);
  expect(stdout).toMatch(/FAILED: AWS credentials: .*Unable to locate credentials/s);
  for (const check of ['AWS region', 'AWS permissions', 'quotas']) {
    expect(stdout).toContain(`skipped: ${check}: needs AWS credentials`);
  }
  expect(stdout).toContain('ok: SkyPilot server:');
  expect(stdout).toContain('accepts the token');
});

test('a configuration with problems is told in the words of the stack file, and stops what goes by it', async () => {
  writeStack('dev', ['nats://127.0.0.1:1'], 'http://127.0.0.1:1', { access: {}, surplus: 1 });
  const ended = await doctor();
  expect(ended.code).toBe(2);
  expect(ended.stdout).toContain('FAILED: configuration: skyfleet:access is {}: must have exactly one of');
  expect(ended.stdout).toContain('FAILED: configuration: skyfleet:surplus is 1: is not a known key');
  expect(ended.stdout).toContain('skipped: SkyPilot server: needs a configuration without problems');
  expect(ended.stdout).toContain('skipped: orchestrator: needs a configuration without problems');
  expectNoSecret(ended);
});

test('a region that fails does not stop the others', async () => {
  write('stacks.json', [{ name: 'dev' }, { name: 'eu' }]);
  writeStack('eu', ['nats://127.0.0.1:1'], 'http://127.0.0.1:1', {
    fleets: [{ ...good.fleets[0], ordinals: { first: 100, last: 199 } }],
    network: { ...good.network, cidr: '10.43.0.0/16' },
  });
  fs.rmSync(path.join(folder, 'eu.state.json'));
  const { code, stdout } = await doctor('--all');
  expect(code).toBe(2);
  expect(stdout).not.toContain('dev:');
  expect(stdout).toMatch(/eu:\n {2}FAILED: stack: .*no state of eu/s);
});

test('a stack that is not there is a finding', async () => {
  const { code, stdout } = await doctor('--stack', 'dev', '--stack', 'new');
  expect(code).toBe(2);
  expect(stdout).toContain(
    'new:\n  FAILED: stack: the backend has no stack new\n      remedy: pulumi stack init new\n',
  );
});

test('tells of this machine even where Pulumi is not on it, or no stack is meant', async () => {
  write('stacks.json', []);
  const unmeant = await doctor();
  expect(unmeant).toMatchObject({ code: 1, stdout: '7 checks: 7 ok\n' });
  expect(unmeant.stderr).toContain('no stack is selected');
  fs.rmSync(path.join(folder, 'pulumi'));
  const { code, stdout } = await doctor();
  expect(code).toBe(2);
  expect(stdout).toContain('FAILED: Pulumi CLI: pulumi is not on the PATH; install it');
  expect(stdout).toContain('skipped: stacks: needs the Pulumi CLI');
});
