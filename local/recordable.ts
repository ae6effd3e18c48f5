import { parse, stringify } from 'yaml';
import { secretFingerprint } from '../components/secret-fingerprint';
import { redact } from '../deployment/operator/command-environment';
import { plain, secretKey } from '../deployment/operator/recorded-state';

/** What stands in a state or a stack file that everybody may read for a secret of that name. */
export const invented = (secret: string): string => `invented-${secret}`;

/** Name of the key of the secrets' fingerprints, which is a secret of the state alone. */
const fingerprintKey = 'fingerprintKey';

interface ExportedResource {
  urn: string;
  outputs?: Record<string, unknown>;
}

interface ExportedState {
  deployment: { resources?: ExportedResource[]; secrets_providers?: unknown };
}

/** The secrets that stand anywhere in a value of the state. */
function secretsIn(value: unknown): unknown[] {
  if (Array.isArray(value)) return value.flatMap(secretsIn);
  if (typeof value !== 'object' || value === null) return [];
  return secretKey in value ? [plain(value)] : Object.values(value).flatMap(secretsIn);
}

function fingerprintKeyOf(resources: readonly ExportedResource[]): string {
  const command = resources.find(({ urn }) => urn.endsWith('-fingerprint-key'));
  const key = plain(command?.outputs?.['stdout']);
  if (typeof key !== 'string' || key === '') {
    throw new Error('the state has no fingerprint key; is the stack up?');
  }
  return key;
}

/**
 * A state that may stand in the repository: each secret is replaced by an invented one, wherever it stands, and so are the
 * fingerprints that were made of it. What encrypts the stack's secrets is left out; whoever imports the state has his own.
 *
 * @param exported what `pulumi stack export --show-secrets` prints of a stack that is up.
 * @param secrets the secrets of the stack's configuration by their keys, such as `orchestratorToken`.
 * @param machine texts that stand for the machine that exports it, such as its home folder with a slash at its end.
 * @throws Error where the state holds a secret that is not named, and where anything of a secret or the machine is left.
 */
export function recordableState(
  exported: string,
  secrets: Readonly<Record<string, string>>,
  machine: readonly string[],
): string {
  const state = JSON.parse(exported) as ExportedState;
  const { resources = [] } = state.deployment;
  const key = fingerprintKeyOf(resources);
  const known = { ...secrets, [fingerprintKey]: key };
  const values: unknown[] = Object.values(known);
  const unknown = resources.filter((resource) => secretsIn(resource).some((one) => !values.includes(one)));
  if (unknown.length > 0) {
    throw new Error(
      `secrets of ${unknown.map(({ urn }) => urn).join(', ')} are none of ${Object.keys(known).join(', ')}: there is nothing to replace them by`,
    );
  }
  delete state.deployment.secrets_providers;
  const ownKey = invented(fingerprintKey);
  const replacements: [string, string][] = [
    [key, ownKey],
    ...Object.entries(secrets).flatMap(([name, value]): [string, string][] => [
      [value, invented(name)],
      [secretFingerprint(key, value), secretFingerprint(ownKey, invented(name))],
    ]),
  ];
  const text = replacements.reduce(
    (replaced, [from, to]) => replaced.replaceAll(from, to),
    `${JSON.stringify(state, null, 1)}\n`,
  );
  const left = [
    ...Object.entries(known).flatMap(([name, value]) => (redact(text, [value]) === text ? [] : [name])),
    ...machine.filter((name) => text.includes(name)),
  ];
  if (left.length > 0) throw new Error(`the state would still tell ${left.join(', ')}`);
  return text;
}

/**
 * The stack file that belongs to such a state.
 *
 * @param text the stack's own, whose secrets are left out, with what encrypts them.
 */
export function recordableStackFile(text: string): string {
  const { config } = parse(text) as { config: Record<string, unknown> };
  const isSecret = (value: unknown): boolean =>
    typeof value === 'object' && value !== null && 'secure' in value;
  return stringify({
    config: Object.fromEntries(Object.entries(config).filter(([, value]) => !isSecret(value))),
  });
}
