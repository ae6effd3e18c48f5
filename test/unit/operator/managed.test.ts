import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { stackMark, type Submission } from '../../../deployment/operator/incarnation';
import { launchState } from '../../../deployment/operator/job';
import { foreignJobs, jobsAsClusters, managedJobName } from '../../../deployment/operator/managed-jobs';
import { readNodeFiles } from '../../../deployment/operator/node-files';
import type { Order } from '../../../deployment/operator/orders';
import { filesFingerprint } from '../../../deployment/operator/shipped-files';
import { SkyPilot, type ManagedJob } from '../../../deployment/operator/skypilot';
import {
  deleteCommand,
  deleteProgramFingerprint,
  releaseCommand,
} from '../../../deployment/operator/stored-program';
import { renderSkyConfig, renderTask, toYaml } from '../../../deployment/operator/task';
import { mark, placeEnvironment, runLine, submitted } from './command-line';
import { machine, placement, standingNode } from './fixtures';
import { SkyPilotServer, type Outcome, type Received } from './skypilot-server';

/** Fleets whose nodes are managed jobs: the commands of a place against peers of SkyPilot and of the AWS CLI. */
const stack = 'org/skyfleet/dev';
const key = '0123456789abcdef';
const otherKey = 'fedcba9876543210';
const files = readNodeFiles();
const nameOf = (incarnation: string, machineKey = key): string =>
  managedJobName(incarnation, { stack, machine: machineKey });

let server: SkyPilotServer;
let endpoint: string;
let folder: string;
let outcomes: Record<string, (received: Received) => Outcome>;
/** The managed jobs that SkyPilot has. */
let jobs: ManagedJob[];

const listed = ({ body }: Received): Outcome => ({
  value: {
    jobs: jobs
      .filter(
        ({ status }) => body['skip_finished'] !== true || /^(RUNNING|STARTING|RECOVERING)$/.test(status),
      )
      .filter(({ name }) => name.includes((body['name_match'] as string | undefined) ?? ''))
      .map(({ id, name, status }) => ({ job_id: id, job_name: name, status })),
  },
});

beforeEach(async () => {
  jobs = [];
  outcomes = { '/status': () => ({ value: [] }), '/jobs/queue/v2': listed };
  server = new SkyPilotServer((received) => outcomes[received.path]?.(received) ?? { value: null });
  server.users.add(mark);
  endpoint = await server.start();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-managed-'));
  running('i-1');
  // A bucket that is a folder, and instances as a file says.
  const script = `#!/bin/sh
set -eu
bucket=${folder}/bucket
mkdir -p $bucket
at() { echo "$bucket/$(echo "\${1#s3://data/}" | tr / _)"; }
case "$1 $2" in
'ec2 describe-instances') case "$*" in *AvailabilityZone*) echo '["us-west-2a"]' ;; *) cat ${folder}/running ;; esac ;;
's3 cp') if [ "$3" = - ]; then cat >${folder}/new; mv ${folder}/new "$(at "$4")"; else cat "$(at "$3")"; fi ;;
's3 rm') rm -f "$(at "$3")" ;;
's3api list-objects-v2') printf '['; first=1
  for file in "$bucket"/*; do
    key=$(basename "$file")
    case "$key" in "$(echo "$6" | tr / _)"*) [ $first = 1 ] || printf ','; first=0; printf '"%s"' "$key" ;; esac
  done; printf ']' ;;
*) echo "unexpected: $*" >&2; exit 1 ;;
esac
`;
  fs.writeFileSync(path.join(folder, 'aws'), script, { mode: 0o755 });
});
afterEach(async () => {
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});

/** Ids of the instances that AWS runs. */
function running(...ids: string[]): void {
  fs.writeFileSync(path.join(folder, 'running'), JSON.stringify(ids));
}

const objectFile = (objectKey: string): string => path.join(folder, 'bucket', objectKey.replaceAll('/', '_'));

/** The order that an incarnation has in the bucket. */
function orderOf(incarnation: string): Order | undefined {
  const file = objectFile(`fleets/sensors/orders/${incarnation}.json`);
  return fs.existsSync(file) ? (JSON.parse(fs.readFileSync(file, 'utf8')) as Order) : undefined;
}

/** Has an instance report that it has carried out an order. */
function report(incarnation: string, order: string, instanceId: string, said: Partial<Report> = {}): void {
  const file = objectFile(`fleets/sensors/health/orders/${incarnation}/${order}/${instanceId}.json`);
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, JSON.stringify({ instanceId, order, exitCode: 0, output: '', tail: [], ...said }));
}
interface Report {
  exitCode: number;
  output: string;
  tail: string[];
}

