/**
 * What the conformance tests know of each type: every input it takes, what AWS's own API then says of them, what
 * changes in place, what replaces, and how somebody else would change it behind our back.
 */
import { EC2, type SecurityGroupRule, type Tag } from '@aws-sdk/client-ec2';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';
import type { Properties } from '../../local/plugins/properties';

export interface Sdk {
  readonly ec2: EC2;
  readonly iam: IAM;
  readonly s3: S3;
}

export function sdkFor(endpoint: string, region = 'us-west-2'): Sdk {
  const settings = { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  return {
    ec2: new EC2(settings),
    iam: new IAM(settings),
    s3: new S3({ ...settings, forcePathStyle: true }),
  };
}

/** Things that stand already, made without the plugin. */
export interface Ground {
  readonly vpcId: string;
  readonly otherVpcId: string;
  readonly subnetId: string;
  readonly otherSubnetId: string;
  readonly gatewayId: string;
  readonly natGatewayId: string;
  readonly routeTableId: string;
  readonly otherRouteTableId: string;
  readonly groupId: string;
  readonly otherGroupId: string;
  readonly prefixListId: string;
  readonly roleName: string;
  readonly otherRoleName: string;
  readonly boundaryArn: string;
  readonly otherPolicyArn: string;
  readonly bucket: string;
  readonly otherBucket: string;
}

const ASSUMED_BY = (service: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
  });
const ALLOW = (action: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] });
const DENY_PLAIN = (bucket: string, effect = 'Deny') =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: effect,
        Principal: '*',
        Action: 's3:*',
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  });

export async function layGround({ ec2, iam, s3 }: Sdk): Promise<Ground> {
  const vpc = async (CidrBlock: string) => (await ec2.createVpc({ CidrBlock })).Vpc?.VpcId ?? '';
  const [vpcId, otherVpcId] = [await vpc('10.40.0.0/16'), await vpc('10.41.0.0/16')];
  const subnet = async (CidrBlock: string) =>
    (await ec2.createSubnet({ VpcId: vpcId, CidrBlock })).Subnet?.SubnetId ?? '';
  const [subnetId, otherSubnetId] = [await subnet('10.40.250.0/24'), await subnet('10.40.251.0/24')];
  const gatewayId = (await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId ?? '';
  await ec2.attachInternetGateway({ InternetGatewayId: gatewayId, VpcId: vpcId });
  const { AllocationId } = await ec2.allocateAddress({ Domain: 'vpc' });
  const { NatGateway } = await ec2.createNatGateway({ SubnetId: subnetId, AllocationId });
  const table = async () => (await ec2.createRouteTable({ VpcId: vpcId })).RouteTable?.RouteTableId ?? '';
  const group = async (GroupName: string) =>
    (await ec2.createSecurityGroup({ GroupName, Description: GroupName, VpcId: vpcId })).GroupId ?? '';
  const role = async (RoleName: string) => {
    await iam.createRole({ RoleName, AssumeRolePolicyDocument: ASSUMED_BY('ec2.amazonaws.com') });
    return RoleName;
  };
  const policy = async (PolicyName: string) =>
    (await iam.createPolicy({ PolicyName, PolicyDocument: ALLOW('s3:GetObject') })).Policy?.Arn ?? '';
  const bucket = async (Bucket: string) => {
    await s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } });
    return Bucket;
  };
  const { PrefixList } = await ec2.createManagedPrefixList({
    PrefixListName: 'conformance',
    MaxEntries: 1,
    AddressFamily: 'IPv4',
  });
  return {
    vpcId,
    otherVpcId,
    subnetId,
    otherSubnetId,
    gatewayId,
    natGatewayId: NatGateway?.NatGatewayId ?? '',
    routeTableId: await table(),
    otherRouteTableId: await table(),
    groupId: await group('conformance'),
    otherGroupId: await group('conformance-other'),
    prefixListId: PrefixList?.PrefixListId ?? '',
    roleName: await role('conformance'),
    otherRoleName: await role('conformance-other'),
    boundaryArn: await policy('boundary'),
    otherPolicyArn: await policy('other'),
    bucket: await bucket('conformance-bucket'),
    otherBucket: await bucket('conformance-other-bucket'),
  };
}

