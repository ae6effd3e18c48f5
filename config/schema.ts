import { z } from 'zod';
import {
  cidr,
  dnsLabel,
  instanceType,
  labelMap,
  minutes,
  ordinalRange,
  pinnedImage,
  region,
  sshCidrs,
  tagKeys,
  tagMap,
  zone,
} from './atoms';
import { policyRuleNames, severities } from './policy-rules';
import { sharedKeys } from './shared';

/**
 * The one description of what a stack configuration may say: the `skyfleet:` keys of `Pulumi.<stack>.yaml`. The types
 * of the program, `Pulumi.yaml`'s declarations and `docs/configuration.md` follow it, and a test holds them to it. Rules
 * that look at more than one value are in `rules.ts`.
 */

/** Days that CloudWatch keeps a log group's events (https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html). */
const logRetentionDays = [
  1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
] as const;

const network = z
  .strictObject({
    cidr: cidr.describe(
      'Address range of the VPC, /16 to /25 (/22 with NAT). Each zone gets an eighth of it. Must not overlap the range of another stack file.',
    ),
    zones: z
      .array(zone)
      .min(2, 'must name two zones or more, so that one without capacity is not the end')
      .describe('Availability zones of the region, each gets a subnet; tried in this order.'),
    nat: z
      .enum(['none', 'single', 'zonal'])
      .default('none')
      .describe(
        'NAT gateways: `none` gives nodes public addresses; `single` and `zonal` put them into private subnets behind one gateway, or one for each zone.',
      ),
    flowLogs: z
      .strictObject({
        retentionDays: z
          .literal(logRetentionDays)
          .default(30)
          .describe('Days that CloudWatch keeps the records.'),
      })
      .optional()
      .describe('Records of all traffic of the VPC, in CloudWatch. None where absent.'),
  })
  .describe('The VPC.');

const access = z
  .strictObject({
    cidrs: sshCidrs.optional().describe("Address ranges from which SkyPilot's server connects by SSH."),
    ssm: z
      .literal(true)
      .optional()
      .describe('Connect through AWS Systems Manager; no port is open to anybody.'),
    proxy: z
      .strictObject({
        command: z
          .string()
          .regex(
            /^(?=.*%h)(?=.*%p).+$/,
            'must be an OpenSSH ProxyCommand with %h and %p, such as ssh -W %h:%p user@bastion',
          )
          .describe("OpenSSH ProxyCommand that SkyPilot's server connects through, with `%h` and `%p`."),
        cidrs: sshCidrs.describe('Address ranges from which the proxy connects by SSH.'),
      })
      .optional()
      .describe('Connect through a bastion.'),
  })
  .describe('How SkyPilot reaches the nodes: exactly one of `cidrs`, `ssm` and `proxy`.');