const nodeLine = (incarnation: string, instanceId: string): string =>
  `SKYFLEET_NODE ${JSON.stringify(standingNode(incarnation, instanceId))}`;

const submission = (changes: Partial<Submission> = {}): Submission => ({
  incarnation: 'sensors-0-aaaa',
  requestId: 'request-1',
  retiring: [],
  generation: 1,
  managed: ['sensors-0-aaaa'],
  order: 'first',
  ...changes,
});

const run = (line: string, extra: Record<string, string>): ReturnType<typeof runLine> =>
  runLine(line, { ...placeEnvironment(folder, endpoint), ...extra });

describe('submit', () => {
  const spec = { ...machine, managed: true };
  const submit = (extra: Record<string, string> = {}): ReturnType<typeof runLine> =>
    run('node --import tsx deployment/operator/commands/submit.ts', {
      SKYFLEET_GENERATION: '2',
      SKYFLEET_SERVING: '',
      SKYFLEET_STRATEGY: 'create-first',
      SKYFLEET_RECOVERY: 'managed',
      SKYFLEET_MACHINE: key,
      SKYFLEET_FILES: filesFingerprint(files),
      SKYFLEET_DELETE_PROGRAM: deleteProgramFingerprint(),
      SKYFLEET_TASK: toYaml(renderTask('sensors-0', spec, {})),
      SKYFLEET_SKYPILOT_CONFIG: toYaml(renderSkyConfig(placement, {})),
      SKYFLEET_NODE: '{"place":"sensors-0"}\n',
      ...extra,
    });
  const recorded = (changes: Partial<Submission> = {}): Record<string, string> =>
    submitted(submission(changes));

  test('submits a managed job whose nodes stay and follow orders, under a name that says whose it is', async () => {
    const { stdout, stderr } = await submit();
    expect(stderr).toBe('');
    const submitted = JSON.parse(stdout) as Submission;
    expect(submitted).toMatchObject({ retiring: [], managed: [submitted.incarnation], generation: 2 });
    const [job] = server.received.filter(({ path }) => path === '/jobs/launch').map(({ body }) => body);
    expect(job?.['name']).toBe(`${submitted.incarnation}-${stackMark(stack)}-${key}`);
    expect(parse(job?.['task'] as string)).toMatchObject({
      name: job?.['name'],
      run: expect.stringContaining('follow_orders.py') as string,
      resources: { job_recovery: { strategy: 'FAILOVER' } },
      envs: { SKYFLEET_PHASE: 'full', SKYFLEET_ORDER: submitted.order },
    });
    expect(orderOf(submitted.incarnation)).toBeUndefined();
  });

  test('orders the nodes of a job that is there to bring themselves up to date, and submits nothing', async () => {
    jobs = [{ id: 1, name: nameOf('sensors-0-aaaa'), status: 'RUNNING' }];
    const submitted = JSON.parse((await submit(recorded())).stdout) as Submission;
    expect(submitted).toMatchObject({ incarnation: 'sensors-0-aaaa', requestId: '', generation: 2 });
    expect(submitted.order).not.toBe('first');
    expect(orderOf('sensors-0-aaaa')).toEqual({
      order: submitted.order,
      part: 'run',
      phase: 'full',
      files: { ...files, 'node.json': '{"place":"sensors-0"}\n' },
    });
    expect(server.paths).not.toContain('/jobs/launch');
  });

  test('joins a job that nobody recorded, also before it has an instance', async () => {
    jobs = [{ id: 1, name: nameOf('sensors-0-bbbb'), status: 'STARTING' }];
    running();
    expect(JSON.parse((await submit()).stdout)).toMatchObject({ incarnation: 'sensors-0-bbbb' });
    expect(server.paths).not.toContain('/jobs/launch');
  });

  test('lets a job with other machines stand by while the old one serves', async () => {
    jobs = [{ id: 1, name: nameOf('sensors-0-aaaa', otherKey), status: 'RUNNING' }];
    const { stdout } = await submit({ ...recorded(), SKYFLEET_SERVING: 'sensors-0-aaaa' });
    const submitted = JSON.parse(stdout) as Submission;
    expect(submitted).toMatchObject({
      retiring: ['sensors-0-aaaa'],
      managed: [submitted.incarnation, 'sensors-0-aaaa'],
    });
    const job = server.received.find(({ path }) => path === '/jobs/launch')?.body;
    expect(parse(job?.['task'] as string)).toMatchObject({ envs: { SKYFLEET_PHASE: 'standby' } });
    expect(server.paths).not.toContain('/jobs/cancel');
  });

  test('replaces a managed job by a cluster where the fleet leaves recovery to up', async () => {
    jobs = [{ id: 1, name: nameOf('sensors-0-aaaa', otherKey), status: 'RUNNING' }];
    const { stdout } = await submit({
      ...recorded(),
      SKYFLEET_RECOVERY: 'up',
      SKYFLEET_SERVING: 'sensors-0-aaaa',
    });
    const submitted = JSON.parse(stdout) as Submission;
    expect(submitted).toMatchObject({ retiring: ['sensors-0-aaaa'], managed: ['sensors-0-aaaa'] });
    expect(submitted.order).toBeUndefined();
    expect(server.paths).toContain('/launch');
  });

  test('refuses a place that another stack has with a managed job', async () => {
    const name = managedJobName('sensors-0-cccc', { stack: 'org/skyfleet/prod', machine: key });
    jobs = [{ id: 1, name, status: 'RUNNING' }];
    const { code, stderr } = await submit();
    expect(code).toBe(1);
    expect(stderr).toContain('place sensors-0 is claimed by another stack');
    expect(server.paths).not.toContain('/jobs/launch');
  });
});