export interface Case {
  readonly type: string;
  /** Every input but those that exclude one another, which stand in `variants`. */
  readonly inputs: (ground: Ground) => Properties;
  readonly variants?: (ground: Ground) => Properties[];
  /** What AWS's API says, under the names of the inputs; undefined where the resource is gone. */
  readonly actual: (sdk: Sdk, id: string, inputs: Properties) => Promise<Properties | undefined>;
  /** Inputs that only the plugin knows of, so that AWS cannot be asked. */
  readonly kept?: readonly string[];
  /** Inputs that change in place. */
  readonly update?: (ground: Ground) => Properties;
  /** Inputs that replace, one by one. */
  readonly replace: (ground: Ground) => Properties;
  readonly deleteBeforeReplace?: boolean;
  /** Somebody else's change, and the input in which it shows. */
  readonly drift?: {
    readonly make: (sdk: Sdk, id: string, inputs: Properties, ground: Ground) => Promise<unknown>;
    readonly shows: string;
  };
  /** What a program reads of it. */
  readonly outputs: readonly string[];
  /** The id for an import, where it is not the resource's own. */
  readonly importId?: (inputs: Properties) => string;
  /** Inputs that an import cannot find out. */
  readonly notImported?: readonly string[];
  /** AWS keeps it when the program no longer wants it. */
  readonly outlives?: boolean;
}

type TagLike = Pick<Tag, 'Key' | 'Value'>;
const tagsOf = (tags: TagLike[] | undefined) =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const gone = async <T>(request: Promise<T>): Promise<T | undefined> => {
  try {
    return await request;
  } catch (error) {
    const absent = /NotFound|NoSuch|NotFoundError/;
    if (error instanceof Error && absent.test(error.name)) return undefined;
    throw error;
  }
};
const tags = { Name: 'conformance', owner: 'fleet' };
const otherTags = { Name: 'changed', added: 'yes' };
const retag = {
  make: ({ ec2 }: Sdk, id: string) =>
    ec2.createTags({ Resources: [id], Tags: [{ Key: 'alien', Value: 'x' }] }),
  shows: 'tags',
};

const inline = (rules: SecurityGroupRule[], egress: boolean) =>
  rules
    .filter(({ IsEgress }) => (IsEgress ?? false) === egress)
    .map((rule) => ({
      protocol: rule.IpProtocol,
      fromPort: rule.IpProtocol === '-1' ? 0 : rule.FromPort,
      toPort: rule.IpProtocol === '-1' ? 0 : rule.ToPort,
      cidrBlocks: rule.CidrIpv4 === undefined ? undefined : [rule.CidrIpv4],
      ipv6CidrBlocks: rule.CidrIpv6 === undefined ? undefined : [rule.CidrIpv6],
      prefixListIds: rule.PrefixListId === undefined ? undefined : [rule.PrefixListId],
      securityGroups:
        rule.ReferencedGroupInfo?.GroupId === undefined ? undefined : [rule.ReferencedGroupInfo.GroupId],
      description: rule.Description === '' ? undefined : rule.Description,
    }));

const group = async ({ ec2 }: Sdk, id: string) => {
  const found = (await gone(ec2.describeSecurityGroups({ GroupIds: [id] })))?.SecurityGroups?.[0];
  if (found === undefined) return undefined;
  const { SecurityGroupRules = [] } = await ec2.describeSecurityGroupRules({
    Filters: [{ Name: 'group-id', Values: [id] }],
  });
  return {
    name: found.GroupName,
    namePrefix: found.GroupName?.slice(0, -26),
    description: found.Description,
    vpcId: found.VpcId,
    ingress: inline(SecurityGroupRules, false),
    egress: inline(SecurityGroupRules, true),
    tags: tagsOf(found.Tags),
  };
};

/** moto forgets the description of a rule whose source is a group or a prefix list, so those have none. */
const groupRules = (ground: Ground) => ({
  ingress: [
    { protocol: 'tcp', fromPort: 22, toPort: 22, cidrBlocks: ['10.0.0.0/8'], description: 'ssh' },
    { protocol: 'udp', fromPort: 53, toPort: 54, ipv6CidrBlocks: ['fd00::/8'], description: 'dns' },
    { protocol: 'tcp', fromPort: 80, toPort: 80, securityGroups: [ground.groupId] },
    { protocol: 'tcp', fromPort: 443, toPort: 443, prefixListIds: [ground.prefixListId] },
  ],
  egress: [{ protocol: '-1', fromPort: 0, toPort: 0, cidrBlocks: ['0.0.0.0/0'], description: 'all' }],
});

const otherGroupRules = {
  ingress: [
    { protocol: 'tcp', fromPort: 2222, toPort: 2222, cidrBlocks: ['10.1.0.0/16'], description: 'other' },
  ],
  egress: [{ protocol: 'tcp', fromPort: 443, toPort: 443, cidrBlocks: ['0.0.0.0/0'], description: 'https' }],
};

