import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { FleetConfig } from '../config/schema';
import { renderNodeSettings, type NodeSettings } from '../deployment/operator/node-settings';
import { readNodeFiles } from '../deployment/operator/node-files';
import type { MachineSpec } from '../deployment/operator/machine';
import { fileFingerprints, filesFingerprint } from '../deployment/operator/shipped-files';
import type { NodeReport } from '../deployment/operator/wait';
import { Launches } from './launches';
import { ShippedFiles } from './shipped-files';
import { SkyCluster, type SkyClusterArgs } from './sky-cluster';

/** What a fleet is made from, and where it is launched. */
export interface BacalhauFleetArgs extends Pick<
  SkyClusterArgs,
  | 'stack'
  | 'placement'
  | 'after'
  | 'orchestratorToken'
  | 'orchestratorApi'
  | 'skypilot'
  | 'timeouts'
  | 'tags'
  | 'launches'
  | 'history'
  | 'inputs'
> {
  /** The fleet as the stack configuration declares it. */
  fleet: FleetConfig;
  /** AWS region. */
  region: string;
  /** Zones of the region that have a subnet, in the order in which to try them. */
  zones: string[];
  /** NATS addresses of the orchestrators, and TLS where they ask for it. */
  orchestrator: {
    /** `nats://host:port`; a node uses the first that answers. */
    endpoints: string[];
    /** TLS is demanded where this is present. */
    tls?: {
      /** PEM text of the authority; a public one where absent. */
      caCert?: string;
      /** Whether a proxy before the orchestrator ends TLS, and so speaks it from the first byte on; false where absent. */
      handshakeFirst?: boolean;
    };
  };
  /** The compute node: image and what jobs may do. */
  bacalhau: {
    /** Image with a version. */
    image: string;
    /** Whether jobs may ask for a network. */
    acceptNetworkedJobs: boolean;
    /** `trace`, `debug`, `info`, `warn` or `error`. */
    logLevel: string;
  };
  /** The sensor beside each compute node. */
  sensor: {
    /** Image with a version. */
    image: string;
  };
  /** The bucket that the nodes write to, below `prefix`. */
  bucket: {
    /** Name of the bucket. */
    name: pulumi.Input<string>;
    /** The fleet's folder in it, with a slash at its end, such as `fleets/sensors/`. */
    prefix: string;
    /** S3 endpoint that nodes use instead of AWS's own. */
    endpointUrl?: string;
  };
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
      zones: fleet.zones ?? args.zones,
      nodes: fleet.nodesPerCluster,
      instanceType: fleet.instanceType,
      fallbackInstanceTypes: fleet.fallbackInstanceTypes,
      cpus: fleet.cpus,
      memoryGiB: fleet.memoryGiB,
      architecture: fleet.architecture,
      accelerators: fleet.accelerators,
      maxHourlyUsd: fleet.maxHourlyUsd,
      imageId: fleet.imageId,
      spot: fleet.spot,
      onDemandFallback: fleet.onDemandFallback,
      diskSizeGiB: fleet.diskSizeGiB,
      managed: fleet.recovery === 'managed',
    };
    const shipped = readNodeFiles();
    const [fingerprint, fingerprints] = [filesFingerprint(shipped), fileFingerprints(shipped)];
    const files = new ShippedFiles(
      `${name}-files`,
      { stack: args.stack, callMinutes: args.timeouts.callMinutes, files: shipped },
      { parent: this },
    );
    const token = new aws.s3.BucketObjectv2(
      `${name}-orchestrator-token`,
      {
        bucket: args.bucket.name,
        key: tokenKey(args),
        content: args.orchestratorToken,
        contentType: 'text/plain',
        serverSideEncryption: 'AES256',
      },
      { parent: this },
    );

    const launches = args.launches ?? new Launches(name, { parent: this });
    this.clusters = Array.from({ length: fleet.clusters }, (_, index) => {
      const place = `${name}-${index}`;
      const settings = pulumi
        .output(args.bucket.name)
        .apply((bucketName) => nodeSettings(args, place, index, bucketName));
      const { stack, placement, orchestratorToken, orchestratorApi, skypilot, timeouts, history } = args;
      return new SkyCluster(
        place,
        {
          stack,
          machine,
          placement,
          // No node starts without its token, and nothing is launched that the preview has not shown.
          after: [...(args.after ?? []), token, files],
          nodeSettings: settings.apply(renderNodeSettings),
          files: fingerprint,
          inputs: {
            ...args.inputs,
            'fleets[].ordinals': { ...fleet.ordinals, first: firstOrdinal(fleet, index) },
            files: fingerprints,
          },
          history,
          strategy: fleet.strategy,
          recovery: fleet.recovery,
          bucket: args.bucket,
          drainMinutes: fleet.drainMinutes,
          orchestratorToken,
          orchestratorApi,
          skypilot,
          timeouts,
          launches,
          tags: { ...args.tags, ...fleet.tags },
        },
        { parent: this },
      );
    });
    this.tellChanges();

    this.nodes = pulumi.all(this.clusters.map((cluster) => cluster.nodes)).apply((nodes) => nodes.flat());
    this.registerOutputs({ nodes: this.nodes });
  }

  /** Says what happens to the places and why, places with the same reason together. */
  private tellChanges(): void {
    const places = new Map<string, string[]>();
    for (const { plan, place } of this.clusters) {
      if (plan.changes) places.set(plan.change, [...(places.get(plan.change) ?? []), place]);
    }
    for (const [change, names] of places) {
      const shown =
        names.length > 3 ? `${names[0]} … ${names.at(-1)} (${names.length} places)` : names.join(', ');
      void pulumi.log.info(`${shown}: ${change}`, this);
    }
  }
}

/** The ordinal of the first node of a cluster. */
function firstOrdinal({ ordinals, nodesPerCluster }: FleetConfig, index: number): number {
  return ordinals.first + index * nodesPerCluster;
}

/** Where the orchestrator's token stands in the bucket: below the prefix that the nodes' role may read. */
function tokenKey({ bucket }: BacalhauFleetArgs): string {
  return `${bucket.prefix}credentials/orchestrator-token`;
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
      firstOrdinal: firstOrdinal(fleet, index),
      count: fleet.nodesPerCluster,
    },
    accelerators: acceleratorsOf(fleet),
    drainMinutes: fleet.drainMinutes,
    identity: fleet.identity === 'place' ? { from: 'place', range: fleet.ordinals } : { from: 'instance' },
    bacalhau: {
      image: bacalhau.image,
      orchestrators: orchestrator.endpoints,
      tls: {
        required: orchestrator.tls !== undefined,
        handshakeFirst: orchestrator.tls?.handshakeFirst ?? false,
        caCert: orchestrator.tls?.caCert ?? null,
      },
      labels: fleet.labels,
      tokenKey: tokenKey(args),
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

/** The kind and number of accelerators that each node of a fleet must have. */
function acceleratorsOf({ accelerators }: FleetConfig): NodeSettings['accelerators'] {
  const [wanted] = Object.entries(accelerators ?? {});
  return wanted === undefined ? null : { type: wanted[0], count: wanted[1] };
}
