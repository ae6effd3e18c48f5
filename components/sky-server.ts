import { local } from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import { releaseCommand } from '../deployment/operator/stored-program';
import { operatorProgram } from './operator-program';

/** Which SkyPilot server a stack belongs to. */
export interface SkyServerArgs {
  /** Full name of the stack. */
  stack: string;
  /** AWS region. */
  region: string;
  /** Limits of the commands. */
  timeouts: {
    /** Minutes that a deletion may take until its instances are terminated. */
    deleteMinutes: number;
    /** Minutes that a single call may take. */
    callMinutes: number;
  };
  /** Address of the SkyPilot server, such as `http://127.0.0.1:46580`. */
  endpoint: pulumi.Input<string>;
  /** Service account token, where the server asks for a login; a secret. */
  token?: pulumi.Input<string>;
  /** What launches stand in, and what must therefore be deleted after them, such as the network. */
  after?: pulumi.Resource[];
}

/**
 * The SkyPilot server that the stack belongs to. It is recorded when the stack is made; every command that would use
 * another one refuses to, because a second operator's own server would see nothing and build a second fleet. When the
 * stack is destroyed, whatever of it is still on the server is taken down, recorded or not.
 */
export class SkyServer extends pulumi.ComponentResource {
  /** Address of the server. */
  readonly endpoint: pulumi.Output<string>;
  /** Service account token, a secret; undefined where the server asks for none. */
  readonly token: pulumi.Output<string> | undefined;
  /** What the server is known by, for the commands that use it. */
  readonly identity: pulumi.Output<string>;

  constructor(name: string, args: SkyServerArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:sky:SkyServer', name, {}, opts);
    const claim = new local.Command(
      `${name}-skypilot`,
      {
        create: operatorProgram('claim'),
        delete: releaseCommand(),
        environment: {
          SKYFLEET_STACK: args.stack,
          SKYFLEET_REGION: args.region,
          SKYFLEET_DELETE_MINUTES: String(args.timeouts.deleteMinutes),
          SKYFLEET_CALL_MINUTES: String(args.timeouts.callMinutes),
          SKYFLEET_SKYPILOT_ENDPOINT: args.endpoint,
          ...(args.token === undefined ? {} : { SKYFLEET_SKYPILOT_TOKEN: args.token }),
        },
        logging: local.Logging.None,
      },
      { parent: this, dependsOn: args.after },
    );
    this.endpoint = pulumi.output(args.endpoint);
    this.token = args.token === undefined ? undefined : pulumi.output(args.token);
    this.identity = claim.stdout;
    this.registerOutputs({ endpoint: this.endpoint, identity: this.identity });
  }
}
