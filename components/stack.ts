import * as pulumi from '@pulumi/pulumi';
import { fleetInputs } from '../config/change-classes';
import type { StackConfig } from '../config/load';
import type { Connection } from '../deployment/operator/task';
import type { NodeReport } from '../deployment/operator/wait';
import { BacalhauFleet } from './bacalhau-fleet';
import { Buckets } from './buckets';
import { Launches } from './launches';
import { Network } from './network';
import { NodeRole } from './node-role';
import type { Override } from './override';
import { stackName } from './recorded-stack';
import { reviewOverride } from './review-override';
import { Reviewed } from './reviewed';
import { SkyServer } from './sky-server';
import { readHistory, type StackHistory } from './stack-history';

/** What `pulumi up` prints of a stack, and `pulumi stack output` gives. */
export interface StackOutputs {
  /** Why what a review blocked was applied all the same; absent where nothing was. */
  reviewOverride?: Override;
  /** Name of the data bucket. */
  dataBucket: pulumi.Output<string>;
  /** Id of the VPC, such as `vpc-0123456789abcdef0`. */
  vpcId: pulumi.Output<string>;
  /** The nodes of each fleet by its name, in the order of their ordinals. */
  nodes: Record<string, pulumi.Output<NodeReport[]>>;
}

/** The components of a whole stack, for what a program of its own adds to them. */
export interface DeclaredStack {
  /** The VPC and what is in it. */
  network: Network;
  /** The data bucket. */
  buckets: Buckets;
  /** The role of the nodes. */
  nodeRole: NodeRole;
  /** The SkyPilot server that the stack belongs to. */
  skypilot: SkyServer;
  /** The fleets, in the order of the configuration. */
  fleets: BacalhauFleet[];
  /** What the program is to export. */
  outputs: StackOutputs;
}

/** How SkyPilot reaches the nodes, from the way of access and the network that the configuration declares. */
export function connectionOf({ access, network }: Pick<StackConfig, 'access' | 'network'>): Connection {
  return {
    internalIps: network.nat !== 'none',
    ssm: access.ssm === true,
    proxyCommand: access.proxy?.command,
  };
}

/** Says which places go. */
function tellRemovals(history: StackHistory, fleets: readonly BacalhauFleet[]): void {
  const declared = fleets.flatMap(({ clusters }) => clusters.map(({ place }) => place));
  const removed = history.places.filter(({ place }) => !declared.includes(place));
  for (const { place, applied } of removed) {
    const nodes = applied?.ready.nodes.map(({ nodeName }) => nodeName) ?? [];
    void pulumi.log.info(
      `${place}: scale: the place is removed${nodes.length === 0 ? '' : `; ${nodes.join(', ')} end`}`,
    );
  }
}

/**
 * Declares everything that a configuration asks for: the network, the bucket, the role, the SkyPilot server that the
 * stack belongs to, and the fleets. Names begin with `<project>-<stack>`.
 *
 * @param config of `loadConfig`, or one that the program has changed.
 * @throws RunError in an `up` where what came before cannot be told (see `readHistory`).
 * @example
 * ```ts
 * import { declareStack, loadConfig } from 'skyfleet';
 *
 * export = async () => (await declareStack(await loadConfig(__dirname))).outputs;
 * ```
 */
export async function declareStack(config: StackConfig): Promise<DeclaredStack> {
  const { orchestratorToken, orchestratorApiToken, skypilotToken } = config.secrets;
  const { permissionsBoundary } = config.governance;
  const stack = stackName();
  const name = `${pulumi.getProject()}-${pulumi.getStack()}`;
  const tags = { ...config.tags, 'skyfleet-stack': stack };
  const reading = readHistory(config);
  // An `up` that cannot be told what came before must change nothing; a preview never does, and declares meanwhile.
  if (!pulumi.runtime.isDryRun()) await reading;
  new Reviewed(name, { stack, governance: config.governance, secrets: { ...config.secrets } });
  const prefixOf = (fleet: { name: string }): string => `${config.buckets.prefix}${fleet.name}/`;

  const network = new Network(name, {
    ...config.network,
    region: config.region,
    sshCidrs: config.access.cidrs ?? config.access.proxy?.cidrs ?? [],
    permissionsBoundary,
    tags,
  });
  const buckets = new Buckets(name, {
    onDestroy: config.buckets.onDestroy,
    retention: config.buckets.retention,
    dataPrefixes: config.fleets.flatMap((fleet) => [
      `${prefixOf(fleet)}sensor/`,
      `${prefixOf(fleet)}health/`,
    ]),
    tags,
  });
  const nodeRole = new NodeRole(name, {
    bucketArn: buckets.dataBucketArn,
    prefix: config.buckets.prefix,
    ssm: config.access.ssm === true,
    permissionsBoundary,
    tags,
  });
  const after = [network, buckets, nodeRole];
  const skypilot = new SkyServer(name, {
    stack,
    region: config.region,
    timeouts: config.timeouts,
    endpoint: config.skypilot.endpoint,
    token: skypilotToken,
    after,
  });

  const placement = {
    vpcName: network.vpcName,
    subnetNames: network.subnetNames,
    securityGroupName: network.securityGroupName,
    instanceProfileName: nodeRole.instanceProfileName,
    connection: connectionOf(config),
  };
  const history = await reading;
  const launches = new Launches(name);
  const fleets = config.fleets.map(
    (fleet) =>
      new BacalhauFleet(fleet.name, {
        fleet,
        stack,
        region: config.region,
        zones: config.network.zones,
        placement,
        after,
        orchestrator: config.orchestrator,
        orchestratorToken,
        orchestratorApi:
          config.orchestrator.api === undefined
            ? undefined
            : { endpoint: config.orchestrator.api, token: orchestratorApiToken },
        bacalhau: config.bacalhau,
        sensor: config.sensor,
        bucket: {
          name: buckets.dataBucketName,
          prefix: prefixOf(fleet),
          endpointUrl: config.buckets.endpointUrl,
        },
        skypilot,
        timeouts: config.timeouts,
        launches,
        history,
        inputs: fleetInputs(config, config.region, fleet),
        tags: config.tags,
      }),
  );
  tellRemovals(history, fleets);

  const override = await reviewOverride();
  const outputs = {
    ...(override === undefined ? {} : { reviewOverride: override }),
    dataBucket: buckets.dataBucketName,
    vpcId: network.vpcId,
    nodes: Object.fromEntries(fleets.map((fleet, index) => [config.fleets[index]?.name ?? '', fleet.nodes])),
  };
  return { network, buckets, nodeRole, skypilot, fleets, outputs };
}
