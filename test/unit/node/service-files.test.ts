import * as fs from 'node:fs';
import * as path from 'node:path';
import { runScript, settings, temporaryFolder, writeSettings } from './scripts';

jest.setTimeout(120_000);

const folder = temporaryFolder();
afterAll(folder.dispose);

const at = (name: string) => path.join(folder.path, name);
const read = (name: string) => fs.readFileSync(at(name), 'utf8');

function place(name: string, text: string) {
  fs.mkdirSync(path.dirname(at(name)), { recursive: true });
  fs.writeFileSync(at(name), text);
}

beforeEach(() => {
  place('etc/bacalhau/config.yaml', 'DataDir: "/var/lib/bacalhau"\n');
  place('opt/sensor/config/sensor-config.yaml', 'version: 2\n');
  place('opt/sensor/config/identity.json', '{}\n');
  place('member.json', '{"nodeName":"local-0-k3f9"}');
});

function write(token: string, change: (value: ReturnType<typeof settings>) => void = () => undefined) {
  const args = ['--settings', writeSettings(folder.path, change), '--member', at('member.json')];
  return runScript('write_service_files.py', args, {
    SKYFLEET_NODE_ROOT: folder.path,
    BACALHAU_COMPUTE_AUTH_TOKEN: token,
  });
}

test('the token is in one file, readable by root only, and nowhere else', async () => {
  expect(await write('planted.Token-1')).toEqual({ code: 0, stdout: '', stderr: '' });
  expect(read('etc/bacalhau/compute.env')).toBe("BACALHAU_COMPUTE_AUTH_TOKEN='planted.Token-1'\n");
  expect(fs.statSync(at('etc/bacalhau/compute.env')).mode & 0o777).toBe(0o600);
  for (const name of ['opt/bacalhau/.env', 'opt/bacalhau/docker-compose.override.yml', 'opt/sensor/.env']) {
    expect(read(name)).not.toContain('planted');
  }
});

test.each([
  ['', 'is empty'],
  ["it's", "must not hold quotes (')"],
  ['a$b', "must not hold quotes (')"],
  ['a\\b', "must not hold quotes (')"],
  ['planted token', 'must be of visible ASCII characters'],
  ['planted\ntoken', 'must be of visible ASCII characters'],
  ['plantéd', 'must be of visible ASCII characters'],
])('token %j is refused without showing it', async (token, message) => {
  const finished = await write(token);
  expect(finished.code).toBe(1);
  expect(finished.stderr).toContain(`BACALHAU_COMPUTE_AUTH_TOKEN ${message}`);
  if (token !== '') expect(finished.stdout + finished.stderr).not.toContain(token);
});

test('images, name and bucket reach the compose files', async () => {
  await write('t', (value) => (value.bucket.endpointUrl = 'http://10.255.255.254:5000'));
  expect(read('opt/bacalhau/.env')).toMatch(
    /^BACALHAU_IMAGE='ghcr\.io\/bacalhau-project\/bacalhau:v1\.9\.0'\nNODE_NAME='local-0-k3f9'\nCONFIG_HASH='[0-9a-f]{16}'\n$/,
  );
  expect(read('opt/sensor/.env')).toMatch(
    /^SENSOR_IMAGE='[^']+:1\.0\.0'\nCONFIG_HASH='[0-9a-f]{16}'\nBUCKET_NAME='data'\nBUCKET_PREFIX='fleets\/local\/'\nBUCKET_REGION='us-west-2'\nBUCKET_ENDPOINT_URL='http:\/\/10\.255\.255\.254:5000'\n$/,
  );
});

test('the compute node is given the paths that its jobs may read, and no other', async () => {
  await write('t', (value) => (value.bacalhau.allowListedLocalPaths = ['/opt/sensor/data', '/srv/out:rw']));
  expect(JSON.parse(read('opt/bacalhau/docker-compose.override.yml'))).toEqual({
    services: { compute: { volumes: ['/opt/sensor/data:/opt/sensor/data:ro', '/srv/out:/srv/out:rw'] } },
  });
});

describe('a service is described anew exactly where a file of it changed', () => {
  async function changedBy(change: () => void): Promise<string[]> {
    const names = ['opt/bacalhau/.env', 'opt/sensor/.env'];
    await write('t');
    const before = names.map((name) => fs.statSync(at(name)).ino);
    change();
    await write('t');
    return names.filter((name, index) => fs.statSync(at(name)).ino !== before[index]);
  }

  test.each([
    ['nothing', () => undefined, []],
    ["Bacalhau's configuration", () => place('etc/bacalhau/config.yaml', 'x\n'), ['opt/bacalhau/.env']],
    ['the certificate', () => place('etc/bacalhau/tls/ca.crt', 'x\n'), ['opt/bacalhau/.env']],
    [
      "the sensor's configuration",
      () => place('opt/sensor/config/sensor-config.yaml', 'x\n'),
      ['opt/sensor/.env'],
    ],
    ['the identity', () => place('opt/sensor/config/identity.json', '{"a":1}\n'), ['opt/sensor/.env']],
  ])('%s', async (_, change, expected) => {
    expect(await changedBy(change)).toEqual(expected);
  });
});
