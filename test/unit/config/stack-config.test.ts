import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import {
  checkStackConfig,
  nothingShared,
  sharedConfig,
  sharedStackOf,
  writtenConfig,
} from '../../../config/stack-config';
import { good } from './good';

const projectDir = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-stack-config-'));
afterAll(() => fs.rmSync(projectDir, { recursive: true }));

const texts = (values: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(values).map(([key, value]) => [`skyfleet:${key}`, JSON.stringify(value)]),
  );
const withToken = {
  ...texts(good),
  'skyfleet:orchestratorToken': 'planted-token',
  'aws:region': 'us-west-2',
};
const encrypted = ['skyfleet:orchestratorToken'];
const check = (written: ReturnType<typeof writtenConfig>, shared = nothingShared) =>
  checkStackConfig({ projectDir, stack: 'dev', region: 'us-west-2', written, shared });

test('tells secrets from settings, and leaves out the keys of others', () => {
  expect(writtenConfig(withToken, encrypted)).toEqual({
    values: good,
    secrets: { orchestratorToken: 'planted-token' },
    encrypted: ['orchestratorToken'],
  });
});

test('a sound configuration has its secrets in plain and no problem', () => {
  const { config, secrets, problems } = check(writtenConfig(withToken, encrypted));
  expect(problems).toEqual([]);
  expect(secrets).toEqual({ orchestratorToken: 'planted-token' });
  expect(config?.fleets).toHaveLength(1);
});

test('all problems come at once, and none shows a secret', () => {
  const { problems } = check(writtenConfig({ ...withToken, 'skyfleet:access': '{}', 'skyfleet:x': '1' }, []));
  expect(problems.map(({ key }) => key)).toEqual(
    expect.arrayContaining(['skyfleet:access', 'skyfleet:x', 'skyfleet:orchestratorToken']),
  );
  expect(JSON.stringify(problems)).not.toContain('planted-token');
});

test('a shared stack is one that is named in full', () => {
  const named = (stack: unknown) => sharedStackOf(writtenConfig(texts({ shared: { stack } }), []));
  expect(named('organization/skyfleet-shared/prod')).toBe('organization/skyfleet-shared/prod');
  expect(named('prod')).toBeUndefined();
  expect(named(7)).toBeUndefined();
});

test('a shared stack completes what is written, and what is written goes before', () => {
  const { sensor, ...own } = good;
  const shared = sharedConfig('organization/skyfleet-shared/prod', {
    sensor: { value: sensor, secret: false },
    orchestratorToken: { value: 'shared-token', secret: true },
    skypilotToken: { value: 'shared-login', secret: true },
    nodes: { value: [], secret: false },
  });
  const written = writtenConfig({ ...texts(own), 'skyfleet:skypilotToken': 'own-login' }, [
    'skyfleet:skypilotToken',
  ]);
  const { config, secrets } = check(written, shared);
  expect(config?.sensor).toEqual(sensor);
  expect(secrets).toEqual({ orchestratorToken: 'shared-token', skypilotToken: 'own-login' });
});
