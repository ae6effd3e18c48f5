import { z } from 'zod';

/**
 * The one description of what a stack configuration may say. Everything below is read from the
 * `skyfleet:` keys of `Pulumi.<stack>.yaml`; `Pulumi.yaml` carries the same keys for Pulumi's own checks.
 */

const dnsLabel = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]*[a-z0-9])?$/,
    'must be lower-case letters, digits and hyphens, starting with a letter',
  )
  .max(24, 'must be 24 characters at most, because cluster names are built from it');

const cidr = z.cidrv4('must be an IPv4 CIDR block such as 10.42.0.0/16');

/** A Docker image reference that names a version: a tag other than `latest`, or a digest. */
const pinnedImage = z
  .string()
  .regex(
    /^[^\s:@]+(:[0-9]+\/[^\s:@]+)?(:(?!latest$)[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})$/,
    'must name a version: repository:tag (not :latest) or repository@sha256:digest',
  );

/** SkyPilot puts the tags on instances and volumes, and takes none with white space (`is_label_valid` of its AWS cloud). */
const tagMap = z.record(
  z
    .string()
    .regex(
      /^(?!aws:|skyfleet-)\S{1,127}$/,
      'must be a tag key without spaces that does not begin with aws: or skyfleet-',
    ),
  z.string().regex(/^\S{0,255}$/, 'must be a tag value of 255 characters at most, without spaces'),
);

/** Labels that Skyfleet or Bacalhau itself sets on a node (`deployment/node/scripts/generate_bacalhau_config.py`). */
const reservedLabels = new Set(
  'stack fleet place ordinal instance_id region zone sensor_id sensor_type city state name os_arch os_type'.split(
    ' ',
  ),
);

/** Bacalhau lower-cases label keys, and does not start with a dot in one; values follow Kubernetes' rules. */
const labelMap = z.record(
  z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/,
      'must be a label key of lower-case letters, digits, _ and -',
    )
    .refine((key) => !reservedLabels.has(key), 'is set by Skyfleet or Bacalhau itself; use another key'),
  z
    .string()
    .regex(
      /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/,
      'must be a label value of 63 letters, digits, _, . and - at most',
    ),
);

export const ordinalRange = z
  .strictObject({
    /** First ordinal of the range, inclusive. */
    first: z.int().min(0),
    /** Last ordinal of the range, inclusive. */
    last: z.int().min(0).max(999_999),
  })
  .refine((range) => range.last >= range.first, { message: 'last must not be below first', path: ['last'] });

export const fleetSchema = z.strictObject({
  /** Name of the fleet; its places are called `<name>-0`, `<name>-1`, … */
  name: dnsLabel,
  /** Number of places, each a SkyPilot cluster of its own. */
  clusters: z.int().min(1).max(500),
  /** Nodes in each cluster (SkyPilot's num_nodes). */
  nodesPerCluster: z.int().min(1).max(64).default(1),
  /** EC2 instance type. */
  instanceType: z
    .string()
    .regex(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, 'must be an EC2 instance type such as t3.medium'),
  /** Spot instances (true) or on-demand (false). */
  spot: z.boolean().default(true),
  /** Size of the root volume in GiB. */
  diskSizeGiB: z.int().min(8).max(16384).default(30),
  /** AMI id; SkyPilot's Ubuntu image where absent. */
  imageId: z
    .string()
    .regex(/^ami-[0-9a-f]{8,17}$/, 'must be an AMI id such as ami-0123456789abcdef0')
    .optional(),
  /** Sensor ordinals that belong to this fleet, disjoint from every other fleet of every stack. */
  ordinals: ordinalRange,
  /** Whether a node's identity belongs to its place (survives a replaced machine) or to the instance. */
  identity: z.enum(['place', 'instance']).default('place'),
  /** Bacalhau labels of the fleet's nodes, beside those from the identity. */
  labels: labelMap.default({}),
});

export const configSchema = z
  .strictObject({
    network: z.strictObject({
      /** Address range of the VPC; each zone gets one subnet of it. */
      cidr,
      /** Availability zones to use, in order; each gets a subnet. */
      zones: z
        .array(z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'must be a zone such as us-west-2a'))
        .min(1),
    }),
    access: z.strictObject({
      /** Address ranges from which SkyPilot's server reaches the nodes by SSH. */
      cidrs: z
        .array(
          cidr.refine(
            (range) => range !== '0.0.0.0/0',
            'must not be open to the world; name the addresses of the SkyPilot server',
          ),
        )
        .min(1),
    }),
    fleets: z.array(fleetSchema).min(1),
    orchestrator: z.strictObject({
      /** NATS addresses of the Bacalhau orchestrators. */
      endpoints: z
        .array(z.string().regex(/^nats:\/\/[^\s/:]+:\d+$/, 'must be nats://host:port, also with TLS'))
        .min(1),
      /** TLS to the orchestrator; `caCert` is the PEM text of its authority where it is not a public one. */
      tls: z
        .strictObject({ caCert: z.string().startsWith('-----BEGIN CERTIFICATE-----').optional() })
        .optional(),
    }),
    bacalhau: z
      .strictObject({
        image: pinnedImage.default('ghcr.io/bacalhau-project/bacalhau:v1.9.0'),
        /** Whether jobs may ask for a network. A job with the host's network can reach the node's role. */
        acceptNetworkedJobs: z.boolean().default(false),
        logLevel: z.enum(['trace', 'debug', 'info', 'warn', 'error']).default('info'),
      })
      .prefault({}),
    sensor: z.strictObject({ image: pinnedImage }),
    buckets: z
      .strictObject({
        /** Empty the data bucket when the stack is destroyed. For stacks whose data is worth nothing. */
        forceDestroy: z.boolean().default(false),
        /** S3 endpoint that nodes use instead of AWS's own; addressed path-style. */
        endpointUrl: z.url().optional(),
      })
      .prefault({}),
    skypilot: z.strictObject({
      /** Address of the SkyPilot API server. */
      endpoint: z.url({
        protocol: /^https?$/,
        message: 'must be an http or https address such as http://127.0.0.1:46580',
      }),
    }),
    timeouts: z
      .strictObject({
        /** Minutes that a launch may take until its nodes are ready. */
        launchMinutes: z.number().positive().max(240).default(30),
        /** Minutes that a deletion may take until its instances are terminated. */
        deleteMinutes: z.number().positive().max(240).default(20),
      })
      .prefault({}),
    /** AWS tags of everything the stack makes. */
    tags: tagMap.default({}),
  })
  .superRefine((config, context) => {
    config.fleets.forEach((fleet, index) => {
      if (config.fleets.findIndex((other) => other.name === fleet.name) !== index) {
        context.addIssue({
          code: 'custom',
          path: ['fleets', index, 'name'],
          message: 'must be unique in the stack',
          input: fleet.name,
        });
      }
      const needed = fleet.clusters * fleet.nodesPerCluster;
      const offered = fleet.ordinals.last - fleet.ordinals.first + 1;
      if (needed > offered) {
        context.addIssue({
          code: 'custom',
          path: ['fleets', index, 'ordinals'],
          message: `must hold ${needed} ordinals (clusters × nodesPerCluster), holds ${offered}; raise last`,
          input: fleet.ordinals,
        });
      }
    });
  });

export type FleetConfig = z.output<typeof fleetSchema>;
export type SkyfleetConfig = z.output<typeof configSchema>;
export type OrdinalRange = z.output<typeof ordinalRange>;

/** Top-level keys below `skyfleet:` that hold structured values, in the order of the documentation. */
export const configKeys = Object.keys(configSchema.shape) as (keyof SkyfleetConfig)[];
