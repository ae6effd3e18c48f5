import { AwsCliError, type AwsCli } from './aws-cli';
import { labelKeys } from './incarnation';

/*
 * What AWS has of a stack, asked of AWS itself: Pulumi's state does not say what it made last where it was killed.
 *
 * EC2's own list of tags knows every kind that a stack makes there, rules of security groups included. The Resource
 * Groups Tagging API would be one call for EC2, S3 and logs together, but it knows no IAM, lags behind, and is one more
 * right to give. Routes and associations have no tags and are read from the stack's route tables.
 */

/** Something at AWS that belongs to a stack. */
export interface FoundResource {
  kind: Kind;
  /** AWS's id; Pulumi's id too, except for routes. */
  id: string;
  /** Name tag, or its name where the kind has one. */
  name: string;
  /** What it is part of: what else has to be named to delete it, such as the group of a rule. */
  of?: string;
}

/** A command line of the AWS CLI, without `aws`. */
export type AwsCall = string[];

/** What a kind of resource is called, and how to get rid of one. */
interface KindOfResource {
  /** Pulumi's type. */
  type: string;
  /** Pulumi components that it is made in, outermost first. */
  within: string;
  /** What EC2's ids begin with. */
  prefix?: string;
  /** Whether `pulumi import` can take it into the state, under its id. */
  importable?: true;
  /** The calls that delete one, in order. */
  deletion: (found: FoundResource) => AwsCall[];
}

const network = 'skyfleet:network:Network';
const group = `${network}$skyfleet:network:NodeSecurityGroup`;
const flowLogs = `${network}$skyfleet:network:FlowLogs`;

/** One call with the id as its last argument. */
const call =
  (...words: string[]) =>
  ({ id }: FoundResource): AwsCall[] => [[...words, id]];

const rule = (direction: 'ingress' | 'egress') => ({
  within: group,
  importable: true as const,
  deletion: ({ id, of = '' }: FoundResource): AwsCall[] => [
    ['ec2', `revoke-security-group-${direction}`, '--group-id', of, '--security-group-rule-ids', id],
  ],
});

/**
 * The kinds of resources that a stack makes, in the order in which they can be deleted. Whatever Pulumi names by itself
 * is not imported: its name would count as given, and the next `up` would replace it. Nor is what has no name.
 */
