import * as fs from 'node:fs';
import * as path from 'node:path';
import { evaluate, run, runScript, nodeRoom, settings, temporaryFolder } from './scripts';

jest.setTimeout(120_000);

const folder = temporaryFolder();
afterAll(folder.dispose);

type Value = ReturnType<typeof settings>;
type Change = (value: Value) => unknown;

/** What the node finds wrong with each changed node.json; one run of Python for all of them. */
async function faultsOf(changes: readonly Change[]): Promise<string[][]> {
  const values = changes.map((change) => {
    const value = settings();
    change(value);
    return value;
  });
  const file = path.join(folder.path, 'values.json');
  fs.writeFileSync(file, JSON.stringify(values));
  return evaluate<string[][]>(
    `import json, node_settings; print(json.dumps([node_settings.check(v) for v in json.load(open(${JSON.stringify(file)}))]))`,
  );
}

test('a complete node.json has no fault', async () => {
  const found = await faultsOf([
    () => undefined,
    (value) => (value.identity = { from: 'instance' }),
    (value) => (value.bucket.endpointUrl = 'http://10.255.255.254:5000'),
    (value) => (value.drainMinutes = 30),
    (value) => (value.accelerators = { type: 'A10G', count: 4 }),
    (value) => (value.bacalhau.tls = { required: true, handshakeFirst: true, caCert: null }),
    (value) => (value.bacalhau.image = `registry.example.com:5000/a/b@sha256:${'a'.repeat(64)}`),
  ]);
  expect(found).toEqual([[], [], [], [], [], [], []]);
});

describe('refused, naming the key, the value and what is allowed', () => {
  const table: [string, Change, string][] = [
    [
      'an unknown key',
      (v) => Object.assign(v.bacalhau, { lables: {} }),
      'bacalhau.lables is not known: bacalhau takes image,',
    ],
    [
      'an unknown key at the top',
      (v) => Object.assign(v, { extra: 1 }),
      'extra is not known: node.json takes stack,',
    ],
    ['a missing key', (v) => Reflect.deleteProperty(v.bacalhau, 'tls'), 'bacalhau.tls is missing'],
    ['a missing section', (v) => Reflect.deleteProperty(v, 'bucket'), 'bucket is missing'],
    [
      'a number as text',
      (v) => Object.assign(v.nodes, { count: '1' }),
      'nodes.count is "1": must be a whole number',
    ],
    [
      'true as a number',
      (v) => Object.assign(v.nodes, { count: true }),
      'nodes.count is true: must be a whole number',
    ],
    ['no node', (v) => (v.nodes.count = 0), 'nodes.count is 0: must be a whole number of at least 1'],
    [
      'less than no draining',
      (v) => (v.drainMinutes = -1),
      'drainMinutes is -1: must be a whole number of at least 0',
    ],
    [
      'a part of a minute',
      (v) => (v.drainMinutes = 0.5),
      'drainMinutes is 0.5: must be a whole number of at least 0',
    ],
    [
      'an ordinal out of range',
      (v) => (v.nodes = { firstOrdinal: 9999, count: 2 }),
      'give the ordinals 9999 to 10000: must lie within identity.range, 0 to 9999',
    ],
    [
      'another source of identity',
      (v) => (v.identity['from'] = 'dice'),
      'identity.from is "dice": must be one of place, instance',
    ],
    [
      'a range without a place',
      (v) => (v.identity = { from: 'instance', range: {} }),
      'identity.range is not known: identity takes from',
    ],
    [
      'no accelerator',
      (v) => (v.accelerators = { type: 'T4', count: 0 }),
      'must be a type and a count of at least 1',
    ],
    [
      "accelerators in SkyPilot's short form",
      (v) => Object.assign(v, { accelerators: { T4: 1 } }),
      'must be a type and a count of at least 1, such as {"type": "T4", "count": 1}, or null',
    ],
    [
      'an authority without TLS',
      (v) => (v.bacalhau.tls.caCert = '-----BEGIN CERTIFICATE-----'),
      'bacalhau.tls.required is false: must be true with handshakeFirst or caCert',
    ],
    ['no orchestrator', (v) => (v.bacalhau.orchestrators = []), 'must be a list of at least 1'],
    [
      'an http orchestrator',
      (v) => (v.bacalhau.orchestrators = ['http://a:1']),
      'an address such as nats://',
    ],
    ['a port that is none', (v) => (v.bacalhau.orchestrators = ['nats://a:x']), 'an address such as nats://'],
    [
      'a token in an address',
      (v) => (v.bacalhau.orchestrators = ['nats://t@a:4222']),
      'without a token or password',
    ],
    [
      'a private key as authority',
      (v) => (v.bacalhau.tls.caCert = '-----BEGIN PRIVATE KEY-----'),
      'without a private key, or null',
    ],
    ['a label key with capitals', (v) => (v.bacalhau.labels = { Team: 'x' }), 'key "Team" must be of a-z'],
    ['a label key with a dot', (v) => (v.bacalhau.labels = { 'a.b': 'x' }), 'key "a.b" must be of a-z'],
    [
      'a label value with a space',
      (v) => (v.bacalhau.labels = { a: 'x y' }),
      'value "x y" of a must be of letters',
    ],
    [
      'a label value that is a number',
      (v) => Object.assign(v.bacalhau.labels, { a: 1 }),
      'value 1 of a must be',
    ],
    [
      'an unpinned image',
      (v) => (v.sensor.image = 'sensor'),
      'sensor.image is "sensor": must be an image pinned',
    ],
    [
      'the tag latest',
      (v) => (v.sensor.image = 'sensor:latest'),
      'pinned by a version tag other than latest',
    ],
    ['a log level', (v) => (v.bacalhau.logLevel = 'loud'), 'must be one of trace, debug, info, warn, error'],
    [
      'a prefix without its slash',
      (v) => (v.bucket.prefix = 'fleets'),
      'must be a prefix that is empty or ends with /',
    ],
    [
      'an endpoint with a path',
      (v) => (v.bucket.endpointUrl = 'http://a/b'),
      'an http or https address without a path, or null',
    ],
  ];
  let found: string[][];
  beforeAll(async () => (found = await faultsOf(table.map(([, change]) => change))));

  test.each(table.map(([name, , message], index) => [name, index, message] as const))(
    '%s',
    (_, index, message) => {
      expect(found[index]).toEqual([expect.stringContaining(message)]);
    },
  );
});

