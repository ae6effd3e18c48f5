import { local } from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import type { SkyfleetConfig } from '../config/schema';
import { toYaml } from '../deployment/operator/task';
import { secretFingerprint } from './secret-fingerprint';

/** What a review goes by. */
export interface ReviewedArgs {
  /** Full name of the stack. */
  stack: string;
  /** What the platform team demands of the stack, wherever it is from. */
  governance: SkyfleetConfig['governance'];
  /** The secrets of the stack by their keys, where they are set. */
  secrets: Record<string, pulumi.Input<string> | undefined>;
}

/** Prints a key that nobody can guess. It stays in the state, encrypted, and never leaves the machine that runs Pulumi. */
const makeKey = `node -e 'process.stdout.write(require("node:crypto").randomBytes(32).toString("hex"))'`;

/**
 * What a review goes by and the rest of the plan does not say: the rules that the stack is held to, and a fingerprint of
 * each secret, so that a preview shows whether it changes, and to a value that was there before. Runs nothing.
 */
export class Reviewed extends pulumi.ComponentResource {
  constructor(name: string, args: ReviewedArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:review:Reviewed', name, {}, opts);
    const key = new local.Command(
      `${name}-fingerprint-key`,
      { create: makeKey, logging: local.Logging.None },
      { parent: this, additionalSecretOutputs: ['stdout'] },
    );
    const fingerprints = Object.entries(args.secrets).flatMap(([secret, value]) =>
      value === undefined
        ? []
        : [
            [
              `SECRET_${secret}`,
              pulumi.unsecret(
                pulumi
                  .all([key.stdout, value])
                  .apply(([keyText, valueText]) => secretFingerprint(keyText, valueText)),
              ),
            ],
          ],
    );
    new local.Command(
      `${name}-reviewed`,
      {
        environment: {
          SKYFLEET_STACK: args.stack,
          SKYFLEET_GOVERNANCE: toYaml(args.governance),
          ...(Object.fromEntries(fingerprints) as Record<string, pulumi.Output<string>>),
        },
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