const openToTheWorld = {
  make: ({ ec2 }: Sdk, id: string) =>
    ec2.authorizeSecurityGroupIngress({
      GroupId: id,
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: 1234, ToPort: 1234, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
      ],
    }),
  shows: 'ingress',
};

const ruleCase = (direction: 'Ingress' | 'Egress'): Case => ({
  type: `aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`,
  inputs: (ground) => ({
    securityGroupId: ground.groupId,
    ipProtocol: 'tcp',
    fromPort: 7000,
    toPort: 7010,
    cidrIpv4: '10.3.0.0/16',
    description: 'a rule',
    tags,
  }),
  variants: (ground) => [
    { securityGroupId: ground.groupId, ipProtocol: '-1', cidrIpv6: 'fd01::/16' },
    {
      securityGroupId: ground.groupId,
      ipProtocol: 'udp',
      fromPort: 5,
      toPort: 6,
      prefixListId: ground.prefixListId,
    },
    {
      securityGroupId: ground.groupId,
      ipProtocol: 'tcp',
      fromPort: 7,
      toPort: 8,
      referencedSecurityGroupId: ground.otherGroupId,
    },
  ],
  actual: async ({ ec2 }, id) => {
    const request = ec2.describeSecurityGroupRules({ SecurityGroupRuleIds: [id] });
    const rule = (await gone(request))?.SecurityGroupRules?.find(
      ({ SecurityGroupRuleId }) => SecurityGroupRuleId === id,
    );
    return (
      rule && {
        securityGroupId: rule.GroupId,
        ipProtocol: rule.IpProtocol,
        fromPort: rule.FromPort,
        toPort: rule.ToPort,
        cidrIpv4: rule.CidrIpv4,
        cidrIpv6: rule.CidrIpv6,
        prefixListId: rule.PrefixListId,
        referencedSecurityGroupId: rule.ReferencedGroupInfo?.GroupId,
        description: rule.Description,
        tags: tagsOf(rule.Tags),
      }
    );
  },
  update: () => ({
    fromPort: 7001,
    toPort: 7011,
    cidrIpv4: '10.4.0.0/16',
    description: 'changed',
    tags: otherTags,
  }),
  replace: (ground) => ({ securityGroupId: ground.otherGroupId }),
  outputs: ['arn', 'securityGroupRuleId'],
});

const bucketSetting = (name: string): string => `aws:s3/bucket${name}:Bucket${name}`;