test('all faults are told at once', async () => {
  const [found] = await faultsOf([
    (value) => {
      value.bacalhau.logLevel = 'loud';
      value.bucket.prefix = 'x';
      Object.assign(value, { extra: 1 });
    },
  ]);
  expect(found).toHaveLength(3);
});

describe('paths that jobs may read', () => {
  const link = path.join(folder.path, 'link');
  const fine = ['/opt/sensor/data', '/opt/sensor/data:ro', '/opt/sensor/data:rw', '/srv/data', '/data'];
  const closed = [
    '/',
    '/etc',
    '/etc/bacalhau',
    '/etc/bacalhau/config.yaml:ro',
    '/root',
    '/root/.aws',
    '/home/ubuntu',
    '/opt',
    '/opt/bacalhau',
    '/opt/sensor',
    '/opt/sensor/config:ro',
    '/var',
    '/var/lib',
    '/var/lib/bacalhau',
    '/var/lib/bacalhau/x:rw',
    '/var/run',
    '/run/docker.sock',
    '/proc/1',
  ];
  const notPlain = ['data', './data', '/data/', '/data/../etc', '/data//x', '/data:x'];
  const patterns = ['/data/**', '/data/*', '/da?a', '/{data,etc}', '/[d]ata'];
  const all = [...fine, ...closed, ...notPlain, ...patterns];
  let found: Record<string, string[]>;
  beforeAll(async () => {
    const faults = await faultsOf(
      all.map((entry) => (value) => (value.bacalhau.allowListedLocalPaths = [entry])),
    );
    found = Object.fromEntries(all.map((entry, index) => [entry, faults[index] ?? []]));
  });

  test.each(fine)('%s may be', (entry) => {
    expect(found[entry]).toEqual([]);
  });
  test.each(closed)('%s may not: it holds, or lies below, what no job may see', (entry) => {
    expect(found[entry]).toEqual([expect.stringContaining('a path that neither holds nor lies below')]);
  });
  test.each(notPlain)('%s may not: it is no plain absolute path', (entry) => {
    expect(found[entry]).toEqual([expect.stringContaining('an absolute path without')]);
  });
  test.each(patterns)('%s may not: Bacalhau lets ".." lead out of a pattern', (entry) => {
    expect(found[entry]).toEqual([expect.stringContaining('a plain path without the pattern characters')]);
  });

  test('a link counts as what it leads to', async () => {
    fs.symlinkSync('/etc/bacalhau', link);
    const code = 'import sys, allowed_paths; print(allowed_paths.leads_into(sys.argv[1]))';
    const finished = await run('python3', ['-B', '-c', code, link], {
      PYTHONPATH: path.join(nodeRoom, 'scripts'),
    });
    expect(finished.stdout.trim()).toBe('/etc');
  });
});

test('a file that is no JSON, or is not there, says so', async () => {
  const broken = path.join(folder.path, 'node.json');
  fs.writeFileSync(broken, '{');
  const generate = (file: string) =>
    runScript('generate_node_identity.py', ['--ordinal', '0', '--settings', file]);
  expect((await generate(broken)).stderr).toContain('node.json is not JSON');
  expect((await generate(`${broken}.none`)).stderr).toContain('is missing: it comes with');
});