export const kinds = {
  instance: {
    type: '',
    within: '',
    prefix: 'i-',
    deletion: ({ id }) => [
      ['ec2', 'terminate-instances', '--instance-ids', id],
      ['ec2', 'wait', 'instance-terminated', '--instance-ids', id],
    ],
  },
  volume: { type: '', within: '', prefix: 'vol-', deletion: call('ec2', 'delete-volume', '--volume-id') },
  flowLog: {
    type: 'aws:ec2/flowLog:FlowLog',
    within: flowLogs,
    prefix: 'fl-',
    importable: true,
    deletion: call('ec2', 'delete-flow-logs', '--flow-log-ids'),
  },
  natGateway: {
    type: 'aws:ec2/natGateway:NatGateway',
    within: network,
    prefix: 'nat-',
    importable: true,
    deletion: ({ id }) => [
      ['ec2', 'delete-nat-gateway', '--nat-gateway-id', id],
      ['ec2', 'wait', 'nat-gateway-deleted', '--nat-gateway-ids', id],
    ],
  },
  address: {
    type: 'aws:ec2/eip:Eip',
    within: network,
    prefix: 'eipalloc-',
    importable: true,
    deletion: call('ec2', 'release-address', '--allocation-id'),
  },
  endpoint: {
    type: 'aws:ec2/vpcEndpoint:VpcEndpoint',
    within: network,
    prefix: 'vpce-',
    importable: true,
    deletion: call('ec2', 'delete-vpc-endpoints', '--vpc-endpoint-ids'),
  },
  ingressRule: { type: 'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule', ...rule('ingress') },
  egressRule: { type: 'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule', ...rule('egress') },
  securityGroup: {
    type: 'aws:ec2/securityGroup:SecurityGroup',
    within: group,
    prefix: 'sg-',
    importable: true,
    deletion: call('ec2', 'delete-security-group', '--group-id'),
  },
  route: {
    type: 'aws:ec2/route:Route',
    within: network,
    deletion: ({ id, of = '' }) => [
      ['ec2', 'delete-route', '--route-table-id', of, '--destination-cidr-block', id],
    ],
  },
  association: {
    type: 'aws:ec2/routeTableAssociation:RouteTableAssociation',
    within: network,
    deletion: call('ec2', 'disassociate-route-table', '--association-id'),
  },
  subnet: {
    type: 'aws:ec2/subnet:Subnet',
    within: network,
    prefix: 'subnet-',
    importable: true,
    deletion: call('ec2', 'delete-subnet', '--subnet-id'),
  },
  gateway: {
    type: 'aws:ec2/internetGateway:InternetGateway',
    within: network,
    prefix: 'igw-',
    importable: true,
    deletion: ({ id, of }) => [
      ...(of === undefined
        ? []
        : [['ec2', 'detach-internet-gateway', '--internet-gateway-id', id, '--vpc-id', of]]),
      ['ec2', 'delete-internet-gateway', '--internet-gateway-id', id],
    ],
  },
  routeTable: {
    type: 'aws:ec2/routeTable:RouteTable',
    within: network,
    prefix: 'rtb-',
    importable: true,
    deletion: call('ec2', 'delete-route-table', '--route-table-id'),
  },
  vpc: {
    type: 'aws:ec2/vpc:Vpc',
    within: network,
    prefix: 'vpc-',
    importable: true,
    deletion: call('ec2', 'delete-vpc', '--vpc-id'),
  },
  logGroup: {
    type: 'aws:cloudwatch/logGroup:LogGroup',
    within: flowLogs,
    deletion: call('logs', 'delete-log-group', '--log-group-name'),
  },
  bucket: {
    type: 'aws:s3/bucket:Bucket',
    within: 'skyfleet:storage:Buckets',
    deletion: call('s3api', 'delete-bucket', '--bucket'),
  },
  instanceProfile: {
    type: 'aws:iam/instanceProfile:InstanceProfile',
    within: 'skyfleet:iam:NodeRole',
    importable: true,
    deletion: ({ id, of }) => [
      ...(of === undefined
        ? []
        : [['iam', 'remove-role-from-instance-profile', '--instance-profile-name', id, '--role-name', of]]),
      ['iam', 'delete-instance-profile', '--instance-profile-name', id],
    ],
  },
  rolePolicy: {
    type: 'aws:iam/rolePolicy:RolePolicy',
    within: 'skyfleet:iam:NodeRole',
    deletion: ({ id, of = '' }) => [['iam', 'delete-role-policy', '--role-name', of, '--policy-name', id]],
  },
  role: {
    type: 'aws:iam/role:Role',
    within: 'skyfleet:iam:NodeRole',
    deletion: call('iam', 'delete-role', '--role-name'),
  },
} as const satisfies Record<string, KindOfResource>;

export type Kind = keyof typeof kinds;

/** How to get rid of a kind of resource; its place in the order is that of the table. */
export const kindOf = (kind: Kind): KindOfResource => kinds[kind];

/** Whose resources are looked for. */
export interface StackAtAws {
  /** Full name, the value of the stack's tag. */
  stack: string;
  /** What the names of all its resources begin with. */
  prefix: string;
}

interface Tag {
  Key: string;
  Value: string;
}

const tagOf = (tags: Tag[] | undefined, key: string): string | undefined =>
  tags?.find(({ Key }) => Key === key)?.Value;

/** Everything at AWS that carries the stack's tag, with the parts of it that cannot carry one, in the table's order. */
export async function stackResources(aws: AwsCli, stack: StackAtAws): Promise<FoundResource[]> {
  const found = await Promise.all([
    inEc2(aws, stack),
    instanceProfile(aws, stack),
    roles(aws, stack),
    buckets(aws, stack),
    logGroups(aws, stack),
  ]);
  const order = Object.keys(kinds);
  return found.flat().sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind));
}