export const fleetSchema = z.strictObject({
  name: dnsLabel.describe('Name of the fleet; its places are called `<name>-0`, `<name>-1`, …'),
  clusters: z.int().min(1).max(500).describe('Number of places, each a SkyPilot cluster of its own.'),
  nodesPerCluster: z
    .int()
    .min(1)
    .max(64)
    .default(1)
    .describe("Nodes in each cluster (SkyPilot's `num_nodes`)."),
  instanceType: instanceType
    .optional()
    .describe('EC2 instance type. Instead of it, `cpus` and `memoryGiB` let SkyPilot choose the cheapest.'),
  fallbackInstanceTypes: z
    .array(instanceType)
    .min(1, 'must name at least one type; leave it out for none')
    .optional()
    .describe(
      'EC2 instance types that do as well, tried in this order when no zone has capacity of `instanceType`. Another list moves no node that is there, while its type stays in `instanceType` or the list. None where absent.',
    ),
  cpus: z.int().min(1).max(448).optional().describe('vCPUs that a node has at least.'),
  memoryGiB: z.int().min(1).max(24_576).optional().describe('Memory in GiB that a node has at least.'),
  architecture: z
    .enum(['x86_64', 'arm64'])
    .optional()
    .describe('Processor that goes with `cpus` and `memoryGiB`; `x86_64` where absent.'),
  accelerators: z
    .record(
      z.string().regex(/^[A-Za-z][\w.-]*$/, "must be SkyPilot's name of an accelerator, such as T4"),
      z.int().min(1).max(16),
    )
    .refine(
      (wanted) => Object.keys(wanted).length === 1,
      'must name exactly one kind of accelerator, such as { T4: 1 }',
    )
    .optional()
    .describe('Accelerator and how many of it each node has, such as `{ T4: 1 }`. None where absent.'),
  spot: z.boolean().default(true).describe('Spot instances (true) or on-demand (false).'),
  onDemandFallback: z
    .boolean()
    .default(false)
    .describe('Launch on-demand as the last resort, when no zone has spot capacity.'),
  maxHourlyUsd: z
    .number()
    .positive()
    .max(1000)
    .optional()
    .describe(
      'Price limit of one node in US dollars per hour, by the prices of its catalog, where SkyPilot chooses the type. None where absent.',
    ),
  strategy: z
    .enum(['create-first', 'delete-first'])
    .default('create-first')
    .describe(
      'How machines are replaced: `create-first` has the new one ready before the old one goes; `delete-first` ends the old one first, for those who cannot have both.',
    ),
  recovery: z
    .enum(['up', 'managed'])
    .default('up')
    .describe(
      "Who brings back a node that AWS has taken: `up` leaves it to the next `pulumi up`, which a preview announces; `managed` makes each place a SkyPilot managed job, recovered by SkyPilot's server unattended.",
    ),
  drainMinutes: z
    .int()
    .min(0)
    .max(1440)
    .default(0)
    .describe(
      'Minutes that running jobs may take to end before their node is removed or replaced; it takes no new ones meanwhile. 0 does not wait.',
    ),
  zones: z
    .array(zone)
    .min(1, 'must name at least one zone; leave zones out for all of them')
    .optional()
    .describe('Zones of the network that the fleet may use, in this order; all of them where absent.'),
  diskSizeGiB: z.int().min(8).max(16384).default(30).describe('Size of the root volume in GiB.'),
  imageId: z
    .string()
    .regex(/^ami-[0-9a-f]{8,17}$/, 'must be an AMI id such as ami-0123456789abcdef0')
    .optional()
    .describe("AMI; SkyPilot's Ubuntu image where absent."),
  ordinals: ordinalRange.describe(
    'Sensor ordinals that belong to this fleet, disjoint from every other fleet of every stack file.',
  ),
  identity: z
    .enum(['place', 'instance'])
    .default('place')
    .describe(
      "Whether a node's identity belongs to its place (survives a replaced machine) or to the instance.",
    ),
  labels: labelMap
    .default({})
    .describe("Bacalhau labels of the fleet's nodes, beside those from the identity."),
  tags: tagMap
    .default({})
    .describe("AWS tags of the fleet's instances and volumes, beside those of the stack."),
});

const orchestrator = z
  .strictObject({
    endpoints: z
      .array(z.string().regex(/^nats:\/\/[^\s/:]+:\d+$/, 'must be nats://host:port, also with TLS'))
      .min(1, 'must name at least one orchestrator')
      .describe('NATS addresses of the Bacalhau orchestrators; a node uses the first that answers.'),
    tls: z
      .strictObject({
        caCert: z
          .string()
          .startsWith('-----BEGIN CERTIFICATE-----', 'must be the PEM text of a certificate')
          .optional()
          .describe('PEM text of the authority, where it is not a public one.'),
        handshakeFirst: z
          .boolean()
          .default(false)
          .describe(
            'Whether a proxy before the orchestrator ends TLS, and so speaks it from the first byte on.',
          ),
      })
      .optional()
      .describe('TLS to the orchestrator is demanded where this is present.'),
    api: z
      .url({
        protocol: /^https?$/,
        error: 'must be an http or https address such as http://orchestrator.example.com:1234',
      })
      .optional()
      .describe(
        "Address of the orchestrator's API, as seen from where Pulumi runs. Where it is given, a preview shows which nodes are disconnected, and removed nodes leave the orchestrator's list.",
      ),
  })
  .describe('The Bacalhau orchestrators that the nodes join.');

const bacalhau = z
  .strictObject({
    image: pinnedImage
      .default('ghcr.io/bacalhau-project/bacalhau:v1.9.0')
      .describe('Image of the compute node.'),
    acceptNetworkedJobs: z
      .boolean()
      .default(false)
      .describe(
        "Whether jobs may ask for a network. A job with the host's network can reach the node's role.",
      ),
    logLevel: z
      .enum(['trace', 'debug', 'info', 'warn', 'error'])
      .default('info')
      .describe("The compute node's log level."),
  })
  .describe('The compute node.');

const sensor = z
  .strictObject({ image: pinnedImage.describe('Image of the sensor.') })
  .describe('The sensor beside each compute node.');

