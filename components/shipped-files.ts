import { local } from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import { fileVariable } from '../deployment/operator/shipped-files';
import { operatorProgram } from './operator-program';

/** Which files are shipped. */
export interface ShippedFilesArgs {
  /** Full name of the stack. */
  stack: string;
  /** Minutes that looking at them may take. */
  callMinutes: number;
  /** Text of each file that every node of the fleet gets, by its path below `deployment/node/`. */
  files: Record<string, string>;
}

/**
 * The files that every node of a fleet gets, each a variable of its own, so that a preview shows the changed lines of
 * just that file, once for the whole fleet. The places hold no more than a fingerprint of them.
 */
export class ShippedFiles extends pulumi.ComponentResource {
  constructor(name: string, args: ShippedFilesArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:bacalhau:ShippedFiles', name, {}, opts);
    new local.Command(
      `${name}-reviewed`,
      {
        create: operatorProgram('files'),
        environment: {
          SKYFLEET_STACK: args.stack,
          SKYFLEET_CALL_MINUTES: String(args.callMinutes),
          ...Object.fromEntries(Object.entries(args.files).map(([file, text]) => [fileVariable(file), text])),
        },
        logging: local.Logging.None,
      },
      { parent: this },
    );
    this.registerOutputs();
  }
}