export const cases: readonly Case[] = [
  {
    type: 'aws:ec2/vpc:Vpc',
    inputs: () => ({
      cidrBlock: '10.20.0.0/16',
      enableDnsHostnames: true,
      enableDnsSupport: true,
      instanceTenancy: 'dedicated',
      tags,
    }),
    variants: () => [{ cidrBlock: '10.21.0.0/16', enableDnsSupport: false }],
    actual: async ({ ec2 }, VpcId) => {
      const vpc = (await gone(ec2.describeVpcs({ VpcIds: [VpcId] })))?.Vpcs?.[0];
      if (vpc === undefined) return undefined;
      const support = await ec2.describeVpcAttribute({ VpcId, Attribute: 'enableDnsSupport' });
      const names = await ec2.describeVpcAttribute({ VpcId, Attribute: 'enableDnsHostnames' });
      return {
        cidrBlock: vpc.CidrBlock,
        enableDnsHostnames: names.EnableDnsHostnames?.Value,
        enableDnsSupport: support.EnableDnsSupport?.Value,
        instanceTenancy: vpc.InstanceTenancy,
        tags: tagsOf(vpc.Tags),
      };
    },
    update: () => ({ enableDnsHostnames: false, tags: otherTags }),
    replace: () => ({ cidrBlock: '10.22.0.0/16', instanceTenancy: 'default' }),
    drift: {
      make: ({ ec2 }, VpcId) => ec2.modifyVpcAttribute({ VpcId, EnableDnsHostnames: { Value: true } }),
      shows: 'enableDnsHostnames',
    },
    outputs: [
      'arn',
      'defaultNetworkAclId',
      'defaultRouteTableId',
      'defaultSecurityGroupId',
      'mainRouteTableId',
      'ownerId',
    ],
  },
  {
    type: 'aws:ec2/subnet:Subnet',
    inputs: ({ vpcId }) => ({
      vpcId,
      cidrBlock: '10.40.1.0/24',
      availabilityZone: 'us-west-2b',
      mapPublicIpOnLaunch: true,
      tags,
    }),
    variants: ({ vpcId }) => [{ vpcId, cidrBlock: '10.40.2.0/24', availabilityZoneId: 'usw2-az1' }],
    actual: async ({ ec2 }, id) => {
      const subnet = (await gone(ec2.describeSubnets({ SubnetIds: [id] })))?.Subnets?.[0];
      return (
        subnet && {
          vpcId: subnet.VpcId,
          cidrBlock: subnet.CidrBlock,
          availabilityZone: subnet.AvailabilityZone,
          availabilityZoneId: subnet.AvailabilityZoneId,
          mapPublicIpOnLaunch: subnet.MapPublicIpOnLaunch,
          tags: tagsOf(subnet.Tags),
        }
      );
    },
    update: () => ({ mapPublicIpOnLaunch: false, tags: otherTags }),
    replace: ({ otherVpcId }) => ({
      vpcId: otherVpcId,
      cidrBlock: '10.40.3.0/24',
      availabilityZone: 'us-west-2c',
      availabilityZoneId: 'usw2-az3',
    }),
    drift: {
      make: ({ ec2 }, SubnetId) =>
        ec2.modifySubnetAttribute({ SubnetId, MapPublicIpOnLaunch: { Value: true } }),
      shows: 'mapPublicIpOnLaunch',
    },
    outputs: ['arn', 'ownerId'],
  },
  {
    type: 'aws:ec2/internetGateway:InternetGateway',
    inputs: ({ otherVpcId }) => ({ vpcId: otherVpcId, tags }),
    actual: async ({ ec2 }, id) => {
      const found = await gone(ec2.describeInternetGateways({ InternetGatewayIds: [id] }));
      const gateway = found?.InternetGateways?.[0];
      return gateway && { vpcId: gateway.Attachments?.[0]?.VpcId, tags: tagsOf(gateway.Tags) };
    },
    update: () => ({ tags: otherTags }),
    replace: () => ({}),
    drift: retag,
    outputs: ['arn', 'ownerId'],
  },
  {
    type: 'aws:ec2/routeTable:RouteTable',
    inputs: ({ vpcId }) => ({ vpcId, tags }),
    actual: async ({ ec2 }, id) => {
      const table = (await gone(ec2.describeRouteTables({ RouteTableIds: [id] })))?.RouteTables?.[0];
      return table && { vpcId: table.VpcId, tags: tagsOf(table.Tags) };
    },
    update: () => ({ tags: otherTags }),
    replace: ({ otherVpcId }) => ({ vpcId: otherVpcId }),
    drift: retag,
    outputs: ['arn', 'ownerId'],
  },
  {
    type: 'aws:ec2/route:Route',
    inputs: ({ routeTableId, gatewayId }) => ({ routeTableId, destinationCidrBlock: '0.0.0.0/0', gatewayId }),
    variants: ({ routeTableId, natGatewayId, gatewayId }) => [
      { routeTableId, destinationIpv6CidrBlock: '::/0', gatewayId },
      { routeTableId, destinationCidrBlock: '10.99.0.0/16', natGatewayId },
    ],
    actual: async ({ ec2 }, _, inputs) => {
      const RouteTableIds = [text(inputs['routeTableId'])];
      const table = (await gone(ec2.describeRouteTables({ RouteTableIds })))?.RouteTables?.[0];
      const route = table?.Routes?.find(
        ({ DestinationCidrBlock: v4, DestinationIpv6CidrBlock: v6 }) =>
          (v4 ?? v6) === (inputs['destinationCidrBlock'] ?? inputs['destinationIpv6CidrBlock']),
      );
      return (
        route && {
          routeTableId: table?.RouteTableId,
          destinationCidrBlock: route.DestinationCidrBlock,
          destinationIpv6CidrBlock: route.DestinationIpv6CidrBlock,
          gatewayId: route.GatewayId,
          natGatewayId: route.NatGatewayId,
        }
      );
    },
    update: ({ natGatewayId }) => ({ gatewayId: undefined, natGatewayId }),
    replace: ({ otherRouteTableId }) => ({
      routeTableId: otherRouteTableId,
      destinationCidrBlock: '10.98.0.0/16',
      destinationIpv6CidrBlock: '::/0',
    }),
    drift: {
      make: ({ ec2 }, _, inputs, { gatewayId }) =>
        ec2.replaceRoute({
          RouteTableId: text(inputs['routeTableId']),
          DestinationCidrBlock: text(inputs['destinationCidrBlock']),
          GatewayId: gatewayId,
        }),
      shows: 'gatewayId',
    },
    importId: (inputs) => `${text(inputs['routeTableId'])}_${text(inputs['destinationCidrBlock'])}`,
    outputs: ['origin', 'state'],
  },
  {
    type: 'aws:ec2/routeTableAssociation:RouteTableAssociation',
    inputs: ({ routeTableId, subnetId }) => ({ routeTableId, subnetId }),
    actual: async ({ ec2 }, _, inputs) => {
      const { RouteTables = [] } = await ec2.describeRouteTables({
        Filters: [{ Name: 'association.subnet-id', Values: [text(inputs['subnetId'])] }],
      });
      const association = RouteTables.flatMap(({ Associations = [] }) => Associations).find(
        ({ SubnetId }) => SubnetId === inputs['subnetId'],
      );
      return association && { routeTableId: association.RouteTableId, subnetId: association.SubnetId };
    },
    update: ({ otherRouteTableId }) => ({ routeTableId: otherRouteTableId }),
    importId: (inputs) => `${text(inputs['subnetId'])}/${text(inputs['routeTableId'])}`,
    replace: ({ otherSubnetId }) => ({ subnetId: otherSubnetId }),
    outputs: [],
  },
  {
    type: 'aws:ec2/securityGroup:SecurityGroup',
    inputs: (ground) => ({
      name: 'conformance-group',
      description: 'a group',
      vpcId: ground.vpcId,
      ...groupRules(ground),
      revokeRulesOnDelete: true,
      tags,
    }),
    variants: ({ vpcId }) => [{ vpcId, namePrefix: 'conformance-prefix-' }],
    kept: ['revokeRulesOnDelete'],
    notImported: ['revokeRulesOnDelete'],
    actual: group,
    update: () => ({ ...otherGroupRules, tags: otherTags }),
    replace: ({ otherVpcId }) => ({
      vpcId: otherVpcId,
      description: 'another',
      name: 'conformance-other-group',
      namePrefix: 'conformance-prefix-',
    }),
    deleteBeforeReplace: true,
    drift: openToTheWorld,
    outputs: ['arn', 'ownerId'],
  },
  {
    type: 'aws:ec2/defaultSecurityGroup:DefaultSecurityGroup',
    inputs: (ground) => ({ vpcId: ground.vpcId, ...groupRules(ground), tags }),
    actual: group,
    update: () => ({ ...otherGroupRules, tags: otherTags }),
    replace: ({ otherVpcId }) => ({ vpcId: otherVpcId }),
    drift: openToTheWorld,
    outputs: ['arn', 'description', 'name', 'ownerId'],
    outlives: true,
  },
  ruleCase('Ingress'),
  ruleCase('Egress'),
  {
    type: 'aws:ec2/vpcEndpoint:VpcEndpoint',
    inputs: ({ vpcId, routeTableId }) => ({
      vpcId,
      serviceName: 'com.amazonaws.us-west-2.s3',
      vpcEndpointType: 'Gateway',
      routeTableIds: [routeTableId],
      policy: ALLOW('s3:*'),
      tags,
    }),
    actual: async ({ ec2 }, id) => {
      const found = (await gone(ec2.describeVpcEndpoints({ VpcEndpointIds: [id] })))?.VpcEndpoints?.[0];
      if (found === undefined || found.State?.toLowerCase() === 'deleted') return undefined;
      return {
        vpcId: found.VpcId,
        serviceName: found.ServiceName,
        vpcEndpointType: found.VpcEndpointType,
        routeTableIds: found.RouteTableIds,
        policy: found.PolicyDocument,
        tags: tagsOf(found.Tags),
      };
    },
    update: () => ({ policy: ALLOW('s3:GetObject'), tags: otherTags }),
    replace: ({ otherVpcId }) => ({ vpcId: otherVpcId, serviceName: 'com.amazonaws.us-west-2.dynamodb' }),
    drift: retag,
    outputs: ['arn', 'prefixListId', 'state'],
  },
  {
    type: 'aws:iam/role:Role',
    inputs: ({ boundaryArn }) => ({
      name: 'conformance-role',
      assumeRolePolicy: ASSUMED_BY('ec2.amazonaws.com'),
      description: 'a role',
      forceDetachPolicies: true,
      maxSessionDuration: 7200,
      path: '/skyfleet/',
      permissionsBoundary: boundaryArn,
      tags,
    }),
    variants: () => [
      { namePrefix: 'conformance-prefix-', assumeRolePolicy: ASSUMED_BY('ec2.amazonaws.com') },
    ],
    kept: ['forceDetachPolicies'],
    notImported: ['forceDetachPolicies'],
    actual: async ({ iam }, RoleName) => {
      const role = (await gone(iam.getRole({ RoleName })))?.Role;
      return (
        role && {
          name: role.RoleName,
          namePrefix: role.RoleName?.slice(0, -26),
          assumeRolePolicy: decodeURIComponent(role.AssumeRolePolicyDocument ?? ''),
          description: role.Description,
          maxSessionDuration: role.MaxSessionDuration,
          path: role.Path,
          permissionsBoundary: role.PermissionsBoundary?.PermissionsBoundaryArn,
          tags: tagsOf(role.Tags),
        }
      );
    },
    update: ({ otherPolicyArn }) => ({
      assumeRolePolicy: ASSUMED_BY('ssm.amazonaws.com'),
      description: 'changed',
      maxSessionDuration: 3600,
      permissionsBoundary: otherPolicyArn,
      tags: otherTags,
    }),
    replace: () => ({ path: '/other/', name: 'conformance-other-role', namePrefix: 'x-' }),
    deleteBeforeReplace: true,
    drift: {
      make: ({ iam }, RoleName) =>
        iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: ASSUMED_BY('lambda.amazonaws.com') }),
      shows: 'assumeRolePolicy',
    },
    outputs: ['arn', 'createDate', 'uniqueId'],
  },
  {
    type: 'aws:iam/rolePolicy:RolePolicy',
    inputs: ({ roleName }) => ({ name: 'conformance-policy', role: roleName, policy: ALLOW('s3:GetObject') }),
    variants: ({ roleName }) => [
      { namePrefix: 'conformance-', role: roleName, policy: ALLOW('s3:GetObject') },
    ],
    actual: async ({ iam }, id) => {
      const [RoleName, PolicyName] = id.split(':');
      const found = await gone(iam.getRolePolicy({ RoleName, PolicyName }));
      return (
        found && {
          name: found.PolicyName,
          namePrefix: found.PolicyName?.slice(0, -26),
          role: found.RoleName,
          policy: decodeURIComponent(found.PolicyDocument ?? ''),
        }
      );
    },
    update: () => ({ policy: ALLOW('s3:PutObject') }),
    replace: ({ otherRoleName }) => ({ role: otherRoleName, name: 'conformance-other', namePrefix: 'x-' }),
    deleteBeforeReplace: true,
    drift: {
      make: ({ iam }, id) => {
        const [RoleName, PolicyName] = id.split(':');
        return iam.putRolePolicy({ RoleName, PolicyName, PolicyDocument: ALLOW('*') });
      },
      shows: 'policy',
    },
    outputs: [],
  },
  {
    type: 'aws:iam/rolePolicyAttachment:RolePolicyAttachment',
    inputs: ({ roleName, boundaryArn }) => ({ role: roleName, policyArn: boundaryArn }),
    actual: async ({ iam }, _, inputs) => {
      const { AttachedPolicies = [] } = await iam.listAttachedRolePolicies({
        RoleName: text(inputs['role']),
      });
      return AttachedPolicies.some(({ PolicyArn }) => PolicyArn === inputs['policyArn'])
        ? { role: inputs['role'], policyArn: inputs['policyArn'] }
        : undefined;
    },
    replace: ({ otherRoleName, otherPolicyArn }) => ({ role: otherRoleName, policyArn: otherPolicyArn }),
    outputs: [],
  },
  {
    type: 'aws:iam/instanceProfile:InstanceProfile',
    inputs: ({ roleName }) => ({ name: 'conformance-profile', path: '/skyfleet/', role: roleName, tags }),
    variants: () => [{ namePrefix: 'conformance-prefix-' }],
    actual: async ({ iam }, InstanceProfileName) => {
      const profile = (await gone(iam.getInstanceProfile({ InstanceProfileName })))?.InstanceProfile;
      return (
        profile && {
          name: profile.InstanceProfileName,
          namePrefix: profile.InstanceProfileName?.slice(0, -26),
          path: profile.Path,
          role: profile.Roles?.[0]?.RoleName,
          tags: tagsOf(profile.Tags),
        }
      );
    },
    update: ({ otherRoleName }) => ({ role: otherRoleName, tags: otherTags }),
    replace: () => ({ path: '/other/', name: 'conformance-other-profile', namePrefix: 'x-' }),
    deleteBeforeReplace: true,
    drift: {
      make: ({ iam }, InstanceProfileName, inputs) =>
        iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName: text(inputs['role']) }),
      shows: 'role',
    },
    outputs: ['arn', 'createDate', 'uniqueId'],
  },
  {
    type: 'aws:s3/bucket:Bucket',
    inputs: () => ({ bucket: 'conformance-made', forceDestroy: true, objectLockEnabled: true, tags }),
    variants: () => [{ bucketPrefix: 'conformance-prefix-' }],
    kept: ['forceDestroy'],
    notImported: ['forceDestroy'],
    actual: async ({ s3 }, Bucket) => {
      if ((await gone(s3.headBucket({ Bucket }))) === undefined) return undefined;
      const lock = await gone(s3.getObjectLockConfiguration({ Bucket }));
      return {
        bucket: Bucket,
        bucketPrefix: Bucket.slice(0, -26),
        objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
        tags: tagsOf((await gone(s3.getBucketTagging({ Bucket })))?.TagSet),
      };
    },
    update: () => ({ tags: otherTags, forceDestroy: false }),
    replace: () => ({ bucket: 'conformance-made-otherwise', bucketPrefix: 'x-', objectLockEnabled: false }),
    deleteBeforeReplace: true,
    drift: { make: ({ s3 }, Bucket) => s3.deleteBucketTagging({ Bucket }), shows: 'tags' },
    outputs: ['arn', 'bucketDomainName', 'bucketRegion', 'bucketRegionalDomainName'],
  },
  // Before the case of versioning, which stays suspended in its bucket and so gives each object a version.
  {
    type: 'aws:s3/bucketObjectv2:BucketObjectv2',
    inputs: ({ bucket }) => ({
      bucket,
      key: 'folder/object.yml',
      content: 'a: ö\n',
      contentType: 'text/yaml',
      serverSideEncryption: 'AES256',
      forceDestroy: true,
      tags,
    }),
    variants: ({ bucket }) => [{ bucket, key: 'empty' }],
    kept: ['forceDestroy'],
    notImported: ['content', 'forceDestroy'],
    actual: async ({ s3 }, _, inputs) => {
      const at = { Bucket: text(inputs['bucket']), Key: text(inputs['key']) };
      const found = await gone(s3.getObject(at));
      return (
        found && {
          bucket: at.Bucket,
          key: at.Key,
          content: await found.Body?.transformToString(),
          contentType: found.ContentType,
          serverSideEncryption: found.ServerSideEncryption,
          tags: tagsOf((await s3.getObjectTagging(at)).TagSet),
        }
      );
    },
    update: () => ({
      content: 'changed',
      contentType: 'text/plain',
      serverSideEncryption: 'aws:kms',
      forceDestroy: false,
      tags: otherTags,
    }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket, key: 'folder/other.yml' }),
    drift: {
      make: ({ s3 }, _, inputs) =>
        s3.putObject({
          Bucket: text(inputs['bucket']),
          Key: text(inputs['key']),
          Body: 'alien',
          ContentType: 'text/alien',
        }),
      // Where an object is put anew all of it is, so that the content comes back too; the real provider never reads it.
      shows: 'contentType',
    },
    outputs: ['arn'],
  },
  {
    type: bucketSetting('PublicAccessBlock'),
    inputs: ({ bucket }) => ({
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    }),
    variants: ({ bucket }) => [
      { bucket, blockPublicAcls: true },
      { bucket, blockPublicPolicy: true },
      { bucket, ignorePublicAcls: true },
      { bucket, restrictPublicBuckets: true },
    ],
    actual: async ({ s3 }, Bucket) => {
      const found = (await gone(s3.getPublicAccessBlock({ Bucket })))?.PublicAccessBlockConfiguration;
      return (
        found && {
          bucket: Bucket,
          blockPublicAcls: found.BlockPublicAcls,
          blockPublicPolicy: found.BlockPublicPolicy,
          ignorePublicAcls: found.IgnorePublicAcls,
          restrictPublicBuckets: found.RestrictPublicBuckets,
        }
      );
    },
    update: () => ({ blockPublicPolicy: false, restrictPublicBuckets: false }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { IgnorePublicAcls: true } }),
      shows: 'blockPublicAcls',
    },
    outputs: [],
  },
  {
    type: bucketSetting('ServerSideEncryptionConfiguration'),
    inputs: ({ bucket }) => ({
      bucket,
      rules: [
        {
          applyServerSideEncryptionByDefault: {
            sseAlgorithm: 'aws:kms',
            kmsMasterKeyId: 'alias/conformance',
          },
          bucketKeyEnabled: true,
        },
      ],
    }),
    actual: async ({ s3 }, Bucket) => {
      const found = (await gone(s3.getBucketEncryption({ Bucket })))?.ServerSideEncryptionConfiguration;
      return (
        found && {
          bucket: Bucket,
          rules: found.Rules?.map(({ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled }) => ({
            applyServerSideEncryptionByDefault: {
              sseAlgorithm: byDefault?.SSEAlgorithm,
              kmsMasterKeyId: byDefault?.KMSMasterKeyID,
            },
            bucketKeyEnabled: BucketKeyEnabled,
          })),
        }
      );
    },
    update: () => ({
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' }, bucketKeyEnabled: false }],
    }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putBucketEncryption({
          Bucket,
          ServerSideEncryptionConfiguration: {
            Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
          },
        }),
      shows: 'rules',
    },
    outputs: [],
  },
  {
    type: bucketSetting('Versioning'),
    inputs: ({ bucket }) => ({ bucket, versioningConfiguration: { status: 'Enabled' } }),
    actual: async ({ s3 }, Bucket) => {
      const found = await s3.getBucketVersioning({ Bucket });
      return found.Status && { bucket: Bucket, versioningConfiguration: { status: found.Status } };
    },
    update: () => ({ versioningConfiguration: { status: 'Suspended' } }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
      shows: 'versioningConfiguration',
    },
    outputs: [],
    outlives: true,
  },
  {
    type: bucketSetting('OwnershipControls'),
    inputs: ({ bucket }) => ({ bucket, rule: { objectOwnership: 'BucketOwnerEnforced' } }),
    actual: async ({ s3 }, Bucket) => {
      const rule = (await gone(s3.getBucketOwnershipControls({ Bucket })))?.OwnershipControls?.Rules?.[0];
      return rule && { bucket: Bucket, rule: { objectOwnership: rule.ObjectOwnership } };
    },
    update: () => ({ rule: { objectOwnership: 'BucketOwnerPreferred' } }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putBucketOwnershipControls({
          Bucket,
          OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] },
        }),
      shows: 'rule',
    },
    outputs: [],
  },
  {
    type: bucketSetting('Policy'),
    inputs: ({ bucket }) => ({ bucket, policy: DENY_PLAIN(bucket) }),
    actual: async ({ s3 }, Bucket) => {
      const found = await gone(s3.getBucketPolicy({ Bucket }));
      return found && { bucket: Bucket, policy: found.Policy };
    },
    update: ({ bucket }) => ({ policy: DENY_PLAIN(bucket, 'Allow') }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) => s3.putBucketPolicy({ Bucket, Policy: DENY_PLAIN('elsewhere') }),
      shows: 'policy',
    },
    outputs: [],
  },
  {
    type: bucketSetting('LifecycleConfiguration'),
    inputs: ({ bucket }) => ({
      bucket,
      rules: [
        {
          id: 'all',
          status: 'Enabled',
          filter: { prefix: '' },
          noncurrentVersionExpiration: { noncurrentDays: 30 },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
        { id: 'days', status: 'Disabled', filter: { prefix: 'old/' }, expiration: { days: 90 } },
        {
          id: 'date',
          status: 'Enabled',
          filter: { prefix: 'd/' },
          expiration: { date: '2030-01-01T00:00:00Z' },
        },
        {
          id: 'markers',
          status: 'Enabled',
          filter: { prefix: 'm/' },
          expiration: { expiredObjectDeleteMarker: true },
        },
        { id: 'tag', status: 'Enabled', filter: { tag: { key: 'a', value: 'b' } }, expiration: { days: 2 } },
        {
          id: 'and',
          status: 'Enabled',
          filter: { and: { prefix: 'x/', tags: { c: 'd', e: 'f' } } },
          expiration: { days: 3 },
        },
      ],
    }),
    actual: async ({ s3 }, Bucket) => {
      const found = await gone(s3.getBucketLifecycleConfiguration({ Bucket }));
      return (
        found && {
          bucket: Bucket,
          rules: found.Rules?.map((rule) => ({
            id: rule.ID,
            status: rule.Status,
            filter: {
              prefix: rule.Filter?.Prefix,
              tag: rule.Filter?.Tag && { key: rule.Filter.Tag.Key, value: rule.Filter.Tag.Value },
              and: rule.Filter?.And && {
                prefix: rule.Filter.And.Prefix,
                tags: tagsOf(rule.Filter.And.Tags),
              },
            },
            expiration: rule.Expiration && {
              days: rule.Expiration.Days,
              date: rule.Expiration.Date?.toISOString().replace('.000Z', 'Z'),
              expiredObjectDeleteMarker: rule.Expiration.ExpiredObjectDeleteMarker,
            },
            noncurrentVersionExpiration: rule.NoncurrentVersionExpiration && {
              noncurrentDays: rule.NoncurrentVersionExpiration.NoncurrentDays,
            },
            abortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload && {
              daysAfterInitiation: rule.AbortIncompleteMultipartUpload.DaysAfterInitiation,
            },
          })),
        }
      );
    },
    update: () => ({
      rules: [{ id: 'all', status: 'Enabled', filter: { prefix: '' }, expiration: { days: 5 } }],
    }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putBucketLifecycleConfiguration({
          Bucket,
          LifecycleConfiguration: {
            Rules: [{ ID: 'alien', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } }],
          },
        }),
      shows: 'rules',
    },
    outputs: [],
  },
];
