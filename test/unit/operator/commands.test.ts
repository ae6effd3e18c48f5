import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { bundleText } from '../../../deployment/operator/bundles';
import { readNodeFiles } from '../../../deployment/operator/node-files';
import { filesFingerprint, fileVariable } from '../../../deployment/operator/shipped-files';
import { labelKeys } from '../../../deployment/operator/incarnation';
import {
  deleteCommand,
  deleteProgramFingerprint,
  releaseCommand,
} from '../../../deployment/operator/stored-program';
import { renderSkyConfig, renderTask, toYaml } from '../../../deployment/operator/task';
import { mark, placeEnvironment, runLine, submitted } from './command-line';
import { machine, placement } from './fixtures';
import { SkyPilotServer, type Outcome, type Received } from './skypilot-server';

const token = 'planted/token+with=signs';
const labels = {
  [labelKeys.stack]: 'org/skyfleet/dev',
  [labelKeys.place]: 'sensors-0',
  [labelKeys.machine]: 'm1',
};
const cluster = { name: 'sensors-0-aaaa', status: 'UP', labels, launched_at: 1, nodes: 1 };
const report = {
  instanceId: 'i-1',
  zone: 'us-west-2a',
  region: 'us-west-2',
  privateIp: '10.0.0.4',
  publicIp: '54.0.0.1',
  nodeName: 'sensors-0-aaaa',
  ordinal: 7,
  sensorId: 'SENSOR_WA_SEA_0007',
};

const launchVariables = {
  SKYFLEET_TASK: toYaml(renderTask('sensors-0', machine, labels)),
  SKYFLEET_SKYPILOT_CONFIG: toYaml(renderSkyConfig(placement, labels)),
  SKYFLEET_NODE: '{"stack":"org/skyfleet/dev"}\n',
};
const files = readNodeFiles();

let server: SkyPilotServer;
let endpoint: string;
let folder: string;
let outcomes: Record<string, (received: Received) => Outcome | Promise<Outcome>>;

beforeEach(async () => {
  // Without managed jobs.
  outcomes = { '/jobs/queue/v2': () => ({ value: { jobs: [] } }) };
  server = new SkyPilotServer((received) => outcomes[received.path]?.(received) ?? { value: null });
  server.users.add(mark);
  endpoint = await server.start();
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-commands-'));
});
afterEach(async () => {
  await server.stop();
  fs.rmSync(folder, { recursive: true });
});

/** An `aws` on the PATH that answers each call with the next of the given texts. */
function awsAnswers(...answers: string[]): void {
  answers.forEach((answer, index) => fs.writeFileSync(path.join(folder, `answer-${index}`), answer));
  const script = `#!/bin/sh\nn=$(cat ${folder}/calls 2>/dev/null | wc -l)\necho "$*" >> ${folder}/calls\ncat ${folder}/answer-$n\n`;
  fs.writeFileSync(path.join(folder, 'aws'), script, { mode: 0o755 });
}

