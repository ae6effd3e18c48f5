import { local } from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';
import { canonicalText, type PlaceInputs } from '../config/change-classes';
import { labelKeys, submissionText } from '../deployment/operator/incarnation';
import type { LaunchVariables } from '../deployment/operator/launch';
import { machineKey, type MachineSpec } from '../deployment/operator/machine';
import { inputsFingerprint, planPlace, type PlacePlan } from '../deployment/operator/place-plan';
import { deleteCommand, deleteProgramFingerprint } from '../deployment/operator/stored-program';
import { renderSkyConfig, renderTask, toYaml, type Placement } from '../deployment/operator/task';
import type { NodeReport, ReadyCluster } from '../deployment/operator/wait';
import { Launches } from './launches';
import { operatorProgram } from './operator-program';
import type { SkyServer } from './sky-server';
import type { StackHistory } from './stack-history';

/** What a cluster is made from, and where it is launched. */
export interface SkyClusterArgs {
  /** Full name of the stack, which the instances carry as a tag. */
  stack: string;
  /** The machines. Changing any of this but the number of nodes and where to look for them replaces the cluster. */
  machine: MachineSpec;
  /** The stack's own AWS resources that the cluster is launched into. */
  placement: pulumi.Input<Placement>;
  /** What must be there before a launch, such as the components of that placement. */
  after?: pulumi.Resource[];
  /** Text of `node.json`, what the nodes are told about themselves. */
  nodeSettings: pulumi.Input<string>;
  /** Fingerprint of the files that are shipped beside it (`filesFingerprint`). */
  files: string;
  /** What the cluster is made from, by the names of the table of change classes. */
  inputs: PlaceInputs;
  /** What Pulumi has recorded of the stack and what is really there. */
  history: StackHistory;
  /** How machines are replaced: the new one first, or the old one first away. */
  strategy: 'create-first' | 'delete-first';
  /** Who brings back nodes that AWS has taken: the next `up`, or SkyPilot, as a managed job. */
  recovery: 'up' | 'managed';
  /** The data bucket. */
  bucket: {
    /** Name of the bucket. */
    name: pulumi.Input<string>;
    /** The fleet's folder in it, with a slash at its end, such as `fleets/sensors/`. */
    prefix: string;
  };
  /** Minutes that running jobs may take to end before their node is removed or replaced; 0 does not wait. */
  drainMinutes: number;
  /**
   * Token with which the nodes join the orchestrator; a secret. The nodes read it from the bucket. Here it is what the
   * commands must not print.
   */
  orchestratorToken: pulumi.Input<string>;
  /** The orchestrator's API, from whose list nodes are taken that go; where absent, they stay on it as disconnected. */
  orchestratorApi?: {
    /** Address, such as `http://orchestrator.example.com:1234`, as seen from where Pulumi runs. */
    endpoint: string;
    /** Token, where it asks for one; a secret. */
    token?: pulumi.Input<string>;
  };
  /** The SkyPilot server that the stack belongs to. */
  skypilot: SkyServer;
  /** Limits of the commands. */
  timeouts: {
    /** Minutes that a launch may take until its nodes are ready. */
    launchMinutes: number;
    /** Minutes that a deletion may take until its instances are terminated. */
    deleteMinutes: number;
    /** Minutes that a single call may take. */
    callMinutes: number;
  };
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
  /** Name of the place. */
  readonly place: string;
  /** What this `up` does to the place. */
  readonly plan: PlacePlan;

  constructor(name: string, args: SkyClusterArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:sky:SkyCluster', name, {}, opts);
    this.place = name;
    const labels = { ...args.tags, [labelKeys.stack]: args.stack, [labelKeys.place]: name };
    const placement = pulumi.output(args.placement);
    const machine = placement.apply((resolved) => machineKey(args.machine, resolved));
    const history = args.history.of(name);
    this.plan = planPlace({ ...history, nodes: args.machine.nodes, wanted: args.inputs });

    const server = {
      SKYFLEET_PLACE: name,
      SKYFLEET_STACK: args.stack,
      SKYFLEET_REGION: args.machine.region,
      SKYFLEET_NODES: String(args.machine.nodes),
      SKYFLEET_LAUNCH_MINUTES: String(args.timeouts.launchMinutes),
      SKYFLEET_DELETE_MINUTES: String(args.timeouts.deleteMinutes),
      SKYFLEET_DRAIN_MINUTES: String(args.drainMinutes),
      SKYFLEET_CALL_MINUTES: String(args.timeouts.callMinutes),
      SKYFLEET_SKYPILOT_ENDPOINT: args.skypilot.endpoint,
      ...(args.skypilot.token === undefined ? {} : { SKYFLEET_SKYPILOT_TOKEN: args.skypilot.token }),
      SKYFLEET_SERVER: args.skypilot.identity,
      SKYFLEET_BUCKET: args.bucket.name,
      SKYFLEET_BUCKET_PREFIX: args.bucket.prefix,
      SKYFLEET_ORCHESTRATOR_TOKEN: args.orchestratorToken,
      ...(args.orchestratorApi === undefined
        ? {}
        : { SKYFLEET_ORCHESTRATOR_API: args.orchestratorApi.endpoint }),
      ...(args.orchestratorApi?.token === undefined
        ? {}
        : { SKYFLEET_ORCHESTRATOR_API_TOKEN: args.orchestratorApi.token }),
    };
    const launch: { [K in keyof LaunchVariables]: pulumi.Input<string> } = {
      SKYFLEET_TASK: machine.apply((key) =>
        toYaml(renderTask(name, args.machine, { ...labels, [labelKeys.machine]: key })),
      ),
      SKYFLEET_SKYPILOT_CONFIG: placement.apply((resolved) => toYaml(renderSkyConfig(resolved, labels))),
      SKYFLEET_NODE: args.nodeSettings,
    };
    const submit = new local.Command(
      `${name}-submit`,
      {
        create: operatorProgram('submit'),
        delete: deleteCommand,
        environment: {
          ...server,
          SKYFLEET_CHANGE: this.plan.change,
          SKYFLEET_GENERATION: String(this.plan.generation),
          SKYFLEET_SERVING: this.plan.serving,
          SKYFLEET_INPUTS: inputsFingerprint(args.inputs),
          SKYFLEET_STRATEGY: args.strategy,
          SKYFLEET_RECOVERY: args.recovery,
          SKYFLEET_MACHINE: machine,
          SKYFLEET_FILES: args.files,
          SKYFLEET_DELETE_PROGRAM: deleteProgramFingerprint(),
          ...launch,
        },
        logging: local.Logging.None,
      },
      { parent: this, dependsOn: args.after },
    );
    const launches = args.launches ?? new Launches(name, { parent: this });
    launches.add(submit);
    const wait = new local.Command(
      `${name}-wait`,
      {
        create: operatorProgram('wait'),
        environment: {
          ...server,
          SKYFLEET_SUBMISSION: submit.stdout.apply(submissionText),
          SKYFLEET_TAGS: JSON.stringify(args.tags ?? {}),
          SKYFLEET_APPLIED: toYaml(JSON.parse(canonicalText(args.inputs))),
        },
        logging: local.Logging.None,
      },
      { parent: this, dependsOn: launches.done },
    );

    const ready = wait.stdout.apply((stdout) => JSON.parse(stdout) as ReadyCluster);
    this.incarnation = ready.apply(({ incarnation }) => incarnation);
    this.nodes = ready.apply(({ nodes }) => nodes);
    this.registerOutputs({ incarnation: this.incarnation, nodes: this.nodes });
  }
}
