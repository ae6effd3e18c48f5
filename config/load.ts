import * as pulumi from '@pulumi/pulumi';
import { claimProblems } from './claims';
import { checkConfig } from './parse';
import { ConfigError, type ConfigProblem } from './problem';
import { configKeys, type SkyfleetConfig } from './schema';
import { sharedKeys, withShared } from './shared';
import { isToken, tokenRule } from './token';

/** The checked configuration of the current stack and its secrets. */
export interface StackConfig extends SkyfleetConfig {
  /** AWS region of the stack (`aws:region`). */
  region: string;
  /** The secrets, for inputs of resources. */
  secrets: {
    /** Token with which compute nodes join the orchestrator (`skyfleet:orchestratorToken`). */
    orchestratorToken: pulumi.Output<string>;
    /** Service account token of the SkyPilot server, where it asks for a login (`skyfleet:skypilotToken`). */
    skypilotToken?: pulumi.Output<string>;
    /** Token of the orchestrator's API, where it asks for one (`skyfleet:orchestratorApiToken`). */
    orchestratorApiToken?: pulumi.Output<string>;
  };
  /** The same in plain, for what the program itself compares and asks; never an input of a resource. */
  plain: {
    /** The orchestrator's token. */
    orchestratorToken: string;
    /** The SkyPilot server's token; undefined where there is none. */
    skypilotToken: string | undefined;
    /** The token of the orchestrator's API; undefined where there is none. */
    orchestratorApiToken: string | undefined;
  };
}

const secretKeys = ['orchestratorToken', 'skypilotToken', 'orchestratorApiToken'] as const;
type SecretKey = (typeof secretKeys)[number];

/** All keys of the stack file below `skyfleet:`, so that unknown ones can be refused. */
function writtenKeys(): string[] {
  return Object.keys(pulumi.runtime.allConfig())
    .filter((key) => key.startsWith('skyfleet:'))
    .map((key) => key.slice('skyfleet:'.length))
    .filter((key) => !secretKeys.some((secret) => secret === key));
}

/** Keys that the stack file holds encrypted; the SDK reads this variable too, but does not export what it reads. */
function secretConfigKeys(): string[] {
  return JSON.parse(process.env['PULUMI_CONFIG_SECRET_KEYS'] ?? '[]') as string[];
}

function plainValue(config: pulumi.Config, key: string): unknown {
  const text = config.get(key);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

function writtenValues(config: pulumi.Config): Record<string, unknown> {
  const keys = new Set<string>([...configKeys, ...writtenKeys()]);
  return Object.fromEntries(
    [...keys].map((key) => [key, plainValue(config, key)]).filter(([, value]) => value !== undefined),
  ) as Record<string, unknown>;
}

/** What a shared stack gives: settings in plain, tokens as secrets. */
interface SharedOutputs {
  values: Record<string, unknown>;
  secrets: Partial<Record<SecretKey, string>>;
  problems: ConfigProblem[];
}

async function sharedOutputs(stack: string): Promise<SharedOutputs> {
  const reference = new pulumi.StackReference(stack);
  const details = await Promise.all(
    [...sharedKeys, ...secretKeys].map(async (key): Promise<[string, pulumi.StackReferenceOutputDetails]> => [
      key,
      await reference.getOutputDetails(key),
    ]),
  );
  const isSecret = (key: string): key is SecretKey => secretKeys.some((secret) => secret === key);
  const present = details.filter(
    ([, { value, secretValue }]) => value !== undefined || secretValue !== undefined,
  );
  return {
    values: Object.fromEntries(
      present.filter(([key]) => !isSecret(key)).map(([key, { value }]) => [key, value as unknown]),
    ),
    secrets: Object.fromEntries(
      present.filter(([key]) => isSecret(key)).map(([key, { secretValue }]) => [key, secretValue]),
    ),
    problems: present
      .filter(([key, { value }]) => isSecret(key) === (value !== undefined))
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
function secretProblems(config: pulumi.Config, shared: SharedOutputs): ConfigProblem[] {
  return secretKeys.flatMap((key): ConfigProblem[] => {
    const problem = (message: string): ConfigProblem[] => [
      { key: `skyfleet:${key}`, value: undefined, message },
    ];
    const written = config.get(key);
    if (written !== undefined && !secretConfigKeys().includes(`skyfleet:${key}`)) {
      return problem(`is written in plain text; ${setSecret(key)}`);
    }
    const text = written ?? shared.secrets[key];
    if (key === 'orchestratorToken' && text === undefined && shared.problems.length === 0) {
      return problem(`is missing; ${setSecret(key)}`);
    }
    return text === undefined || isToken(text) ? [] : problem(tokenRule);
  });
}

/**
 * Reads and checks the configuration of the current stack, completed by the stack that it shares.
 *
 * @param projectDir folder with the `Pulumi.<stack>.yaml` files.
 * @throws RunError with every problem found, before any resource is registered.
 */
export async function loadConfig(projectDir: string): Promise<StackConfig> {
  const config = new pulumi.Config('skyfleet');
  const own = writtenValues(config);
  const sharedStack = (own['shared'] as { stack?: unknown } | undefined)?.stack;
  const shared: SharedOutputs =
    typeof sharedStack === 'string' && sharedStack.split('/').length === 3
      ? await sharedOutputs(sharedStack)
      : { values: {}, secrets: {}, problems: [] };

  const region = new pulumi.Config('aws').require('region');
  const skypilotToken = config.getSecret('skypilotToken') ?? secret(shared.secrets.skypilotToken);
  const orchestratorToken = config.getSecret('orchestratorToken') ?? secret(shared.secrets.orchestratorToken);
  const orchestratorApiToken =
    config.getSecret('orchestratorApiToken') ?? secret(shared.secrets.orchestratorApiToken);
  const checked = checkConfig(withShared(own, shared.values), {
    region,
    skypilotToken: skypilotToken !== undefined,
    orchestratorApiToken: orchestratorApiToken !== undefined,
  });
  const plain = {
    orchestratorToken: config.get('orchestratorToken') ?? shared.secrets.orchestratorToken ?? '',
    skypilotToken: config.get('skypilotToken') ?? shared.secrets.skypilotToken,
    orchestratorApiToken: config.get('orchestratorApiToken') ?? shared.secrets.orchestratorApiToken,
  };
  const problems = [
    ...checked.problems,
    ...claimProblems(projectDir, pulumi.getStack(), own),
    ...shared.problems,
    ...secretProblems(config, shared),
  ];
  if (checked.config === undefined || orchestratorToken === undefined || problems.length > 0) {
    // Pulumi prints the message of this error alone, without a stack trace.
    throw new pulumi.RunError(new ConfigError(problems).message);
  }
  return {
    ...checked.config,
    region,
    secrets: {
      orchestratorToken,
      ...(skypilotToken === undefined ? {} : { skypilotToken }),
      ...(orchestratorApiToken === undefined ? {} : { orchestratorApiToken }),
    },
    plain,
  };
}

function secret(value: string | undefined): pulumi.Output<string> | undefined {
  return value === undefined ? undefined : pulumi.secret(value);
}