const buckets = z
  .strictObject({
    onDestroy: z
      .enum(['keep', 'delete'])
      .default('keep')
      .describe(
        'What `pulumi destroy` does with the data bucket: `keep` leaves it, with its settings, and says so; `delete` empties and deletes it.',
      ),
    prefix: z
      .string()
      .regex(
        /^([\w!.*'()-]+\/)+$/,
        'must be one or more folders with a slash behind each, such as fleets/ or sensors/prod/',
      )
      .max(200)
      .default('fleets/')
      .describe('Key prefix below which everything of the nodes stands; nothing else is open to them.'),
    retention: z
      .strictObject({
        dataDays: z
          .int()
          .min(1)
          .max(36_500)
          .optional()
          .describe('Days after which what sensors and health checks wrote is deleted. Never where absent.'),
        oldVersionDays: z
          .int()
          .min(1)
          .max(36_500)
          .default(30)
          .describe('Days that overwritten and deleted versions are kept.'),
        brokenUploadDays: z
          .int()
          .min(1)
          .max(365)
          .default(7)
          .describe('Days after which the parts of an upload that was never completed are deleted.'),
      })
      .prefault({})
      .describe('How long the bucket keeps what is in it.'),
    endpointUrl: z
      .url({ protocol: /^https?$/, error: 'must be an http or https address' })
      .optional()
      .describe("S3 endpoint that nodes use instead of AWS's own, addressed path-style."),
  })
  .describe('The data bucket.');

const skypilot = z
  .strictObject({
    endpoint: z
      .url({
        protocol: /^https?$/,
        error: 'must be an http or https address such as http://127.0.0.1:46580',
      })
      .default('http://127.0.0.1:46580')
      .describe("Address of SkyPilot's API server; the default is a local one."),
  })
  .describe('The SkyPilot API server. The stack belongs to the server that it was first brought up with.');

const governance = z
  .strictObject({
    regions: z
      .array(region)
      .min(1, 'must name at least one region; leave regions out for any')
      .optional()
      .describe('Regions that `aws:region` may name. Any where absent.'),
    requiredTags: tagKeys
      .default([])
      .describe('Keys of AWS tags that must be there for every fleet, in `tags` or in its own.'),
    permissionsBoundary: z
      .string()
      .regex(/^arn:aws[a-z-]*:iam::(\d{12}|aws):policy\/\S+$/, 'must be the ARN of an IAM policy')
      .optional()
      .describe('Permissions boundary of every role that the stack makes. None where absent.'),
    budget: z
      .strictObject({
        monthlyUsd: z.number().positive().describe('US dollars per month.'),
      })
      .optional()
      .describe('What the stack may cost, as a review reckons it. Any amount where absent.'),
    policy: z
      .partialRecord(
        z.enum(policyRuleNames),
        z.strictObject({
          severity: z.enum(severities).describe('How grave what the rule finds is.'),
          reason: z.string().min(10, 'must say why, in ten characters or more').describe('Why.'),
        }),
      )
      .default({})
      .describe(
        'Rules of the review (docs/policy.md) that are held otherwise, by name: `{ severity, reason }`, the severity `error`, `warning` or `off`.',
      ),
  })
  .describe('What the platform team demands of the stack.');

const timeouts = z
  .strictObject({
    launchMinutes: minutes.default(30).describe('Minutes that a launch may take until its nodes are ready.'),
    deleteMinutes: minutes
      .default(20)
      .describe('Minutes that a deletion may take until its instances are terminated.'),
    callMinutes: minutes
      .default(5)
      .describe('Minutes that one call of the AWS CLI, or scheduling a launch, may take.'),
  })
  .describe('Limits in minutes.');

const shared = z
  .strictObject({
    stack: z
      .string()
      .regex(/^[^\s/]+\/[^\s/]+\/[^\s/]+$/, 'must be organization/project/stack')
      .optional()
      .describe('Full name of the stack, such as `organization/skyfleet-shared/prod`.'),
  })
  .describe(
    `A stack whose outputs ${[...sharedKeys, 'orchestratorToken', 'orchestratorApiToken'].map((key) => `\`${key}\``).join(', ')} and \`skypilotToken\` stand in for what this stack file does not say.`,
  );

export const configSchema = z.strictObject({
  /** The stack whose outputs stand in for what this stack file does not say. */
  shared: shared.prefault({}),
  network,
  access,
  fleets: z.array(fleetSchema).min(1, 'must name at least one fleet').describe('The fleets.'),
  orchestrator,
  bacalhau: bacalhau.prefault({}),
  sensor,
  buckets: buckets.prefault({}),
  skypilot: skypilot.prefault({}),
  governance: governance.prefault({}),
  timeouts: timeouts.prefault({}),
  tags: tagMap.default({}).describe('AWS tags of everything that the stack makes.'),
});

/** A fleet as `skyfleet:fleets` of the stack file declares it, checked and with its defaults; see docs/configuration.md. */
export type FleetConfig = z.output<typeof fleetSchema>;
/** All that the `skyfleet:` keys of a stack file declare, checked and with their defaults; see docs/configuration.md. */
export type SkyfleetConfig = z.output<typeof configSchema>;
export type OrdinalRange = z.output<typeof ordinalRange>;

/** Top-level keys below `skyfleet:` that hold structured values, in the order of the documentation. */
export const configKeys = Object.keys(configSchema.shape) as (keyof SkyfleetConfig)[];
