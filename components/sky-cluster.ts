import { local } from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import { labelKeys } from '../deployment/operator/incarnation';
import type { LaunchVariables } from '../deployment/operator/launch';
import { storedProgram } from '../deployment/operator/stored-program';
import { machineKey, type MachineSpec } from '../deployment/operator/machine';
import { renderSkyConfig, renderTask, toYaml, type Placement } from '../deployment/operator/task';
import type { NodeReport, ReadyCluster } from '../deployment/operator/wait';
import { Launches } from './launches';
import { operatorProgram } from './operator-program';
import type { SkyServer } from './sky-server';

export interface SkyClusterArgs {
  /** Full name of the stack, which the instances carry as a tag. */
  stack: string;
  /** The machines. Changing any of this replaces the cluster. */
  machine: MachineSpec;
  /** The stack's own AWS resources that the cluster is launched into. */
  placement: pulumi.Input<Placement>;
  /** What must be there before a launch, such as the components of that placement. */
  after?: pulumi.Resource[];
  /** Text of each file shipped to the nodes, by its path below the staging folder. */
  files: Record<string, pulumi.Input<string>>;
  /**
   * Token with which the nodes join the orchestrator; a secret. The nodes read it from the bucket. Here it tells the
   * commands that it has changed, and what they must not print.
   */
  orchestratorToken: pulumi.Input<string>;
  /** The SkyPilot server that the stack belongs to. */
  skypilot: SkyServer;
  /** Minutes that a launch and a deletion may take. */
  timeouts: { launchMinutes: number; deleteMinutes: number };
  /** Tags of the instances and volumes, beside those by which the cluster is found again. */
  tags?: Record<string, string>;
  /** The launches that go out before any wait begins; its own alone where absent. */
  launches?: Launches;
}

/**
 * A SkyPilot cluster that stands in a place. The name of the resource is the name of the place; what stands in it has a
 * name of its own (`incarnation`), so that deleting one never touches another.
 *
 * Two commands: `<name>-submit` schedules the launch and returns at once, `<name>-wait` waits for the nodes.
 */
export class SkyCluster extends pulumi.ComponentResource {
  /** Name of the SkyPilot cluster that stands in the place. */
  readonly incarnation: pulumi.Output<string>;
  /** The nodes, by ordinal. */
  readonly nodes: pulumi.Output<NodeReport[]>;

  constructor(name: string, args: SkyClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:sky:SkyCluster', name, {}, opts);
    const labels = { ...args.tags, [labelKeys.stack]: args.stack, [labelKeys.place]: name };
    const placement = pulumi.output(args.placement);
    const machine = placement.apply((resolved) => machineKey(args.machine, resolved));
    const files = fileVariables(args.files);

    const server = {
      SKYFLEET_PLACE: name,
      SKYFLEET_STACK: args.stack,
      SKYFLEET_REGION: args.machine.region,
      SKYFLEET_DELETE_MINUTES: String(args.timeouts.deleteMinutes),
      SKYFLEET_SKYPILOT_ENDPOINT: args.skypilot.endpoint,
      ...(args.skypilot.token === undefined ? {} : { SKYFLEET_SKYPILOT_TOKEN: args.skypilot.token }),
      SKYFLEET_SERVER: args.skypilot.identity,
      SKYFLEET_ORCHESTRATOR_TOKEN: args.orchestratorToken,
    };
    const launch: { [K in keyof LaunchVariables]: pulumi.Input<string> } & Record<
      string,
      pulumi.Input<string>
    > = {
      SKYFLEET_TASK: machine.apply((key) =>
        toYaml(renderTask(name, args.machine, { ...labels, [labelKeys.machine]: key })),
      ),
      SKYFLEET_SKYPILOT_CONFIG: placement.apply((resolved) => toYaml(renderSkyConfig(resolved, labels))),
      SKYFLEET_FILES: JSON.stringify(files.paths),
      ...files.texts,
    };
    const submit = new local.Command(
      `${name}-submit`,
      {
        create: operatorProgram('submit'),
        delete: storedProgram('delete'),
        environment: { ...server, SKYFLEET_MACHINE: machine, ...launch },
        logging: local.Logging.None,
      },
      { parent: this, dependsOn: args.after },
    );
    const launches = args.launches ?? new Launches();
    launches.add(submit);
    const wait = new local.Command(
      `${name}-wait`,
      {
        create: operatorProgram('wait'),
        environment: {
          ...server,
          SKYFLEET_SUBMISSION: submit.stdout,
          SKYFLEET_NODES: String(args.machine.nodes),
          SKYFLEET_LAUNCH_MINUTES: String(args.timeouts.launchMinutes),
        },
        // For another try after a failure: on standard input, because a variable holds 128 KiB at most. A secret, so that
        // a preview does not show it all twice.
        stdin: pulumi.secret(pulumi.jsonStringify(launch)),
        logging: local.Logging.None,
      },
      { parent: this, dependsOn: launches.all },
    );

    const ready = wait.stdout.apply((stdout) => JSON.parse(stdout) as ReadyCluster);
    this.incarnation = ready.apply(({ incarnation }) => incarnation);
    this.nodes = ready.apply(({ nodes }) => nodes);
    this.registerOutputs({ incarnation: this.incarnation, nodes: this.nodes });
  }
}

/** A variable of its own for each shipped file, so that a preview shows the changed lines of just that file. */
function fileVariables(files: Record<string, pulumi.Input<string>>): {
  paths: Record<string, string>;
  texts: Record<string, pulumi.Input<string>>;
} {
  const entries = Object.entries(files).map(([file, text]) => ({
    variable: `FILE_${file.replace(/[^A-Za-z0-9]/g, '_')}`,
    file,
    text,
  }));
  return {
    paths: Object.fromEntries(entries.map(({ variable, file }) => [variable, file])),
    texts: Object.fromEntries(entries.map(({ variable, text }) => [variable, text])),
  };
}
