import type { PolicyRuleName } from '../../config/policy-rules';
import type { Plan } from './plan';

/** A part of a plan that a rule finds nothing in, and one that it finds something in. */
export interface Example {
  good: Partial<Plan>;
  bad: Partial<Plan>;
}

/** A plan with nothing in it, which the examples add to. */
export const emptyPlan: Plan = {
  region: 'us-west-2',
  stackTag: ['skyfleet-stack', 'organization/skyfleet/dev'],
  resources: [],
  places: [],
  files: {},
  config: {},
  governance: { requiredTags: [] },
  cost: {
    items: [],
    total: { from: { monthlyUsd: 0, complete: true }, to: { monthlyUsd: 0, complete: true } },
    worstCase: { from: { monthlyUsd: 0, complete: true }, to: { monthlyUsd: 0, complete: true } },
  },
};

const resource = (
  type: string,
  name: string,
  inputs: Record<string, unknown>,
  from: Record<string, string[]> = {},
): Plan['resources'][number] => ({ name, type, inputs, from });

interface PlaceExample {
  zones?: string[];
  markets?: boolean[];
  encrypted?: boolean;
  internal?: boolean;
  imageId?: string;
  labels?: Record<string, string>;
}

function place(example: PlaceExample): Plan['places'][number] {
  const { zones = ['us-west-2a'], markets = [true], encrypted = true, internal = false } = example;
  const { imageId, labels = { 'skyfleet-stack': 'organization/skyfleet/dev' } } = example;
  return {
    place: 'sensors-0',
    task: {
      name: 'sensors-0',
      num_nodes: 1,
      resources: {
        instance_type: 't3.medium',
        disk_size: 30,
        labels,
        ...(imageId === undefined ? {} : { image_id: imageId }),
        ordered: markets.flatMap((spot) =>
          zones.map((zone) => ({ infra: `aws/${zone.replace(/[a-z]$/, '')}/${zone}`, use_spot: spot })),
        ),
      },
      setup: '',
      run: '',
    },
    skypilot: { aws: { use_internal_ips: internal, disk_encrypted: encrypted } },
    settings: undefined,
  };
}

const ssh = (cidrIpv4: string): Partial<Plan> => ({
  resources: [
    resource('aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule', 'ssh', {
      cidrIpv4,
      ipProtocol: 'tcp',
      fromPort: 22,
      toPort: 22,
    }),
  ],
});

const bucket = resource('aws:s3/bucket:Bucket', 'data', {});

const metadata = (httpTokens: string): Partial<Plan> => ({
  resources: [resource('aws:ec2/instance:Instance', 'bastion', { metadataOptions: { httpTokens } })],
});

const rolePolicy = (actions: string[], what: string): Partial<Plan> => ({
  resources: [
    resource('aws:iam/rolePolicy:RolePolicy', 'policy', {
      policy: JSON.stringify({ Statement: [{ Effect: 'Allow', Action: actions, Resource: what }] }),
    }),
  ],
});

const tagged = (tags: Record<string, string>): Partial<Plan> => ({
  governance: { requiredTags: ['team'] },
  resources: [resource('aws:ec2/vpc:Vpc', 'vpc', { tags })],
});

const compose = (image: string): Partial<Plan> => ({
  files: { 'bacalhau/docker-compose.yml': `services:\n  compute:\n    image: ${image}\n` },
});

const costing = (monthlyUsd: number, unknown = false): Partial<Plan> => ({
  governance: { requiredTags: [], budget: { monthlyUsd: 100 } },
  cost: {
    ...emptyPlan.cost,
    items: unknown
      ? [
          {
            item: 'instances, spot',
            from: { count: 0, monthlyUsd: 0 },
            to: { count: 3, monthlyUsd: null },
          },
        ]
      : [],
    total: { ...emptyPlan.cost.total, to: { monthlyUsd, complete: !unknown } },
  },
});

const gateways = (...zones: string[]): Partial<Plan> => ({
  places: [place({ internal: true, zones: ['us-west-2a'] })],
  resources: zones.flatMap((zone) => [
    resource('aws:ec2/subnet:Subnet', `nat-subnet-${zone}`, { availabilityZone: zone }),
    resource('aws:ec2/natGateway:NatGateway', `nat-${zone}`, {}, { subnetId: [`nat-subnet-${zone}`] }),
  ]),
});

const closed = {
  blockPublicAcls: true,
  blockPublicPolicy: true,
  ignorePublicAcls: true,
  restrictPublicBuckets: true,
};

/** A good and a bad example of each rule; `docs/policy.md` shows them, and a test holds the rules to them. */
export const examples: Readonly<Record<PolicyRuleName, Example>> = {
  'open-to-world': { good: ssh('203.0.113.10/32'), bad: ssh('0.0.0.0/0') },
  'unencrypted-disk': {
    good: { places: [place({})] },
    bad: { places: [place({ encrypted: false })] },
  },
  'unencrypted-bucket': {
    good: {
      resources: [
        bucket,
        resource(
          'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration',
          'data-encryption',
          { rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
          { bucket: ['data'] },
        ),
      ],
    },
    bad: { resources: [bucket] },
  },
  'public-bucket': {
    good: {
      resources: [
        bucket,
        resource('aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock', 'data-closed', closed, {
          bucket: ['data'],
        }),
      ],
    },
    bad: {
      resources: [
        bucket,
        resource(
          'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock',
          'data-closed',
          { ...closed, blockPublicPolicy: false },
          { bucket: ['data'] },
        ),
      ],
    },
  },
  'imds-v1': { good: metadata('required'), bad: metadata('optional') },
  'wildcard-iam': {
    good: rolePolicy(['s3:GetObject'], 'arn:aws:s3:::data/fleets/*'),
    bad: rolePolicy(['s3:*'], 'arn:aws:s3:::data/fleets/*'),
  },
  'missing-tags': {
    good: tagged({ team: 'edge', 'skyfleet-stack': 'organization/skyfleet/dev' }),
    bad: tagged({ 'skyfleet-stack': 'organization/skyfleet/dev' }),
  },
  'unpinned-image': {
    good: compose('example.com/compute:1.9.0'),
    bad: compose('example.com/compute:latest'),
  },
  'plain-token': {
    good: { config: { 'skyfleet:orchestrator': { endpoints: ['nats://orchestrator.example.com:4222'] } } },
    bad: { config: { 'skyfleet:orchestrator': { authToken: 'of-the-orchestrator' } } },
  },
  'over-budget': { good: costing(99), bad: costing(101) },
  'unknown-cost': { good: costing(99), bad: costing(99, true) },
  'region-not-allowed': {
    good: {
      governance: { requiredTags: [], regions: ['us-west-2'] },
      places: [place({ zones: ['us-west-2a'] })],
    },
    bad: {
      governance: { requiredTags: [], regions: ['us-west-2'] },
      places: [place({ zones: ['eu-west-1a'] })],
    },
  },
  'nat-without-need': { good: gateways('us-west-2a'), bad: gateways('us-west-2a', 'us-west-2b') },
  'on-demand-for-spot': {
    good: { places: [place({ markets: [true] })] },
    bad: { places: [place({ markets: [true, false] })] },
  },
  'unpinned-machine-image': {
    good: { places: [place({ imageId: 'ami-0123456789abcdef0' })] },
    bad: { places: [place({})] },
  },
};
