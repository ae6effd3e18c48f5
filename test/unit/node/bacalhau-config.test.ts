import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import {
  bacalhau,
  evaluate,
  member,
  run,
  runScript,
  settings,
  temporaryFolder,
  writeSettings,
} from './scripts';

jest.setTimeout(120_000);

const folder = temporaryFolder();
afterAll(folder.dispose);

const file = (name: string) => path.join(folder.path, name);

beforeAll(async () => {
  writeMember('on-demand');
  const identity = [
    '--ordinal',
    '58',
    '--settings',
    writeSettings(folder.path),
    '--output',
    file('identity.json'),
  ];
  await runScript('generate_node_identity.py', identity);
});

function writeMember(lifeCycle: string) {
  fs.writeFileSync(file('member.json'), JSON.stringify({ ...member(), lifeCycle }));
}

function generate(change: (value: ReturnType<typeof settings>) => void) {
  return runScript('generate_bacalhau_config.py', [
    ...['--settings', writeSettings(folder.path, change), '--member', file('member.json')],
    ...['--identity', file('identity.json'), '--output', file('config.yaml'), '--ca-output', file('ca.crt')],
  ]);
}

async function generated(change: (value: ReturnType<typeof settings>) => void = () => undefined) {
  const finished = await generate(change);
  expect(finished).toEqual({ code: 0, stdout: '', stderr: '' });
  return fs.readFileSync(file('config.yaml'), 'utf8');
}

test('makes a compute node, with the labels of fleet and identity', async () => {
  expect(parse(await generated())).toEqual({
    DataDir: '/var/lib/bacalhau',
    API: { Host: '127.0.0.1', Port: 1234 },
    Orchestrator: { Enabled: false },
    Compute: {
      Enabled: true,
      Orchestrators: ['nats://127.0.0.1:4222'],
      TLS: { RequireTLS: false },
      Heartbeat: { Interval: '15s', InfoUpdateInterval: '60s' },
      AllocatedCapacity: { GPU: '0' },
      AllowListedLocalPaths: ['/opt/sensor/data:ro'],
    },
    JobAdmissionControl: { RejectNetworkedJobs: true },
    Labels: {
      stack: 'organization-skyfleet-local',
      fleet: 'local',
      place: 'local-0',
      ordinal: '59',
      instance_id: 'i-0123456789abcdef0',
      region: 'us-west-2',
      zone: 'us-west-2a',
      sensor_id: 'SENSOR_MO_STL_0000',
      sensor_type: 'environmental_monitoring',
      city: 'St.-Louis',
      state: 'MO',
      team: 'x',
    },
    Logging: { Level: 'info', Mode: 'default' },
    UpdateConfig: { Interval: '0s' },
    DisableAnalytics: true,
  });
});

test('the same input gives the same bytes', async () => {
  expect(await generated()).toBe(await generated());
});

test('the certificate of an authority goes into a file, and the file into the configuration', async () => {
  const caCert = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  const tls = { required: true, handshakeFirst: false, caCert };
  const config = parse(await generated((value) => (value.bacalhau.tls = tls))) as {
    Compute: { TLS: unknown; Orchestrators: string[] };
  };
  expect(config.Compute.TLS).toEqual({ RequireTLS: false, CACert: file('ca.crt') });
  expect(config.Compute.Orchestrators).toEqual(['tls://127.0.0.1:4222']);
  expect(fs.readFileSync(file('ca.crt'), 'utf8')).toBe(caCert);
});

test('a spot node asks the poller of spot notices before it takes a job', async () => {
  writeMember('spot');
  const config = parse(await generated()) as Record<string, unknown>;
  expect(config['JobAdmissionControl']).toEqual({
    RejectNetworkedJobs: true,
    ProbeHTTP: 'http://127.0.0.1:1236/',
  });
  writeMember('on-demand');
});

test('so does a node that is drained before it stands down', async () => {
  const config = parse(await generated((value) => (value.drainMinutes = 10))) as Record<string, unknown>;
  expect(config['JobAdmissionControl']).toMatchObject({ ProbeHTTP: 'http://127.0.0.1:1236/' });
});

test('networked jobs, labels, paths and log level follow node.json', async () => {
  const config = parse(
    await generated((value) => {
      value.bacalhau.acceptNetworkedJobs = true;
      value.bacalhau.labels = { 'gpu-free': 'yes', on: 'no' };
      value.bacalhau.allowListedLocalPaths = [];
      value.bacalhau.logLevel = 'debug';
    }),
  ) as Record<string, unknown>;
  expect(config).toMatchObject({
    JobAdmissionControl: { RejectNetworkedJobs: false },
    Labels: { 'gpu-free': 'yes', on: 'no' },
    Compute: { AllowListedLocalPaths: [] },
    Logging: { Level: 'debug' },
  });
});

test.each(['fleet', 'sensor_id', 'name', 'gpus', 'accelerator'])(
  'the label %s cannot be taken',
  async (key) => {
    const finished = await generate((value) => (value.bacalhau.labels = { [key]: 'x' }));
    expect(finished.code).toBe(1);
    expect(finished.stderr).toContain(`bacalhau.labels has ${key}: set by Skyfleet or Bacalhau itself`);
  },
);

describe('keys that Bacalhau would ignore without a word', () => {
  const check = (config: string) => evaluate(`import generate_bacalhau_config as g; g.check_keys(${config})`);

  test('the layout from before 1.5 is refused', async () => {
    const old =
      "{'node': {'type': 'compute', 'orchestrator': {'endpoint': 'nats://a:4222', 'token': 't'}, 'compute': {'enabled': True}}}";
    await expect(check(old)).rejects.toThrow('node.type is not a key of Bacalhau 1.5 and later');
  });

  test('a slip is refused, with the key that was meant', async () => {
    await expect(check("{'Compute': {'Orchestrator': ['nats://a:4222']}}")).rejects.toThrow(
      'Compute.Orchestrator is not a key of Bacalhau 1.5 and later; is it Compute.Orchestrators?',
    );
  });

  test('the keys that are let through are those that Bacalhau itself names', async () => {
    const ours = await evaluate<string[]>(
      'import json, bacalhau_keys as b; print(json.dumps(sorted(b.KNOWN_KEYS)))',
    );
    const { stdout } = await run(bacalhau(), ['config', 'list', '--output', 'json'], { HOME: folder.path });
    const theirs = (JSON.parse(stdout) as { Key: string }[]).map(({ Key }) => Key).sort();
    expect(ours).toEqual(theirs);
  });
});
