import * as pulumi from '@pulumi/pulumi';
import { ConfigError } from './problem';
import type { SkyfleetConfig } from './schema';
import {
  checkStackConfig,
  nothingShared,
  sharedConfig,
  sharedOutputNames,
  sharedStackOf,
  writtenConfig,
  type SharedConfig,
  type SharedOutput,
} from './stack-config';

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

/** Keys that the stack file holds encrypted; the SDK reads this variable too, but does not export what it reads. */
function encryptedKeys(): string[] {
  return JSON.parse(process.env['PULUMI_CONFIG_SECRET_KEYS'] ?? '[]') as string[];
}

async function sharedOutputs(stack: string): Promise<SharedConfig> {
  const reference = new pulumi.StackReference(stack);
  const outputs = await Promise.all(
    sharedOutputNames.map(async (key): Promise<[string, SharedOutput]> => {
      const details: { value?: unknown; secretValue?: unknown } = await reference.getOutputDetails(key);
      const secret = details.secretValue !== undefined;
      return [key, { value: secret ? details.secretValue : details.value, secret }];
    }),
  );
  return sharedConfig(stack, Object.fromEntries(outputs.filter(([, { value }]) => value !== undefined)));
}

/**
 * Reads and checks the configuration of the current stack, completed by the stack that it shares.
 *
 * @param projectDir folder with the `Pulumi.<stack>.yaml` files.
 * @throws RunError with every problem found, before any resource is registered.
 */
export async function loadConfig(projectDir: string): Promise<StackConfig> {
  const written = writtenConfig(pulumi.runtime.allConfig(), encryptedKeys());
  const sharedStack = sharedStackOf(written);
  const shared = sharedStack === undefined ? nothingShared : await sharedOutputs(sharedStack);
  const region = new pulumi.Config('aws').require('region');
  const stack = pulumi.getStack();
  const { config, secrets, problems } = checkStackConfig({ projectDir, stack, region, written, shared });
  const { orchestratorToken, skypilotToken, orchestratorApiToken } = secrets;
  if (config === undefined || orchestratorToken === undefined || problems.length > 0) {
    // Pulumi prints the message of this error alone, without a stack trace.
    throw new pulumi.RunError(new ConfigError(problems).message);
  }
  return {
    ...config,
    region,
    secrets: {
      orchestratorToken: pulumi.secret(orchestratorToken),
      ...(skypilotToken === undefined ? {} : { skypilotToken: pulumi.secret(skypilotToken) }),
      ...(orchestratorApiToken === undefined
        ? {}
        : { orchestratorApiToken: pulumi.secret(orchestratorApiToken) }),
    },
    plain: { orchestratorToken, skypilotToken, orchestratorApiToken },
  };
}
