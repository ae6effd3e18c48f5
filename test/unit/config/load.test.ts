import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import * as pulumi from '@pulumi/pulumi';
import { loadConfig } from '../../../config/load';
import { mockPulumi, setConfig } from '../components/mocks';
import { good } from './good';

const projectDir = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-load-'));
afterAll(() => fs.rmSync(projectDir, { recursive: true }));

const token = { orchestratorToken: 'planted-token' };
const valueOf = <T>(output: pulumi.Output<T> | undefined) =>
  new Promise<T | undefined>((resolve) =>
    output === undefined ? resolve(undefined) : output.apply((value) => resolve(value)),
  );

test('the configuration comes with its secrets, as secrets', async () => {
  await mockPulumi();
  setConfig('us-west-2', good, token);
  const { secrets, region } = await loadConfig(projectDir);
  expect(region).toBe('us-west-2');
  expect(await pulumi.isSecret(secrets.orchestratorToken)).toBe(true);
  expect(await valueOf(secrets.orchestratorToken)).toBe('planted-token');
  expect(secrets.skypilotToken).toBeUndefined();
});

test('the program has the tokens in plain for its own requests, wherever they come from', async () => {
  await mockPulumi({
    outputs: { orchestratorApiToken: 'api-token', skypilotToken: 'sky_login' },
    secretOutputNames: ['orchestratorApiToken', 'skypilotToken'],
  });
  const api = { orchestrator: { ...good.orchestrator, api: 'https://orchestrator.example.com' } };
  const shared = { shared: { stack: 'organization/skyfleet-shared/prod' } };
  setConfig('us-west-2', { ...good, ...api, ...shared }, { ...token, skypilotToken: 'own_login' });
  const { plain, secrets } = await loadConfig(projectDir);
  expect(plain).toEqual({
    orchestratorToken: 'planted-token',
    skypilotToken: 'own_login',
    orchestratorApiToken: 'api-token',
  });
  expect(await pulumi.isSecret(pulumi.output(secrets.orchestratorApiToken))).toBe(true);
  expect(await valueOf(secrets.orchestratorApiToken)).toBe('api-token');
});

test('a token in plain text is refused together with everything else that is wrong, and not shown', async () => {
  await mockPulumi();
  setConfig('us-west-2', { ...good, access: {} }, token);
  process.env['PULUMI_CONFIG_SECRET_KEYS'] = '[]';
  const refusal = loadConfig(projectDir);
  await expect(refusal).rejects.toThrow(
    'skyfleet:orchestratorToken: is written in plain text; run: pulumi config set --secret skyfleet:orchestratorToken',
  );
  await expect(refusal).rejects.toThrow('skyfleet:access is {}: must have exactly one of');
  await expect(refusal).rejects.not.toThrow('planted-token');
});

test('a missing token is asked for, and nothing is registered', async () => {
  const registered = await mockPulumi();
  setConfig('us-west-2', good, {});
  await expect(loadConfig(projectDir)).rejects.toThrow(
    'skyfleet:orchestratorToken: is missing; run: pulumi config set --secret skyfleet:orchestratorToken',
  );
  expect(registered).toEqual([]);
});

test('a token that an environment file would change is refused', async () => {
  await mockPulumi();
  setConfig('us-west-2', good, { orchestratorToken: "it's" });
  await expect(loadConfig(projectDir)).rejects.toThrow(
    'skyfleet:orchestratorToken: must be visible ASCII without spaces, quotes, $ and \\',
  );
});

describe('with a shared stack', () => {
  const { sensor, ...own } = good;
  const shared = { shared: { stack: 'organization/skyfleet-shared/prod' } };

  test('what is missing comes from its outputs, secrets as secrets', async () => {
    await mockPulumi({
      outputs: { sensor, ...token, skypilotToken: 'sky_login' },
      secretOutputNames: ['orchestratorToken', 'skypilotToken'],
    });
    setConfig('us-west-2', { ...own, ...shared }, {});
    const config = await loadConfig(projectDir);
    expect(config.sensor).toEqual(sensor);
    expect(await pulumi.isSecret(config.secrets.orchestratorToken)).toBe(true);
    expect(await valueOf(config.secrets.orchestratorToken)).toBe('planted-token');
    expect(await valueOf(config.secrets.skypilotToken)).toBe('sky_login');
  });

  test('a setting that it gives as a secret is refused', async () => {
    await mockPulumi({ outputs: { sensor, ...token }, secretOutputNames: ['sensor', 'orchestratorToken'] });
    setConfig('us-west-2', { ...own, ...shared }, {});
    await expect(loadConfig(projectDir)).rejects.toThrow(
      'gives sensor as a secret, which would not stay one here',
    );
  });

  test('a token that it gives in plain text is refused', async () => {
    await mockPulumi({ outputs: { sensor, ...token }, secretOutputNames: [] });
    setConfig('us-west-2', { ...own, ...shared }, {});
    const refusal = loadConfig(projectDir);
    await expect(refusal).rejects.toThrow(
      'skyfleet:shared.stack is "organization/skyfleet-shared/prod": gives orchestratorToken in plain text',
    );
    await expect(refusal).rejects.not.toThrow('planted-token');
  });
});
