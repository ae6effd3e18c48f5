import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { containersConf, storageConf } from '../../../local/rig/containers';
import { awsEnvironment, baseEnvironment, ensureSecret } from '../../../local/rig/environment';
import { rigPaths } from '../../../local/rig/paths';
import { readRecord, writeRecord } from '../../../local/rig/record';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'skyfleet-rig-'))));
afterEach(() => rmSync(folder, { recursive: true }));

describe('the places of a rig', () => {
  test('two rigs of a checkout, and the same rig of two checkouts, share nothing', () => {
    const rigs = [rigPaths('main', '/src/a'), rigPaths('test', '/src/a'), rigPaths('main', '/src/b')];
    for (const key of ['id', 'namespaceFile', 'runtime', 'state', 'lock'] as const) {
      expect(new Set(rigs.map((paths) => paths[key])).size).toBe(rigs.length);
    }
  });

  test('the run root stays shorter than podman allows, however deep the checkout is', () => {
    const paths = rigPaths('main', `/${'deep/'.repeat(40)}`);
    const runRoot = /runroot = "(.*)"/.exec(storageConf(paths, '/images'))?.[1] ?? '';
    expect(runRoot.length).toBeGreaterThan(0);
    expect(runRoot.length).toBeLessThanOrEqual(50);
  });

  test.each(['', 'Main', '../other', 'a/b', '-x', 'x'.repeat(32)])('%j is refused as a name', (name) => {
    expect(() => rigPaths(name, '/src')).toThrow('rig name');
  });

  test("podman's configuration names no folder outside the rig but the images", () => {
    const paths = rigPaths('main', '/src/a');
    const text = containersConf(paths) + storageConf(paths, '/images');
    const folders = [...text.matchAll(/"(\/[^"]*)"/g)].map(([, folder]) => folder ?? '');
    expect(folders).toContain('/images');
    for (const named of folders.filter((one) => one !== '/images')) {
      expect(named.startsWith(`${paths.state}/`) || named.startsWith(`${paths.runtime}/`)).toBe(true);
    }
  });
});

describe('the environment of a program of the rig', () => {
  test("carries nothing of the user's accounts", () => {
    const ambient = {
      PATH: '/usr/bin',
      LANG: 'C.UTF-8',
      HOME: '/home/me',
      AWS_PROFILE: 'production',
      AWS_ACCESS_KEY_ID: 'AKIAREAL',
      AWS_CA_BUNDLE: '/etc/ca.pem',
      PULUMI_ACCESS_TOKEN: 'pul-1',
      PULUMI_BACKEND_URL: 's3://theirs',
      SKYPILOT_API_SERVER_ENDPOINT: 'https://theirs',
      BACALHAU_API_HOST: 'theirs',
      HTTPS_PROXY: 'http://proxy',
    };
    const env = baseEnvironment('/rig/home', ['/cache/tool'], ambient);
    expect(Object.keys(env).sort()).toEqual(['HOME', 'LANG', 'PATH']);
    expect(env.HOME).toBe('/rig/home');
    expect(env.PATH?.split(':')[0]).toBe('/cache/tool');
    expect(env.PATH?.split(':')).toContain('/usr/bin');
  });

  test('points AWS clients at the emulated account', () => {
    const env = awsEnvironment({ accessKeyId: 'AKIAEMULATED', secretAccessKey: 'made-up' });
    expect(env).toMatchObject({
      AWS_ENDPOINT_URL: 'http://127.0.0.1:5000',
      AWS_ACCESS_KEY_ID: 'AKIAEMULATED',
      AWS_SECRET_ACCESS_KEY: 'made-up',
    });
  });
});

test('a secret is made once, for its owner alone', () => {
  const file = join(folder, 'private', 'token');
  const secret = ensureSecret(file);
  expect(secret).toMatch(/^[0-9a-f]{48}$/);
  expect(ensureSecret(file)).toBe(secret);
  expect(statSync(file).mode & 0o777).toBe(0o600);
});

test('the record of what was started is read back, and is empty before there is one', () => {
  const file = join(folder, 'rig.json');
  expect(readRecord(file)).toEqual({ services: {} });
  const record = { services: { sky: { pid: 1, startTime: 2, bootId: 'b' } } };
  writeRecord(file, record);
  expect(readRecord(file)).toEqual(record);
  const images = { instance: 'image', store: '/store', wheels: '/wheels', engineSeed: '/seed' };
  const programs = {
    pulumi: '/p',
    pulumiLanguageNodejs: '/l',
    bacalhau: '/b',
    venv: '/v',
    python: '/v/bin/python',
  };
  writeRecord(file, { ...record, tools: { ...programs, images } });
  expect(readRecord(file).tools?.images.store).toBe('/store');
});

test.each(['', '{"services":', '{"services":{"sky":{"pid":"x"}}}'])(
  'a record that holds %j counts as none',
  (text) => {
    const file = join(folder, 'rig.json');
    writeFileSync(file, text);
    expect(readRecord(file)).toEqual({ services: {} });
  },
);
