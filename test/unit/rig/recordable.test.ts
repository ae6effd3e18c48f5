import { parse } from 'yaml';
import { secretFingerprint } from '../../../components/secret-fingerprint';
import { plain, secretKey } from '../../../deployment/operator/recorded-state';
import { recordableStackFile, recordableState } from '../../../local/recordable';

const secret = (text: string) => ({
  [secretKey]: '1b47061264138c4ac30d75fd1eb44270',
  plaintext: JSON.stringify(text),
});

/** What `pulumi stack export --show-secrets` prints of a stack with one place. */
function exported(environment: Record<string, unknown> = {}): string {
  const urn = (name: string): string => `urn:pulumi:local::skyfleet::command:local:Command::${name}`;
  return JSON.stringify({
    version: 3,
    deployment: {
      secrets_providers: { type: 'passphrase', state: { salt: 'v1:salt' } },
      resources: [
        { urn: urn('skyfleet-local-fingerprint-key'), outputs: { stdout: secret('feed5eed') } },
        {
          urn: urn('skyfleet-local-reviewed'),
          inputs: {
            environment: { SECRET_orchestratorToken: secretFingerprint('feed5eed', 'planted-token') },
          },
        },
        {
          urn: urn('local-0-submit'),
          inputs: { environment: { SKYFLEET_ORCHESTRATOR_TOKEN: secret('planted-token'), ...environment } },
        },
      ],
    },
  });
}

const secrets = { orchestratorToken: 'planted-token' };

test('every secret gives way to an invented one, and its fingerprint with it', () => {
  const text = recordableState(exported(), secrets, []);
  expect(text).not.toMatch(/planted-token|feed5eed|salt/);
  const { deployment } = JSON.parse(text) as {
    deployment: { resources: { inputs?: unknown; outputs?: unknown }[] };
  };
  expect(deployment).not.toHaveProperty('secrets_providers');
  const [key, reviewed, submit] = deployment.resources;
  expect(plain(key?.outputs)).toEqual({ stdout: 'invented-fingerprintKey' });
  expect(reviewed?.inputs).toEqual({
    environment: {
      SECRET_orchestratorToken: secretFingerprint('invented-fingerprintKey', 'invented-orchestratorToken'),
    },
  });
  expect(plain(submit?.inputs)).toEqual({
    environment: { SKYFLEET_ORCHESTRATOR_TOKEN: 'invented-orchestratorToken' },
  });
});

test('a secret that stands in the middle of a text that is none gives way too', () => {
  expect(recordableState(exported({ OTHER: 'x=planted-token;' }), secrets, [])).toContain(
    'x=invented-orchestratorToken;',
  );
});

test('a secret that nobody has named is refused, with where it stands', () => {
  const state = exported({ SKYFLEET_SKYPILOT_TOKEN: secret('another-token') });
  expect(() => recordableState(state, secrets, [])).toThrow(/secrets of urn:.*::local-0-submit are none of/);
});

test('a secret that stands there in another form is refused', () => {
  const state = exported({ OTHER: Buffer.from('planted-token').toString('base64') });
  expect(() => recordableState(state, secrets, [])).toThrow('the state would still tell orchestratorToken');
});

test('what tells of the machine is refused', () => {
  const state = exported({ OTHER: 'node /home/somebody/checkout/submit.js' });
  expect(() => recordableState(state, secrets, ['/home/somebody/'])).toThrow(
    'the state would still tell /home/somebody/',
  );
});

test('a stack that is not up is refused', () => {
  const empty = JSON.stringify({ version: 3, deployment: {} });
  expect(() => recordableState(empty, secrets, [])).toThrow('the state has no fingerprint key');
});

test('the stack file keeps all but its secrets and what encrypts them', () => {
  const text = `encryptionsalt: v1:salt
config:
  aws:region: us-west-2
  skyfleet:orchestratorToken:
    secure: v1:encrypted
  skyfleet:fleets: [{ name: local }]
`;
  expect(parse(recordableStackFile(text))).toEqual({
    config: { 'aws:region': 'us-west-2', 'skyfleet:fleets': [{ name: 'local' }] },
  });
});