async function inEc2(aws: AwsCli, { stack }: StackAtAws): Promise<FoundResource[]> {
  const tagged = `Name=tag:${labelKeys.stack},Values=${stack}`;
  const { Tags } = await aws.ask<{ Tags: { ResourceId: string }[] }>(
    ...[
      'ec2',
      'describe-tags',
      '--filters',
      `Name=key,Values=${labelKeys.stack}`,
      `Name=value,Values=${stack}`,
    ],
  );
  const has = (prefix: string): boolean => Tags.some(({ ResourceId }) => ResourceId.startsWith(prefix));
  // A tag outlives what it stood on for a while, so each kind is asked for itself.
  const list = async <T>(
    prefix: string,
    command: string,
    field: string,
    filter = '--filters',
  ): Promise<T[]> =>
    has(prefix) ? ((await aws.ask<Record<string, T[]>>('ec2', command, filter, tagged))[field] ?? []) : [];

  const named =
    (kind: Kind, idField: string, of?: (one: Described) => string | undefined) =>
    (one: Described): FoundResource => {
      const part = of?.(one);
      return {
        kind,
        id: String(one[idField]),
        name: tagOf(one.Tags, 'Name') ?? '',
        ...(part === undefined ? {} : { of: part }),
      };
    };
  const [
    vpcs,
    subnets,
    groups,
    rules,
    gateways,
    tables,
    endpoints,
    nats,
    addresses,
    logs,
    reservations,
    volumes,
  ] = await Promise.all([
    list<Described>('vpc-', 'describe-vpcs', 'Vpcs'),
    list<Described>('subnet-', 'describe-subnets', 'Subnets'),
    list<Described>('sg-', 'describe-security-groups', 'SecurityGroups'),
    list<Described & { IsEgress: boolean; GroupId: string }>(
      ...(['sgr-', 'describe-security-group-rules', 'SecurityGroupRules'] as const),
    ),
    list<Described & { Attachments?: { VpcId: string }[] }>(
      ...(['igw-', 'describe-internet-gateways', 'InternetGateways'] as const),
    ),
    list<RouteTable>('rtb-', 'describe-route-tables', 'RouteTables'),
    list<Described>('vpce-', 'describe-vpc-endpoints', 'VpcEndpoints'),
    list<Described>('nat-', 'describe-nat-gateways', 'NatGateways', '--filter'),
    list<Described>('eipalloc-', 'describe-addresses', 'Addresses'),
    list<Described>('fl-', 'describe-flow-logs', 'FlowLogs', '--filter'),
    list<{ Instances: (Described & { State: { Name: string } })[] }>(
      ...(['i-', 'describe-instances', 'Reservations'] as const),
    ),
    list<Described>('vol-', 'describe-volumes', 'Volumes'),
  ]);
  const deleting = ({ State }: Described): boolean =>
    /^(deleted|deleting)$/i.test(typeof State === 'string' ? State : '');
  return [
    ...vpcs.map(named('vpc', 'VpcId')),
    ...subnets.map(named('subnet', 'SubnetId')),
    // The group that every VPC comes with goes with it.
    ...groups.filter(({ GroupName }) => GroupName !== 'default').map(named('securityGroup', 'GroupId')),
    ...rules.map((one) =>
      named(one.IsEgress ? 'egressRule' : 'ingressRule', 'SecurityGroupRuleId', () => one.GroupId)(one),
    ),
    ...gateways.map((one) => named('gateway', 'InternetGatewayId', () => one.Attachments?.[0]?.VpcId)(one)),
    ...tables.map(named('routeTable', 'RouteTableId')),
    ...tables.flatMap(partsOfTable),
    ...endpoints.filter((one) => !deleting(one)).map(named('endpoint', 'VpcEndpointId')),
    ...nats.filter((one) => !deleting(one)).map(named('natGateway', 'NatGatewayId')),
    ...addresses.map(named('address', 'AllocationId')),
    ...logs.map(named('flowLog', 'FlowLogId')),
    ...reservations
      .flatMap(({ Instances }) => Instances)
      .filter(({ State }) => !['terminated', 'shutting-down'].includes(State.Name))
      .map(named('instance', 'InstanceId', ({ Tags: tags }) => tagOf(tags, labelKeys.incarnation))),
    // The others go with their instances.
    ...volumes.filter(({ State }) => State === 'available').map(named('volume', 'VolumeId')),
  ];
}

/** What EC2 says of something, as far as it is common to all kinds. */
interface Described {
  Tags?: Tag[];
  [field: string]: unknown;
}

interface RouteTable extends Described {
  RouteTableId: string;
  Routes: { DestinationCidrBlock?: string; Origin?: string }[];
  Associations: { RouteTableAssociationId: string; SubnetId?: string }[];
}

/** The routes and associations that were made in a route table. */
function partsOfTable({ RouteTableId, Routes, Associations, Tags }: RouteTable): FoundResource[] {
  const name = tagOf(Tags, 'Name') ?? '';
  return [
    ...Routes.flatMap(({ DestinationCidrBlock: id, Origin }) =>
      id === undefined || Origin !== 'CreateRoute'
        ? []
        : [{ kind: 'route' as const, id, name, of: RouteTableId }],
    ),
    ...Associations.flatMap(({ RouteTableAssociationId: id, SubnetId }) =>
      SubnetId === undefined
        ? []
        : [{ kind: 'association' as const, id, name, of: `${SubnetId}/${RouteTableId}` }],
    ),
  ];
}