describe('wait', () => {
  const wait = (changes: Partial<Submission> = {}): ReturnType<typeof runLine> =>
    run('node --import tsx deployment/operator/commands/wait.ts', {
      SKYFLEET_SUBMISSION: JSON.stringify(submission(changes)),
      SKYFLEET_TAGS: '{}',
      SKYFLEET_NODES: '2',
    });
  beforeEach(async () => {
    outcomes['/jobs/launch'] = () => ({ value: { job_id: 1 } });
    await fetch(`${endpoint}/jobs/launch`, { method: 'POST', body: '{}' });
    jobs = [{ id: 1, name: nameOf('sensors-0-aaaa'), status: 'RUNNING' }];
    running('i-1', 'i-2');
  });

  test('is over when every node has carried out the order, and gives what they are', async () => {
    report('sensors-0-aaaa', 'first', 'i-1', { output: nodeLine('sensors-0-aaaa', 'i-1') });
    report('sensors-0-aaaa', 'first', 'i-2', { output: nodeLine('sensors-0-aaaa-1', 'i-2') });
    // What an instance has reported that is gone counts no more.
    report('sensors-0-aaaa', 'first', 'i-0', { exitCode: 1 });
    const { stdout, stderr } = await wait();
    expect(stderr).toBe('');
    const { nodes } = JSON.parse(stdout) as { nodes: { instanceId: string }[] };
    expect(nodes.map(({ instanceId }) => instanceId)).toEqual(['i-1', 'i-2']);
  });

  test('fails with what a node says of the order that it could not carry out', async () => {
    report('sensors-0-aaaa', 'first', 'i-1', { exitCode: 1, tail: ['cannot fetch the image'] });
    const { code, stderr } = await wait();
    expect(code).toBe(1);
    expect(stderr).toContain('run on instance i-1 of cluster sensors-0-aaaa ended with exit code 1');
    expect(stderr).toContain('cannot fetch the image');
  });

  test('fails with what SkyPilot says where the job has ended', async () => {
    jobs = [{ id: 1, name: nameOf('sensors-0-aaaa'), status: 'FAILED_NO_RESOURCE' }];
    server.logs = 'no machine to be had\n';
    const { code, stderr } = await wait();
    expect(code).toBe(1);
    expect(stderr).toContain('ended as FAILED_NO_RESOURCE');
    expect(stderr).toContain('no machine to be had');
    expect(stderr).toContain('sky jobs logs --controller 1');
  });

  test('says at the time limit which instances have not answered', async () => {
    report('sensors-0-aaaa', 'first', 'i-1');
    const { code, stderr } = await run('node --import tsx deployment/operator/commands/wait.ts', {
      SKYFLEET_SUBMISSION: JSON.stringify(submission()),
      SKYFLEET_TAGS: '{}',
      SKYFLEET_NODES: '2',
      SKYFLEET_LAUNCH_MINUTES: '0.01',
    });
    expect(code).toBe(1);
    expect(stderr).toContain('at the time limit instance i-2 has not carried out run');
  });

  test('has the old nodes stand down before the new ones take over, then ends the old job', async () => {
    jobs.push({ id: 0, name: nameOf('sensors-0-oldd', otherKey), status: 'RUNNING' });
    for (const id of ['i-1', 'i-2']) report('sensors-0-aaaa', 'first', id, { output: 'SKYFLEET_STANDBY {}' });
    outcomes['/jobs/cancel'] = () => {
      jobs = jobs.filter(({ id }) => id !== 0);
      running();
      return { value: null };
    };
    // Plays the nodes: whatever is ordered is carried out, once.
    const carriedOut: string[] = [];
    const nodes = setInterval(() => {
      for (const incarnation of ['sensors-0-oldd', 'sensors-0-aaaa']) {
        const order = orderOf(incarnation);
        if (order === undefined || carriedOut.some((done) => done.endsWith(order.order))) continue;
        carriedOut.push(`${incarnation} ${order.part} ${order.order}`);
        report(incarnation, order.order, 'i-1', { output: nodeLine('sensors-0-aaaa', 'i-1') });
        report(incarnation, order.order, 'i-2', { output: nodeLine('sensors-0-aaaa-1', 'i-2') });
      }
    }, 50);
    const { stdout, stderr } = await wait({
      retiring: ['sensors-0-oldd'],
      managed: ['sensors-0-aaaa', 'sensors-0-oldd'],
    });
    clearInterval(nodes);
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({ incarnation: 'sensors-0-aaaa' });
    expect(carriedOut.map((done) => done.replace(/ \w+$/, ''))).toEqual([
      'sensors-0-oldd stand-down',
      'sensors-0-aaaa run',
    ]);
    expect(server.received.find(({ path }) => path === '/jobs/cancel')?.body['job_ids']).toEqual([0]);
    expect(orderOf('sensors-0-oldd')).toBeUndefined();
  });
});

