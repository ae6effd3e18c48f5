import * as pulumi from '@pulumi/pulumi';
import type { FleetConfig } from '../config/schema';
import { renderNodeSettings, type NodeSettings } from '../deployment/operator/node-settings';
import { readNodeFiles } from '../deployment/operator/node-files';
import type { MachineSpec, Placement } from '../deployment/operator/task';
import type { NodeReport } from '../deployment/operator/wait';
import { SkyCluster, type SkyClusterArgs } from './sky-cluster';

export interface BacalhauFleetArgs extends Pick<
  SkyClusterArgs,
  'stack' | 'placement' | 'orchestratorToken' | 'skypilot' | 'timeouts' | 'tags'
> {
  /** The fleet as the stack configuration declares it. */
  fleet: FleetConfig;
  /** AWS region. */
  region: string;
  /** Zones of the region that have a subnet, in the order in which to try them. */
  zones: string[];
  /** NATS addresses of the orchestrators, and TLS where they ask for it. */
  orchestrator: { endpoints: string[]; tls?: { caCert?: string } };
  /** The compute node: image and what jobs may do. */
  bacalhau: { image: string; acceptNetworkedJobs: boolean; logLevel: string };
  /** Image of the sensor. */
  sensor: { image: string };
  /** The bucket that the nodes write to, below `prefix`. */
  bucket: { name: pulumi.Input<string>; prefix: string; endpointUrl?: string };
}

/** A fleet of Bacalhau compute nodes: `clusters` places, each a SkyPilot cluster of `nodesPerCluster` nodes. */
export class BacalhauFleet extends pulumi.ComponentResource {
  /** The clusters, in the order of their places. */
  readonly clusters: SkyCluster[];
  /** The nodes of all clusters, by ordinal. */
  readonly nodes: pulumi.Output<NodeReport[]>;

  constructor(name: string, args: BacalhauFleetArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:bacalhau:BacalhauFleet', name, {}, opts);
    const { fleet } = args;
    const machine: MachineSpec = {
      region: args.region,
      zones: args.zones,
      instanceType: fleet.instanceType,
      spot: fleet.spot,
      diskSizeGiB: fleet.diskSizeGiB,
      nodes: fleet.nodesPerCluster,
      ...(fleet.imageId === undefined ? {} : { imageId: fleet.imageId }),
    };
    const shipped = readNodeFiles();

    // Pulumi runs a limited number of steps at once. A wait that took a place before the last launch went out would
    // hold that launch back for minutes, so all waits come after all launches.
    let launched: (submissions: pulumi.Resource[]) => void = () => undefined;
    const allLaunched = new Promise<pulumi.Resource[]>((resolve) => (launched = resolve));

    this.clusters = Array.from({ length: fleet.clusters }, (_, index) => {
      const place = `${name}-${index}`;
      const settings = pulumi
        .output(args.bucket.name)
        .apply((bucketName) => nodeSettings(args, place, index, bucketName));
      const files = { ...shipped, 'node.json': settings.apply(renderNodeSettings) };
      const { stack, placement, orchestratorToken, skypilot, timeouts, tags } = args;
      return new SkyCluster(
        place,
        {
          stack,
          machine,
          placement,
          files,
          orchestratorToken,
          skypilot,
          timeouts,
          waitAfter: allLaunched,
          ...(tags === undefined ? {} : { tags }),
        },
        { parent: this },
      );
    });
    launched(this.clusters.map(({ submission }) => submission));

    this.nodes = pulumi.all(this.clusters.map((cluster) => cluster.nodes)).apply((nodes) => nodes.flat());
    this.registerOutputs({ nodes: this.nodes });
  }
}

/** What the nodes of one cluster are told. */
function nodeSettings(
  args: BacalhauFleetArgs,
  place: string,
  index: number,
  bucketName: string,
): NodeSettings {
  const { fleet, orchestrator, bacalhau, bucket } = args;
  return {
    stack: args.stack,
    fleet: fleet.name,
    place,
    nodes: {
      firstOrdinal: fleet.ordinals.first + index * fleet.nodesPerCluster,
      count: fleet.nodesPerCluster,
    },
    identity: fleet.identity === 'place' ? { from: 'place', range: fleet.ordinals } : { from: 'instance' },
    bacalhau: {
      image: bacalhau.image,
      orchestrators: orchestrator.endpoints,
      tls: { required: orchestrator.tls !== undefined, caCert: orchestrator.tls?.caCert ?? null },
      labels: fleet.labels,
      allowListedLocalPaths: ['/opt/sensor/data:ro'],
      acceptNetworkedJobs: bacalhau.acceptNetworkedJobs,
      logLevel: bacalhau.logLevel,
    },
    sensor: { image: args.sensor.image },
    bucket: {
      name: bucketName,
      prefix: bucket.prefix,
      region: args.region,
      endpointUrl: bucket.endpointUrl ?? null,
    },
  };
}

export type { Placement };
