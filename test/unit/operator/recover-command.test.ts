import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { seeProcess, type ProcessId } from '../../../deployment/operator/processes';
import { listRunning, recordRunning, runningFolder } from '../../../deployment/operator/running';
import { SkyPilotServer } from './skypilot-server';

/** The command as a person runs it, with a Pulumi and an AWS CLI that answer from files. */
let folder: string;
let server: SkyPilotServer;
const children: ChildProcess[] = [];
const stack = 'organization/skyfleet/dev';
const mark = '0a1b2c3d';

const pulumi = (bin: string): string => `#!/bin/sh
echo "$*" >> ${bin}/calls
case "$1" in
  config) echo '{"aws:region":{"value":"us-west-2"}}' ;;
  version) echo v3.250.0 ;;
  stack) if [ "$2" = ls ]; then echo '[{"name":"dev","current":true}]'; else cat ${bin}/export.json; fi ;;
  cancel) rm -f ${bin}/lock ;;
  refresh) if [ -e ${bin}/lock ]; then cat ${bin}/lock >&2; exit 255; fi ;;
esac
`;
const aws = (bin: string): string => `#!/bin/sh
echo "aws $*" >> ${bin}/calls
case "$1 $2" in
  "ec2 describe-tags") cat ${bin}/tags.json ;;
  "ec2 describe-vpcs") cat ${bin}/vpcs.json ;;
  "iam get-instance-profile") echo "An error occurred (NoSuchEntity) when calling the operation: none" >&2; exit 254 ;;
  "iam list-roles") echo "[]" ;;
  "s3api list-buckets") echo null ;;
  "logs describe-log-groups") echo '{"logGroups":[]}' ;;
esac
`;

function write(file: string, content: unknown): void {
  fs.writeFileSync(path.join(folder, file), typeof content === 'string' ? content : JSON.stringify(content));
}

beforeEach(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-recover-'));
  server = new SkyPilotServer(() => ({
    value: [{ name: 'sensors-0-lost', labels: { 'skyfleet-stack': stack }, launched_at: 1 }],
  }));
  server.users.add(mark);
  const environment = { SKYFLEET_STACK: stack, SKYFLEET_SKYPILOT_ENDPOINT: await server.start() };
  for (const [name, script] of Object.entries({ pulumi, aws }))
    fs.writeFileSync(path.join(folder, name), script(folder), { mode: 0o755 });
  write('tags.json', { Tags: [] });
  write('calls', '');
  write('export.json', {
    deployment: {
      resources: [
        { urn: 'urn:pulumi:dev::skyfleet::pulumi:pulumi:Stack::skyfleet-dev', type: 'pulumi:pulumi:Stack' },
        {
          urn: 'urn:pulumi:dev::skyfleet::command:local:Command::skyfleet-dev-skypilot',
          type: 'command:local:Command',
          inputs: { environment },
          outputs: { stdout: JSON.stringify({ mark }) },
        },
      ],
    },
  });
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});

const calls = (): string[] => fs.readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n');

async function recover(...options: string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  const argv = ['bin/skyfleet.mjs', 'recover', '--stack', 'dev', ...options];
  const child = spawn(process.execPath, argv, {
    env: {
      PATH: `${folder}:${process.env['PATH'] ?? ''}`,
      HOME: folder,
      PULUMI_HOME: path.join(folder, 'home'),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  await once(child, 'close');
  return { code: child.exitCode ?? -1, stdout, stderr };
}

/** Starts a program that does nothing, under a name. */
async function idle(name: string): Promise<ProcessId> {
  const program = path.join(folder, 'bin', name);
  fs.mkdirSync(path.dirname(program), { recursive: true });
  fs.symlinkSync('/bin/sleep', program);
  const child = spawn(program, ['600'], { stdio: 'ignore' });
  children.push(child);
  await once(child, 'spawn');
  return seeProcess(child.pid ?? 0) as ProcessId;
}

const lockOf = (pid: number, host = os.hostname()): string =>
  'error: the stack is currently locked by 1 lock(s).\n' +
  `  file:///s/locks/a.json: created by ann@${host} (pid ${pid}) at ${new Date().toISOString()}\n`;

test('leaves a healthy stack as it is, and tells of clusters that the next run sees to', async () => {
  const { code, stdout, stderr } = await recover();
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toContain('at SkyPilot, but not recorded by Pulumi: sensors-0-lost');
  expect(stdout).toContain('next: pulumi up --stack dev\n  or: pulumi destroy --stack dev\n');
  expect(calls().filter((call) => /cancel|delete|terminate/.test(call))).toEqual([]);
});

test('names the stack’s file in the commands that come next, where it was given', async () => {
  const { stdout } = await recover('--config-file', 'elsewhere/Pulumi.dev.yaml');
  expect(stdout).toContain('next: pulumi up --stack dev --config-file elsewhere/Pulumi.dev.yaml\n');
});

test('refuses while the Pulumi that holds the lock is at work here, and ends nothing', async () => {
  const holder = await idle('pulumi');
  write('lock', lockOf(holder.pid));
  const { code, stderr } = await recover();
  expect(code).toBe(1);
  expect(stderr).toContain(`Pulumi is at work on stack dev (process ${holder.pid} of ann`);
  expect(calls().join()).not.toContain('cancel');
});

test('releases a lock whose holder has ended, and ends what worked on for it', async () => {
  const worker = await idle('wait');
  const running = runningFolder({ XDG_STATE_HOME: path.join(folder, '.local/state') });
  recordRunning({ ...worker, command: 'wait', stack, place: 'sensors-0' }, running);
  // A number that no process can have.
  write('lock', lockOf(4_194_305));
  const { code, stdout, stderr } = await recover('--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(JSON.parse(stdout)).toMatchObject({
    stack,
    lock: [{ user: 'ann', pid: 4_194_305 }],
    ended: [{ pid: worker.pid, what: 'wait of sensors-0' }],
    skypilot: null,
  });
  expect(listRunning(running)).toEqual([]);
  expect(seeProcess(worker.pid)).toBeUndefined();
});

test('releases a lock of another machine only when told that its Pulumi has ended', async () => {
  write('lock', lockOf(12, 'runner-7'));
  const refused = await recover();
  expect(refused.code).toBe(1);
  expect(refused.stderr).toContain('the lock of stack dev was taken on runner-7 by ann (process 12)');
  expect(refused.stderr).toContain('--holder-ended');
  expect((await recover('--holder-ended')).code).toBe(0);
});

describe('something at AWS that Pulumi does not know', () => {
  beforeEach(() => {
    write('tags.json', { Tags: [{ ResourceId: 'vpc-1' }] });
    write('vpcs.json', { Vpcs: [{ VpcId: 'vpc-1', Tags: [{ Key: 'Name', Value: 'skyfleet-dev-vpc' }] }] });
  });

  test('is listed with the commands that import or delete it', async () => {
    const { code, stdout } = await recover();
    expect(code).toBe(3);
    expect(stdout).toContain(
      'at AWS, but not recorded by Pulumi: vpc vpc-1 (skyfleet-dev-vpc)\n  import: pulumi import',
    );
    expect(stdout).toContain('  delete: aws ec2 delete-vpc --vpc-id vpc-1 --region us-west-2\n');
    expect(stdout).toContain('next: npx skyfleet recover --stack dev --delete-unrecorded\n');
  });

  test('is deleted where that is asked for', async () => {
    expect((await recover('--delete-unrecorded')).code).toBe(0);
    expect(calls()).toContain('aws ec2 delete-vpc --vpc-id vpc-1 --region us-west-2 --output json');
  });
});
