import * as pulumi from '@pulumi/pulumi';
import { ConfigError, parseConfig } from './parse';
import { refuseSharedOrdinals } from './ordinals';
import { configKeys, type SkyfleetConfig } from './schema';

/** The checked configuration of the current stack and its secrets. */
export interface StackConfig extends SkyfleetConfig {
  /** AWS region of the stack (`aws:region`). */
  region: string;
  secrets: {
    /** Token with which compute nodes join the orchestrator (`skyfleet:orchestratorToken`). */
    orchestratorToken: pulumi.Output<string>;
    /** Service account token of the SkyPilot server, where it asks for a login (`skyfleet:skypilotToken`). */
    skypilotToken?: pulumi.Output<string>;
  };
}

const secretKeys = ['orchestratorToken', 'skypilotToken'];

/** All keys of the stack file below `skyfleet:`, so that unknown ones can be refused. */
function writtenKeys(): string[] {
  return Object.keys(pulumi.runtime.allConfig())
    .filter((key) => key.startsWith('skyfleet:'))
    .map((key) => key.slice('skyfleet:'.length))
    .filter((key) => !secretKeys.includes(key));
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

/** The token travels in an environment file of the compose project, which takes some characters for its own. */
function checkedToken(token: string): string {
  if (/^[\x21-\x7e]+$/.test(token) && !/['"\\$]/.test(token)) return token;
  const message =
    'must be visible ASCII without spaces, quotes, $ and \\; make another token for the orchestrator';
  throw new ConfigError([{ key: 'skyfleet:orchestratorToken', value: undefined, message }]);
}

/**
 * Reads and checks the configuration of the current stack.
 *
 * @throws ConfigError before any resource is registered.
 */
export function loadConfig(projectDir: string): StackConfig {
  const config = new pulumi.Config('skyfleet');
  const keys = new Set<string>([...configKeys, ...writtenKeys()]);
  const raw = Object.fromEntries(
    [...keys].map((key) => [key, plainValue(config, key)]).filter(([, value]) => value !== undefined),
  ) as Record<string, unknown>;

  const parsed = parseConfig(raw);
  refuseSharedOrdinals(projectDir, pulumi.getStack(), parsed.fleets);

  const token = config.getSecret('orchestratorToken');
  if (token === undefined) {
    throw new ConfigError([
      {
        key: 'skyfleet:orchestratorToken',
        value: undefined,
        message: 'is missing; run: pulumi config set --secret skyfleet:orchestratorToken',
      },
    ]);
  }
  if (!secretConfigKeys().includes('skyfleet:orchestratorToken')) {
    throw new ConfigError([
      {
        key: 'skyfleet:orchestratorToken',
        value: undefined,
        message: 'is written in plain text; run: pulumi config set --secret skyfleet:orchestratorToken',
      },
    ]);
  }
  const skypilotToken = config.getSecret('skypilotToken');
  return {
    ...parsed,
    region: new pulumi.Config('aws').require('region'),
    secrets: {
      orchestratorToken: token.apply(checkedToken),
      ...(skypilotToken === undefined ? {} : { skypilotToken }),
    },
  };
}
