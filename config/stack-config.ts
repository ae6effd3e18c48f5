import { claimProblems } from './claims';
import { checkConfig } from './parse';
import type { ConfigProblem } from './problem';
import type { SkyfleetConfig } from './schema';
import { sharedKeys, withShared } from './shared';
import { isToken, tokenRule } from './token';

/*
 * The whole configuration of a stack, checked: what its file says, its secrets, and what another stack shares with it.
 * Whoever reads these, the Pulumi program or a command beside it, has them checked here.
 */

/** The secrets of a stack, set with `pulumi config set --secret` or given by the shared stack. */
export const secretKeys = ['orchestratorToken', 'skypilotToken', 'orchestratorApiToken'] as const;
export type SecretKey = (typeof secretKeys)[number];

/** Secrets in plain. */
export type Secrets = Partial<Record<SecretKey, string>>;

const isSecret = (key: string): key is SecretKey => secretKeys.some((secret) => secret === key);

/** What a stack file says below `skyfleet:`. */
export interface WrittenConfig {
  values: Record<string, unknown>;
  secrets: Secrets;
  /** Those of the secrets that the stack file holds encrypted. */
  encrypted: readonly SecretKey[];
}

/** A value as the text of Pulumi's configuration holds it: JSON, or just a text. */
export function structured(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

/**
 * What is written below `skyfleet:`.
 *
 * @param entries the texts of Pulumi's configuration by their keys, such as `skyfleet:fleets`.
 * @param encryptedKeys keys that the stack file holds encrypted.
 */
export function writtenConfig(
  entries: Readonly<Record<string, string>>,
  encryptedKeys: readonly string[],
): WrittenConfig {
  const own = Object.entries(entries)
    .filter(([key]) => key.startsWith('skyfleet:'))
    .map(([key, text]): [string, string] => [key.slice('skyfleet:'.length), text]);
  return {
    values: Object.fromEntries(
      own.filter(([key]) => !isSecret(key)).map(([key, text]) => [key, structured(text)]),
    ),
    secrets: Object.fromEntries(own.filter(([key]) => isSecret(key))),
    encrypted: secretKeys.filter((key) => encryptedKeys.includes(`skyfleet:${key}`)),
  };
}

/** Full name of the stack whose outputs complete the written values; undefined where none is named, or not in full. */
export function sharedStackOf({ values }: WrittenConfig): string | undefined {
  const stack = (values['shared'] as { stack?: unknown } | null | undefined)?.stack;
  return typeof stack === 'string' && stack.split('/').length === 3 ? stack : undefined;
}

/** An output of the shared stack. */
export interface SharedOutput {
  value: unknown;
  secret: boolean;
}

/** What a shared stack gives: settings in plain, tokens as secrets. */
export interface SharedConfig {
  values: Record<string, unknown>;
  secrets: Secrets;
  problems: ConfigProblem[];
}

export const nothingShared: SharedConfig = { values: {}, secrets: {}, problems: [] };

/** The outputs of a shared stack that mean something to the stacks that share it. */
export const sharedOutputNames: readonly string[] = [...sharedKeys, ...secretKeys];

/**
 * What the outputs of a shared stack give.
 *
 * @param stack its full name.
 */
export function sharedConfig(stack: string, outputs: Readonly<Record<string, SharedOutput>>): SharedConfig {
  const present = Object.entries(outputs).filter(([key]) => sharedOutputNames.includes(key));
  return {
    values: Object.fromEntries(
      present
        .filter(([key, { secret }]) => !isSecret(key) && !secret)
        .map(([key, { value }]) => [key, value]),
    ),
    secrets: Object.fromEntries(
      present
        .filter(([key, { secret }]) => isSecret(key) && secret)
        .map(([key, { value }]) => [key, value as string]),
    ),
    problems: present
      .filter(([key, { secret }]) => isSecret(key) !== secret)
      .map(([key]) => ({
        key: 'skyfleet:shared.stack',
        value: stack,
        message: isSecret(key)
          ? `gives ${key} in plain text; export it there as pulumi.secret(…)`
          : `gives ${key} as a secret, which would not stay one here; export it in plain`,
      })),
  };
}

const setSecret = (key: SecretKey): string => `run: pulumi config set --secret skyfleet:${key}`;

/** What is wrong with the secrets; their values are not shown. */
function secretProblems(written: WrittenConfig, shared: SharedConfig): ConfigProblem[] {
  return secretKeys.flatMap((key): ConfigProblem[] => {
    const problem = (message: string): ConfigProblem[] => [
      { key: `skyfleet:${key}`, value: undefined, message },
    ];
    if (written.secrets[key] !== undefined && !written.encrypted.includes(key)) {
      return problem(`is written in plain text; ${setSecret(key)}`);
    }
    const text = written.secrets[key] ?? shared.secrets[key];
    if (key === 'orchestratorToken' && text === undefined && shared.problems.length === 0) {
      return problem(`is missing; ${setSecret(key)}`);
    }
    return text === undefined || isToken(text) ? [] : problem(tokenRule);
  });
}

/** The checked configuration of a stack, or every problem that was found. */
export interface CheckedStackConfig {
  /** Undefined where what is written has a problem in itself. */
  config: SkyfleetConfig | undefined;
  /** The secrets in plain, wherever they come from. */
  secrets: Secrets;
  problems: ConfigProblem[];
}

/**
 * Checks the configuration of a stack, completed by the stack that it shares.
 *
 * @param options.projectDir folder with the `Pulumi.<stack>.yaml` files.
 * @param options.stack name of the stack, without its organization and project.
 * @param options.region AWS region (`aws:region`).
 */
export function checkStackConfig(options: {
  projectDir: string;
  stack: string;
  region: string;
  written: WrittenConfig;
  shared: SharedConfig;
}): CheckedStackConfig {
  const { projectDir, stack, region, written, shared } = options;
  const secrets: Secrets = { ...shared.secrets, ...written.secrets };
  const { config, problems } = checkConfig(withShared(written.values, shared.values), {
    region,
    skypilotToken: secrets.skypilotToken !== undefined,
    orchestratorApiToken: secrets.orchestratorApiToken !== undefined,
  });
  return {
    config,
    secrets,
    problems: [
      ...problems,
      ...claimProblems(projectDir, stack, written.values),
      ...shared.problems,
      ...secretProblems(written, shared),
    ],
  };
}