const run = (
  command: string,
  environment: Record<string, string>,
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> =>
  runLine(command, { ...placeEnvironment(folder, endpoint), ...environment }, input);

describe('submit', () => {
  const environment = {
    SKYFLEET_GENERATION: '2',
    SKYFLEET_SERVING: '',
    SKYFLEET_STRATEGY: 'create-first',
    SKYFLEET_RECOVERY: 'up',
    SKYFLEET_MACHINE: 'm1',
    SKYFLEET_FILES: filesFingerprint(files),
    SKYFLEET_DELETE_PROGRAM: deleteProgramFingerprint(),
    SKYFLEET_ORCHESTRATOR_TOKEN: token,
    ...launchVariables,
  };
  const submit = (extra: Record<string, string> = {}) =>
    run('node --import tsx deployment/operator/commands/submit.ts', { ...environment, ...extra });
  const recorded = (submission: Record<string, unknown>): Record<string, string> =>
    submitted({
      incarnation: 'sensors-0-aaaa',
      requestId: 'r',
      retiring: [],
      generation: 1,
      ...submission,
    });
  /** The launches that were sent, with the task of each. */
  const launches = () =>
    server.received
      .filter(({ path }) => path === '/launch')
      .map(({ body }) => ({ ...body, task: parse(body['task'] as string) as Record<string, unknown> }));

  test('schedules a launch with the files and the name of the incarnation, and tells SkyPilot no token', async () => {
    outcomes['/status'] = () => ({ value: [] });
    const { code, stdout, stderr } = await submit();
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const { program, ...submission } = JSON.parse(stdout) as Record<string, string>;
    expect(program).toBe(bundleText('delete'));
    expect(submission).toEqual({
      incarnation: expect.stringMatching(/^sensors-0-\w{4}$/) as string,
      requestId: 'request-2',
      retiring: [],
      generation: 2,
    });

    const [launch] = launches();
    expect(launch?.task).toMatchObject({
      num_nodes: 1,
      envs: { SKYFLEET_INCARNATION: submission['incarnation'], SKYFLEET_PHASE: 'full' },
      resources: { labels: { ...labels, [labelKeys.incarnation]: submission['incarnation'] } },
    });
    for (const text of [files['scripts/run.sh'], launchVariables.SKYFLEET_NODE])
      expect(launch?.task['setup']).toContain(text);
    expect(JSON.stringify(server.received)).not.toContain(token);
    expect(launch).toMatchObject({
      resize: false,
      override_skypilot_config: {
        aws: { vpc_names: ['fleet-vpc'], labels: { [labelKeys.incarnation]: submission['incarnation'] } },
      },
    });
  });

  test('launches the cluster that is there again, by its name', async () => {
    outcomes['/status'] = () => ({ value: [cluster] });
    awsAnswers('["us-west-2a"]');
    const { stdout } = await submit(recorded({}));
    expect(JSON.parse(stdout)).toMatchObject({ incarnation: 'sensors-0-aaaa', retiring: [], generation: 2 });
    expect(launches()).toMatchObject([{ cluster_name: 'sensors-0-aaaa', resize: false }]);
  });

  test('asks nothing of the server for a generation that it has submitted before', async () => {
    const before = recorded({ generation: 2 });
    const { stdout } = await submit(before);
    expect(stdout).toBe(before['PULUMI_COMMAND_STDOUT']);
    expect(server.received).toEqual([]);
  });

  test('lets SkyPilot grow a cluster', async () => {
    outcomes['/status'] = () => ({ value: [cluster] });
    awsAnswers('["us-west-2a"]');
    await submit({ ...recorded({}), SKYFLEET_NODES: '2' });
    expect(launches()).toMatchObject([{ cluster_name: 'sensors-0-aaaa', resize: true, no_setup: false }]);
  });

  test('lets SkyPilot shrink a cluster first, and sets it up once the nodes that have ended are missed', async () => {
    outcomes['/status'] = () => ({ value: [{ ...cluster, nodes: 3 }] });
    awsAnswers('["us-west-2a","us-west-2a","us-west-2a"]');
    const { stdout } = await submit({ ...recorded({}), SKYFLEET_MISSED_SECONDS: '0.1' });
    const [first, second] = launches();
    expect(first).toMatchObject({ cluster_name: 'sensors-0-aaaa', resize: true, no_setup: true });
    expect(Object.keys(first?.task ?? {})).toEqual(['name', 'num_nodes', 'resources']);
    expect(second).toMatchObject({ cluster_name: 'sensors-0-aaaa', resize: false, no_setup: false });
    expect(second?.task).toHaveProperty('setup');
    expect(JSON.parse(stdout)).toMatchObject({ requestId: 'request-3' });
  });

  test('lets a new cluster stand by while the old one serves', async () => {
    outcomes['/status'] = () => ({ value: [cluster] });
    const { stdout } = await submit({
      ...recorded({}),
      SKYFLEET_MACHINE: 'm2',
      SKYFLEET_SERVING: 'sensors-0-aaaa',
    });
    expect(JSON.parse(stdout)).toMatchObject({ retiring: ['sensors-0-aaaa'] });
    expect(launches()).toMatchObject([{ task: { envs: { SKYFLEET_PHASE: 'standby' } } }]);
    expect(server.paths).not.toContain('/down');
  });

  test('ends the old cluster first where that is the strategy', async () => {
    outcomes['/status'] = () => ({ value: [cluster] });
    awsAnswers('[]');
    const { stdout } = await submit({
      ...recorded({}),
      SKYFLEET_MACHINE: 'm2',
      SKYFLEET_SERVING: 'sensors-0-aaaa',
      SKYFLEET_STRATEGY: 'delete-first',
    });
    expect(JSON.parse(stdout)).toMatchObject({ retiring: [] });
    expect(server.paths).toEqual(['/status', '/down', '/launch']);
    expect(launches()).toMatchObject([{ task: { envs: { SKYFLEET_PHASE: 'full' } } }]);
  });

  test('takes a change back: the cluster that serves stays, and what is left of the try goes first', async () => {
    const tried = { ...cluster, name: 'sensors-0-bbbb', labels: { ...labels, [labelKeys.machine]: 'm2' } };
    outcomes['/status'] = () => ({ value: [cluster, tried] });
    awsAnswers('["us-west-2a"]', '[]');
    const { stdout } = await submit({
      ...recorded({ incarnation: 'sensors-0-bbbb', retiring: ['sensors-0-aaaa'] }),
      SKYFLEET_SERVING: 'sensors-0-aaaa',
    });
    expect(JSON.parse(stdout)).toMatchObject({ incarnation: 'sensors-0-aaaa', retiring: [] });
    expect(server.received.find(({ path }) => path === '/down')?.body['cluster_name']).toBe('sensors-0-bbbb');
    expect(launches()).toMatchObject([{ task: { envs: { SKYFLEET_PHASE: 'full' } } }]);
  });

  test('waits for a launch of the place that nobody recorded, instead of starting a second one', async () => {
    await fetch(`${endpoint}/launch`, { method: 'POST', body: '{}' });
    server.active = [{ request_id: 'request-1', name: 'sky.launch', cluster_name: 'sensors-0-aaaa' }];
    outcomes['/status'] = () => ({ value: [cluster] });
    awsAnswers('["us-west-2a"]');
    const { stdout } = await submit();
    expect(JSON.parse(stdout)).toMatchObject({ incarnation: 'sensors-0-aaaa' });
  });

  test('replaces a cluster that stands in a zone which is not allowed any more', async () => {
    outcomes['/status'] = () => ({ value: [cluster] });
    awsAnswers('["us-west-2c"]');
    const { stdout } = await submit({ ...recorded({}), SKYFLEET_SERVING: 'sensors-0-aaaa' });
    expect(JSON.parse(stdout)).toMatchObject({ retiring: ['sensors-0-aaaa'] });
    expect(launches()).toMatchObject([{ task: { envs: { SKYFLEET_PHASE: 'standby' } } }]);
  });

  test('refuses a place that another stack has on the same server', async () => {
    const foreign = { ...cluster, labels: { ...labels, [labelKeys.stack]: 'org/skyfleet/prod' } };
    outcomes['/status'] = () => ({ value: [foreign] });
    const { code, stderr } = await submit();
    expect(code).toBe(1);
    expect(stderr).toContain(
      'place sensors-0 is claimed by stack org/skyfleet/prod on the same SkyPilot server, with cluster sensors-0-aaaa',
    );
    expect(launches()).toEqual([]);
  });

  test('has a submission of a version that printed no program carry one, and asks nothing for that', async () => {
    const before = { incarnation: 'sensors-0-aaaa', requestId: 'r', retiring: [], generation: 2 };
    const { stdout } = await submit({ PULUMI_COMMAND_STDOUT: JSON.stringify(before) });
    expect(JSON.parse(stdout)).toEqual({ ...before, program: bundleText('delete') });
    expect(server.received).toEqual([]);
  });

  test.each([
    ['ships no file that the preview has not shown', 'SKYFLEET_FILES', 'the files below deployment/node/'],
    [
      'gives the place no other program to be deleted by than the one that the preview went by',
      'SKYFLEET_DELETE_PROGRAM',
      'the programs below deployment/operator/',
    ],
  ])('%s', async (_, variable, what) => {
    const { code, stderr } = await submit({ [variable]: 'other' });
    expect(code).toBe(1);
    expect(stderr).toContain(`${what} have changed since pulumi read them`);
    expect(server.received).toEqual([]);
  });

  test('touches nothing where the server is too old', async () => {
    server.health = { status: 'healthy', api_version: '24' };
    const { code, stderr } = await submit();
    expect(code).toBe(1);
    expect(stderr).toContain('sensors-0: The SkyPilot server at');
    expect(server.paths).toEqual([]);
  });
});

describe('files', () => {
  const shown = Object.fromEntries(Object.entries(files).map(([file, text]) => [fileVariable(file), text]));
  const check = (variables: Record<string, string>) =>
    run('node --import tsx deployment/operator/commands/files.ts', variables);

  test('gives the fingerprint of the files that the preview has shown', async () => {
    const { code, stdout } = await check(shown);
    expect({ code, stdout }).toEqual({ code: 0, stdout: JSON.stringify({ files: filesFingerprint(files) }) });
  });

  test('names a file that has changed since', async () => {
    const { code, stderr } = await check({ ...shown, [fileVariable('scripts/run.sh')]: 'other\n' });
    expect(code).toBe(1);
    expect(stderr).toContain('scripts/run.sh below deployment/node/ changed while pulumi was running');
  });
});

describe("the stack's own server", () => {
  const claim = (recorded?: Record<string, string>) =>
    run('node --import tsx deployment/operator/commands/claim.ts', {
      ...(recorded === undefined ? {} : { PULUMI_COMMAND_STDOUT: JSON.stringify(recorded) }),
    });

  test('gets a mark in its list of users, by which it is known again', async () => {
    const first = await claim();
    expect(first).toMatchObject({ code: 0, stderr: '' });
    const identity = JSON.parse(first.stdout) as { mark: string };
    expect(server.users).toContain(identity.mark);
    expect(await claim(identity)).toMatchObject({ code: 0, stdout: first.stdout });
  });

  test('is known by its address where it has a login, and followed when it moves with its clusters', async () => {
    server.health = { ...server.health, user: { id: 'u', name: 'alice' } };
    expect(JSON.parse((await claim()).stdout)).toEqual({ address: endpoint });
    outcomes['/status'] = () => ({ value: [cluster] });
    expect(JSON.parse((await claim({ address: 'https://old.example.com' })).stdout)).toEqual({
      address: endpoint,
    });
    outcomes['/status'] = () => ({ value: [] });
    const { code, stderr } = await claim({ address: 'https://old.example.com' });
    expect(code).toBe(1);
    expect(stderr).toContain('The SkyPilot server at http://127.0.0.1');
    expect(stderr).toContain('which is the one at https://old.example.com');
  });

  test('is left without a trace of the stack when that is destroyed, also where only part of it is left', async () => {
    const identity = JSON.parse((await claim()).stdout) as { mark: string };
    const release = () => run(releaseCommand(), { PULUMI_COMMAND_STDOUT: JSON.stringify(identity) });
    const stray = { ...cluster, name: 'sensors-0-lost' };
    outcomes['/status'] = () => ({ value: [stray, { ...stray, name: 'other', labels: null }] });
    awsAnswers('[]');
    expect(await release()).toMatchObject({ code: 0, stderr: '' });
    const down = server.received.filter(({ path }) => path === '/down');
    expect(down.map(({ body }) => body['cluster_name'])).toEqual(['sensors-0-lost']);
    expect([...server.users]).toEqual([mark]);
    expect(await release()).toMatchObject({ code: 0, stderr: '' });
  });

  test.each(['submit', 'wait', 'delete'] as const)(
    '%s refuses another one and asks nothing of it',
    async (command) => {
      server.users.clear();
      const program =
        command === 'delete' ? deleteCommand : `node --import tsx deployment/operator/commands/${command}.ts`;
      const submission = { incarnation: 'sensors-0-aaaa', requestId: 'r', retiring: [], generation: 1 };
      const { code, stderr } = await run(program, {
        SKYFLEET_GENERATION: '2',
        SKYFLEET_SUBMISSION: JSON.stringify(submission),
        SKYFLEET_DELETE_PROGRAM: deleteProgramFingerprint(),
        ...submitted(submission),
      });
      expect(code).toBe(1);
      expect(stderr).toContain(
        `is not the one that stack org/skyfleet/dev belongs to, which is the one that holds its mark ${mark}`,
      );
      expect(stderr).toContain(
        'Set skyfleet:skypilot.endpoint to the server that the stack was brought up with',
      );
      expect(server.received).toEqual([]);
    },
  );
});

describe('wait', () => {
  const wait = (submission: Record<string, unknown>, extra: Record<string, string> = {}) =>
    run('node --import tsx deployment/operator/commands/wait.ts', {
      SKYFLEET_SUBMISSION: JSON.stringify({
        incarnation: 'sensors-0-aaaa',
        requestId: 'request-1',
        retiring: [],
        generation: 1,
        ...submission,
      }),
      SKYFLEET_TAGS: '{"team":"sensors"}',
      ...extra,
    });
  const scheduleLaunch = async (outcome: Outcome): Promise<void> => {
    outcomes['/launch'] = () => outcome;
    await fetch(`${endpoint}/launch`, { method: 'POST', body: '{}' });
  };

  test('gives back what the nodes report, whatever stands before it in the line', async () => {
    await scheduleLaunch({ value: { job_id: 3 } });
    outcomes['/job_status'] = () => ({ value: { 3: 'SUCCEEDED' } });
    server.logs = `(worker1, rank=1, pid=9) SKYFLEET_NODE ${JSON.stringify({ ...report, ordinal: 8 })}\n(head, rank=0, pid=8) SKYFLEET_NODE ${JSON.stringify(report)}\n`;
    const { code, stdout } = await wait({}, { SKYFLEET_NODES: '2' });
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual({
      incarnation: 'sensors-0-aaaa',
      generation: 1,
      nodes: [report, { ...report, ordinal: 8 }],
      tags: ['team'],
    });
  });

  test('does not follow again what it has followed to its end, whatever SkyPilot still knows of it', async () => {
    const before = { incarnation: 'sensors-0-aaaa', generation: 1, nodes: [report], tags: ['team'] };
    const extra = { PULUMI_COMMAND_STDOUT: JSON.stringify(before), SKYFLEET_LAUNCH_MINUTES: '7' };
    // Tags are still held to the configuration.
    awsAnswers('[]', '[]');
    const { code, stdout } = await wait({ retiring: ['sensors-0-old1'] }, extra);
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toEqual(before);
    expect(server.received).toEqual([]);
    const next = await wait({ generation: 2 }, extra);
    expect(next.stderr).toContain('RequestNotFound');
  });

  test('says which cluster failed to launch, why, and what to do', async () => {
    await scheduleLaunch({ error: { type: 'ResourcesUnavailableError', message: 'no spot capacity' } });
    server.logs = 'trying us-west-2a\n';
    const { code, stderr } = await wait({});
    expect(code).toBe(1);
    expect(stderr).toBe(
      'sensors-0: launching cluster sensors-0-aaaa failed (ResourcesUnavailableError): no spot capacity\n' +
        'trying us-west-2a\nSee the whole log with: sky api logs request-1; then run pulumi up again\n',
    );
  });

  test.each([
    ['its own', 1, '[["i-1", "running", null]]'],
    [
      'one that was there before',
      2,
      '[["i-1", "running", null], ["i-0", "terminated", "Server.SpotInstanceTermination"]]',
    ],
  ])(
    'ends a launch where AWS takes %s, so that the next up does not follow it',
    async (_, generation, then) => {
      let end: (outcome: Outcome) => void = () => undefined;
      outcomes['/launch'] = () => new Promise<Outcome>((resolve) => (end = resolve));
      outcomes['/api/cancel'] = () => {
        end('cancelled');
        return { value: null };
      };
      await fetch(`${endpoint}/launch`, { method: 'POST', body: '{}' });
      awsAnswers(then, '[["i-1", "shutting-down", "Server.SpotInstanceTermination"]]');
      const { code, stderr } = await wait({ generation }, { SKYFLEET_LOOK_SECONDS: '0.2' });
      expect(code).toBe(1);
      expect(stderr).toBe(
        'sensors-0: AWS has taken i-1 of cluster sensors-0-aaaa while it was being brought up; run pulumi up again, which launches it again\n',
      );
      expect(server.received.at(-1)).toMatchObject({
        path: '/api/cancel',
        body: { request_ids: ['request-1'] },
      });
    },
  );

  test('follows a launch whose instances cannot be seen', async () => {
    let end: (outcome: Outcome) => void = () => undefined;
    outcomes['/launch'] = () => new Promise<Outcome>((resolve) => (end = resolve));
    await fetch(`${endpoint}/launch`, { method: 'POST', body: '{}' });
    fs.writeFileSync(path.join(folder, 'aws'), '#!/bin/sh\necho denied >&2\nexit 254\n', { mode: 0o755 });
    setTimeout(() => end({ error: { type: 'X', message: 'the launch itself' } }), 2000);
    const { stderr } = await wait({}, { SKYFLEET_LOOK_SECONDS: '0.2' });
    expect(stderr).toContain('launching cluster sensors-0-aaaa failed (X): the launch itself');
  });

  test('shows the last lines of a failed setup, without the token', async () => {
    await scheduleLaunch({ value: { job_id: 3 } });
    const states = ['PENDING', 'SETTING_UP', 'FAILED_SETUP'];
    outcomes['/job_status'] = () => ({ value: { 3: states.shift() ?? 'FAILED_SETUP' } });
    server.logs = `joining with ${token} and ${Buffer.from(token).toString('base64')}\nno such image\n`;
    const { code, stderr } = await wait({}, { SKYFLEET_ORCHESTRATOR_TOKEN: token });
    expect(code).toBe(1);
    expect(stderr).toContain('setting up on the nodes of cluster sensors-0-aaaa ended as FAILED_SETUP');
    expect(stderr).toContain('joining with [secret] and [secret]\nno such image\n');
  });

  test('ends a job at the time limit, so that the next up does not follow it again', async () => {
    await scheduleLaunch({ value: { job_id: 3 } });
    outcomes['/job_status'] = () => ({ value: { 3: 'SETTING_UP' } });
    const { code, stderr } = await wait({}, { SKYFLEET_LAUNCH_MINUTES: '0.01' });
    expect(code).toBe(1);
    expect(stderr).toContain('ended as still SETTING_UP at the time limit');
    const cancelled = server.received.find(({ path }) => path === '/cancel');
    expect(cancelled?.body).toMatchObject({ cluster_name: 'sensors-0-aaaa', job_ids: [3] });
  });

  test('does not take a cluster for ready that reports fewer nodes', async () => {
    await scheduleLaunch({ value: { job_id: 3 } });
    outcomes['/job_status'] = () => ({ value: { 3: 'SUCCEEDED' } });
    const { code, stderr } = await wait({});
    expect(code).toBe(1);
    expect(stderr).toContain('reported 0 nodes instead of 1');
  });

  describe('where the cluster replaces another', () => {
    const old = { retiring: ['sensors-0-old1'] };
    /** What is run on nodes that are there, as `cluster: part`. */
    const executed = () =>
      server.received
        .filter(({ path }) => path === '/exec')
        .map(
          ({ body }) =>
            `${String(body['cluster_name'])}: ${(parse(String(body['task'])) as { name: string }).name}`,
        );

    beforeEach(async () => {
      await scheduleLaunch({ value: { job_id: 3 } });
      outcomes['/job_status'] = ({ body }) => ({
        value: { [(body['job_ids'] as number[])[0] ?? 0]: 'SUCCEEDED' },
      });
      outcomes['/exec'] = () => ({ value: { job_id: 5 } });
      server.logs = `SKYFLEET_STANDBY {"instanceId":"i-1"}\nSKYFLEET_NODE ${JSON.stringify(report)}\n`;
    });

    test('the old nodes stand down before the new ones take over, and end once those are ready', async () => {
      awsAnswers('["i-0"]', '["i-0"]', '["i-1"]', '[]');
      const { code, stdout, stderr } = await wait(old);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(JSON.parse(stdout)).toEqual({
        incarnation: 'sensors-0-aaaa',
        generation: 1,
        nodes: [report],
        tags: ['team'],
      });
      expect(executed()).toEqual(['sensors-0-old1: stand-down', 'sensors-0-aaaa: run']);
      expect(server.paths.filter((path) => path !== '/job_status')).toEqual([
        '/launch',
        '/exec',
        '/exec',
        '/down',
      ]);
      expect(server.received.at(-1)?.body['cluster_name']).toBe('sensors-0-old1');
    });

    test('an old cluster without a running instance has nothing to give up', async () => {
      awsAnswers('[]', '["i-1"]', '[]');
      expect((await wait(old)).code).toBe(0);
      expect(executed()).toEqual(['sensors-0-aaaa: run']);
    });

    test('new nodes that do not stand by leave the old ones alone', async () => {
      server.logs = 'nothing\n';
      const { code, stderr } = await wait(old);
      expect(code).toBe(1);
      expect(stderr).toContain('reported 0 nodes instead of 1');
      expect(executed()).toEqual([]);
      expect(server.paths).not.toContain('/down');
    });

    test('old nodes that do not stand down keep their identity, and the new ones do not take it', async () => {
      awsAnswers('["i-0"]', '["i-0"]');
      outcomes['/job_status'] = ({ body }) => {
        const job = (body['job_ids'] as number[])[0] ?? 0;
        return { value: { [job]: job === 5 ? 'FAILED' : 'SUCCEEDED' } };
      };
      const { code, stderr } = await wait(old);
      expect(code).toBe(1);
      expect(stderr).toContain('stand-down on the nodes of cluster sensors-0-old1 ended as FAILED');
      expect(executed()).toEqual(['sensors-0-old1: stand-down']);
      expect(server.paths).not.toContain('/down');
    });

    test('the old nodes serve again where the new ones fail to take over', async () => {
      awsAnswers('["i-0"]', '["i-0"]', '["i-1"]', '["i-0"]');
      let job = 5;
      outcomes['/exec'] = () => ({ value: { job_id: job++ } });
      outcomes['/job_status'] = ({ body }) => {
        const asked = (body['job_ids'] as number[])[0] ?? 0;
        return { value: { [asked]: asked === 6 ? 'FAILED' : 'SUCCEEDED' } };
      };
      const { code, stderr } = await wait(old);
      expect(code).toBe(1);
      expect(stderr).toContain('run on the nodes of cluster sensors-0-aaaa ended as FAILED');
      expect(executed()).toEqual([
        'sensors-0-old1: stand-down',
        'sensors-0-aaaa: run',
        'sensors-0-old1: run',
      ]);
      expect(server.paths).not.toContain('/down');
    });
  });
});

describe('delete', () => {
  const recorded = submitted({
    incarnation: 'sensors-0-aaaa',
    requestId: 'r',
    retiring: [],
    generation: 1,
  });

  test('runs without a checkout and ends when the instances are terminated', async () => {
    awsAnswers('["i-1"]', '[]');
    const { code, stdout, stderr } = await run(`cd ${folder} && ${deleteCommand}`, recorded);
    expect({ code, stdout, stderr }).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(server.received.map(({ path, body }) => [path, body['cluster_name']])).toEqual([
      ['/down', 'sensors-0-aaaa'],
    ]);
    const calls = fs.readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n');
    expect(calls).toHaveLength(2);
    expect(calls[0]).toContain('--region us-west-2');
    expect(calls[0]).toContain('Name=tag:skyfleet-incarnation,Values=sensors-0-aaaa');
  });

  test('takes a cluster that is gone for done', async () => {
    outcomes['/down'] = () => ({ error: { type: 'ClusterDoesNotExist', message: 'gone' } });
    awsAnswers('[]');
    expect(await run(deleteCommand, recorded)).toMatchObject({ code: 0 });
  });

  test('names the instances that are left at the time limit, and the next command', async () => {
    awsAnswers(...Array.from({ length: 20 }, () => '["i-1"]'));
    const { code, stderr } = await run(deleteCommand, { ...recorded, SKYFLEET_DELETE_MINUTES: '0.01' });
    expect(code).toBe(1);
    expect(stderr).toContain('its instances i-1 are not terminated');
    expect(stderr).toContain('aws ec2 describe-instances --region us-west-2 --instance-ids i-1');
  });
});