test('delete ends the job by its incarnation and takes its orders away', async () => {
  jobs = [
    { id: 1, name: nameOf('sensors-0-aaaa'), status: 'RECOVERING' },
    { id: 2, name: nameOf('sensors-0-bbbb'), status: 'RUNNING' },
  ];
  fs.mkdirSync(path.join(folder, 'bucket'));
  fs.writeFileSync(objectFile('fleets/sensors/orders/sensors-0-aaaa.json'), '{}');
  running();
  const { code, stderr } = await run(deleteCommand, submitted(submission()));
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(server.received.find(({ path }) => path === '/jobs/cancel')?.body['job_ids']).toEqual([1]);
  expect(server.paths).not.toContain('/down');
  expect(orderOf('sensors-0-aaaa')).toBeUndefined();
});

test("release ends whatever managed job is the stack's", async () => {
  const foreign = managedJobName('sensors-0-cccc', { stack: 'org/skyfleet/prod', machine: key });
  jobs = [
    { id: 1, name: nameOf('sensors-0-lost'), status: 'STARTING' },
    { id: 2, name: foreign, status: 'RUNNING' },
    { id: 3, name: 'training', status: 'RUNNING' },
  ];
  running();
  const { code, stderr } = await run(releaseCommand(), {
    PULUMI_COMMAND_STDOUT: JSON.stringify({ mark }),
  });
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(server.received.find(({ path }) => path === '/jobs/cancel')?.body['job_ids']).toEqual([1]);
});

describe('a submission that was not followed to its end', () => {
  const state = (changes: Partial<Submission>, ...exitCodes: number[]): ReturnType<typeof launchState> =>
    launchState(
      new SkyPilot({ endpoint }, { id: 'u', name: 'u' }),
      submission({ requestId: '', ...changes }),
      {
        stack,
        reports: () => Promise.resolve(exitCodes.map((exitCode) => ({ exitCode }))),
      },
    );

  test('is under way while its job runs and no node has failed', async () => {
    jobs = [{ id: 1, name: nameOf('sensors-0-aaaa'), status: 'RUNNING' }];
    expect(await state({}, 0)).toBe('under way');
  });

  test('has failed where a node has, and where its job has ended', async () => {
    jobs = [{ id: 1, name: nameOf('sensors-0-aaaa'), status: 'RUNNING' }];
    expect(await state({}, 0, 1)).toBe('failed');
    jobs = [{ id: 1, name: nameOf('sensors-0-aaaa'), status: 'CANCELLED' }];
    expect(await state({})).toBe('failed');
    jobs = [];
    expect(await state({})).toBe('failed');
  });

  test('has failed where its request is unknown to the server', async () => {
    expect(await state({ requestId: 'unheard' })).toBe('failed');
  });
});

test('a managed job is known by its name alone', () => {
  const job = { id: 7, name: nameOf('sensors-0-aaaa'), status: 'RUNNING' };
  const place = { stack, place: 'sensors-0' };
  expect(jobsAsClusters([job], place)).toMatchObject([{ name: 'sensors-0-aaaa', launched_at: 7 }]);
  expect(jobsAsClusters([job], { ...place, place: 'sensors-1' })).toEqual([]);
  expect(jobsAsClusters([job], { ...place, stack: 'org/skyfleet/prod' })).toEqual([]);
  expect(jobsAsClusters([{ ...job, name: 'sensors-0-aaaa' }], place)).toEqual([]);
  expect(foreignJobs([job], stack, ['sensors-0'])).toEqual([]);
  expect(foreignJobs([job], 'org/skyfleet/prod', ['sensors-0', 'x-0'])).toHaveLength(1);
});