/** The answer, or undefined where AWS says that there is no such thing. */
async function unlessMissing<T>(answer: Promise<T>, ...codes: string[]): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof AwsCliError && codes.includes(error.code ?? '')) return undefined;
    throw error;
  }
}

/** The instance profile, which has the one name that the program gives it. */
async function instanceProfile(aws: AwsCli, { stack, prefix }: StackAtAws): Promise<FoundResource[]> {
  const id = `${prefix}-nodes`;
  const answer = await unlessMissing(
    aws.ask<{ InstanceProfile: { Tags?: Tag[]; Roles: { RoleName: string }[] } }>(
      ...['iam', 'get-instance-profile', '--instance-profile-name', id],
    ),
    'NoSuchEntity',
  );
  if (answer === undefined || tagOf(answer.InstanceProfile.Tags, labelKeys.stack) !== stack) return [];
  const [role] = answer.InstanceProfile.Roles;
  return [{ kind: 'instanceProfile', id, name: id, ...(role === undefined ? {} : { of: role.RoleName }) }];
}

async function roles(aws: AwsCli, { stack, prefix }: StackAtAws): Promise<FoundResource[]> {
  const names = await aws.ask<string[]>(
    ...['iam', 'list-roles', '--query', `Roles[?starts_with(RoleName, '${prefix}-')].RoleName`],
  );
  const found = await Promise.all(
    names.map(async (id) => {
      const answer = await unlessMissing(
        aws.ask<{ Role: { Tags?: Tag[] } }>('iam', 'get-role', '--role-name', id),
        'NoSuchEntity',
      );
      if (tagOf(answer?.Role.Tags, labelKeys.stack) !== stack) return [];
      const { PolicyNames } = await aws.ask<{ PolicyNames: string[] }>(
        ...['iam', 'list-role-policies', '--role-name', id],
      );
      const policies = PolicyNames.map((name) => ({ kind: 'rolePolicy' as const, id: name, name, of: id }));
      return [...policies, { kind: 'role' as const, id, name: id }];
    }),
  );
  return found.flat();
}

/**
 * The buckets without versions. One with versions was recorded once, because Pulumi makes the settings of a bucket after
 * it: it is in use, or `destroy` was told to keep it, and it has the stack's tag for ever.
 */
async function buckets(aws: AwsCli, { stack, prefix }: StackAtAws): Promise<FoundResource[]> {
  const names = await aws.ask<string[] | null>(
    ...['s3api', 'list-buckets', '--query', `Buckets[?starts_with(Name, '${prefix.toLowerCase()}-')].Name`],
  );
  const found = await Promise.all(
    (names ?? []).map(async (id) => {
      const bucket = ['--bucket', id];
      const tags = await unlessMissing(
        aws.ask<{ TagSet: Tag[] }>('s3api', 'get-bucket-tagging', ...bucket),
        ...['NoSuchTagSet', 'NoSuchBucket'],
      );
      if (tagOf(tags?.TagSet, labelKeys.stack) !== stack) return [];
      const versioning = await aws.ask<{ Status?: string } | null>(
        ...['s3api', 'get-bucket-versioning', ...bucket],
      );
      return versioning?.Status === 'Enabled' ? [] : [{ kind: 'bucket' as const, id, name: id }];
    }),
  );
  return found.flat();
}

async function logGroups(aws: AwsCli, { stack, prefix }: StackAtAws): Promise<FoundResource[]> {
  const { logGroups: listed } = await aws.ask<{ logGroups: { logGroupName: string; arn: string }[] }>(
    ...['logs', 'describe-log-groups', '--log-group-name-prefix', `${prefix}-`],
  );
  const found = await Promise.all(
    listed.map(async ({ logGroupName: id, arn }) => {
      const { tags } = await aws.ask<{ tags: Record<string, string> }>(
        ...['logs', 'list-tags-for-resource', '--resource-arn', arn.replace(/:\*$/, '')],
      );
      return tags[labelKeys.stack] === stack ? [{ kind: 'logGroup' as const, id, name: id }] : [];
    }),
  );
  return found.flat();
}
