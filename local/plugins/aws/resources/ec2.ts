import { crc32 } from 'node:zlib';
import type { Filter, ResourceType as Ec2Type, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { unlessAbsent } from '../clients';
import { flag, json, set, tagMap, type Tags, text } from '../inputs';
import { type Aws, resourceType, type TagChange } from '../resource-type';

/** Inputs of everything that EC2 tags; `tagsAll` has the provider's default tags in it. */
export const tagged = { tags: tagMap, tagsAll: tagMap };

export function tagsAtCreation(
  type: Ec2Type,
  tags: Tags | undefined,
): { TagSpecifications?: TagSpecification[] } {
  const Tags = Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
  return Tags.length === 0 ? {} : { TagSpecifications: [{ ResourceType: type, Tags }] };
}

export function tagsOf(tags: readonly Tag[] | undefined): Tags {
  const own = (tags ?? []).filter(({ Key }) => !Key?.startsWith('aws:'));
  return Object.fromEntries(own.map(({ Key = '', Value = '' }) => [Key, Value]));
}

export async function tag(aws: Aws, id: string, { set, removed }: TagChange): Promise<void> {
  const ec2 = await aws.ec2();
  if (removed.length > 0) await ec2.deleteTags({ Resources: [id], Tags: removed.map((Key) => ({ Key })) });
  const Tags = Object.entries(set).map(([Key, Value]) => ({ Key, Value }));
  if (Tags.length > 0) await ec2.createTags({ Resources: [id], Tags });
}

export function arn(aws: Aws, owner: string | undefined, resource: string): string {
  return `arn:${aws.partition}:ec2:${aws.region}:${owner ?? ''}:${resource}`;
}

/** What AWS cannot delete yet, because what depends on it is still going away. */
export const IN_USE = ['DependencyViolation'];

const of = (vpc: string, ...more: Filter[]): { Filters: Filter[] } => ({
  Filters: [{ Name: 'vpc-id', Values: [vpc] }, ...more],
});

export const vpc = resourceType({
  inputs: {
    ...tagged,
    cidrBlock: text({ required: true, replaces: true }),
    enableDnsHostnames: flag({ computed: true }),
    enableDnsSupport: flag({ default: true }),
    instanceTenancy: text({ default: 'default', replaces: true, oneOf: ['default', 'dedicated'] }),
  },
  outputs: [
    'arn',
    'defaultNetworkAclId',
    'defaultRouteTableId',
    'defaultSecurityGroupId',
    'dhcpOptionsId',
    'mainRouteTableId',
    'ownerId',
  ],
  async create(aws, { cidrBlock, instanceTenancy, tagsAll, ...settings }, created) {
    const ec2 = await aws.ec2();
    const { Vpc } = await ec2.createVpc({
      CidrBlock: cidrBlock,
      InstanceTenancy: instanceTenancy as 'default',
      ...tagsAtCreation('vpc', tagsAll),
    });
    const VpcId = Vpc?.VpcId ?? '';
    created(VpcId);
    await aws.until(`VPC ${VpcId} available`, async () => {
      const { Vpcs = [] } = await ec2.describeVpcs({ VpcIds: [VpcId] });
      return Vpcs[0]?.State === 'available' || undefined;
    });
    if (!settings.enableDnsSupport)
      await ec2.modifyVpcAttribute({ VpcId, EnableDnsSupport: { Value: false } });
    if (settings.enableDnsHostnames)
      await ec2.modifyVpcAttribute({ VpcId, EnableDnsHostnames: { Value: true } });
    return VpcId;
  },
  async read(aws, VpcId) {
    const ec2 = await aws.ec2();
    const found = await unlessAbsent(['InvalidVpcID.NotFound'], ec2.describeVpcs({ VpcIds: [VpcId] }));
    const Vpc = found?.Vpcs?.[0];
    if (Vpc === undefined) return undefined;
    const [support, hostnames, tables, acls, groups] = await Promise.all([
      ec2.describeVpcAttribute({ VpcId, Attribute: 'enableDnsSupport' }),
      ec2.describeVpcAttribute({ VpcId, Attribute: 'enableDnsHostnames' }),
      ec2.describeRouteTables(of(VpcId, { Name: 'association.main', Values: ['true'] })),
      ec2.describeNetworkAcls(of(VpcId, { Name: 'default', Values: ['true'] })),
      ec2.describeSecurityGroups(of(VpcId, { Name: 'group-name', Values: ['default'] })),
    ]);
    const mainRouteTableId = tables.RouteTables?.[0]?.RouteTableId;
    return {
      cidrBlock: Vpc.CidrBlock,
      enableDnsSupport: support.EnableDnsSupport?.Value,
      enableDnsHostnames: hostnames.EnableDnsHostnames?.Value,
      instanceTenancy: Vpc.InstanceTenancy,
      tagsAll: tagsOf(Vpc.Tags),
      arn: arn(aws, Vpc.OwnerId, `vpc/${VpcId}`),
      defaultNetworkAclId: acls.NetworkAcls?.[0]?.NetworkAclId,
      defaultRouteTableId: mainRouteTableId,
      defaultSecurityGroupId: groups.SecurityGroups?.[0]?.GroupId,
      dhcpOptionsId: Vpc.DhcpOptionsId,
      mainRouteTableId,
      ownerId: Vpc.OwnerId,
    };
  },
  async update(aws, VpcId, { props, changed }) {
    const ec2 = await aws.ec2();
    const [support, hostnames] = [props.enableDnsSupport, props.enableDnsHostnames ?? false];
    if (changed('enableDnsSupport'))
      await ec2.modifyVpcAttribute({ VpcId, EnableDnsSupport: { Value: support } });
    if (changed('enableDnsHostnames')) {
      await ec2.modifyVpcAttribute({ VpcId, EnableDnsHostnames: { Value: hostnames } });
    }
  },
  tag,
  async delete(aws, VpcId) {
    const ec2 = await aws.ec2();
    await unlessAbsent(
      ['InvalidVpcID.NotFound'],
      aws.whileRefused(IN_USE, () => ec2.deleteVpc({ VpcId })),
    );
  },
});

export const subnet = resourceType({
  inputs: {
    ...tagged,
    vpcId: text({ required: true, replaces: true }),
    cidrBlock: text({ required: true, replaces: true }),
    availabilityZone: text({ computed: true, replaces: true }),
    availabilityZoneId: text({ computed: true, replaces: true }),
    mapPublicIpOnLaunch: flag({ default: false }),
  },
  outputs: ['arn', 'ownerId'],
  minutes: 20,
  async create(aws, props, created) {
    const ec2 = await aws.ec2();
    const { Subnet } = await ec2.createSubnet({
      VpcId: props.vpcId,
      CidrBlock: props.cidrBlock,
      ...(props.availabilityZone === undefined ? {} : { AvailabilityZone: props.availabilityZone }),
      ...(props.availabilityZoneId === undefined ? {} : { AvailabilityZoneId: props.availabilityZoneId }),
      ...tagsAtCreation('subnet', props.tagsAll),
    });
    const SubnetId = Subnet?.SubnetId ?? '';
    created(SubnetId);
    await aws.until(`subnet ${SubnetId} available`, async () => {
      const { Subnets = [] } = await ec2.describeSubnets({ SubnetIds: [SubnetId] });
      return Subnets[0]?.State === 'available' || undefined;
    });
    if (props.mapPublicIpOnLaunch) {
      await ec2.modifySubnetAttribute({ SubnetId, MapPublicIpOnLaunch: { Value: true } });
    }
    return SubnetId;
  },
  async read(aws, SubnetId) {
    const ec2 = await aws.ec2();
    const found = await unlessAbsent(
      ['InvalidSubnetID.NotFound'],
      ec2.describeSubnets({ SubnetIds: [SubnetId] }),
    );
    const Subnet = found?.Subnets?.[0];
    return (
      Subnet && {
        vpcId: Subnet.VpcId,
        cidrBlock: Subnet.CidrBlock,
        availabilityZone: Subnet.AvailabilityZone,
        availabilityZoneId: Subnet.AvailabilityZoneId,
        mapPublicIpOnLaunch: Subnet.MapPublicIpOnLaunch,
        tagsAll: tagsOf(Subnet.Tags),
        arn: arn(aws, Subnet.OwnerId, `subnet/${SubnetId}`),
        ownerId: Subnet.OwnerId,
      }
    );
  },
  async update(aws, SubnetId, { props, changed }) {
    if (!changed('mapPublicIpOnLaunch')) return;
    const ec2 = await aws.ec2();
    await ec2.modifySubnetAttribute({ SubnetId, MapPublicIpOnLaunch: { Value: props.mapPublicIpOnLaunch } });
  },
  tag,
  async delete(aws, SubnetId) {
    const ec2 = await aws.ec2();
    await unlessAbsent(
      ['InvalidSubnetID.NotFound'],
      aws.whileRefused(IN_USE, () => ec2.deleteSubnet({ SubnetId })),
    );
  },
});

async function attachGateway(aws: Aws, InternetGatewayId: string, VpcId: string): Promise<void> {
  const ec2 = await aws.ec2();
  await ec2.attachInternetGateway({ InternetGatewayId, VpcId });
}

/** AWS refuses while an instance in the VPC still has a public address. */
async function detachGateway(aws: Aws, InternetGatewayId: string, VpcId: string): Promise<void> {
  const ec2 = await aws.ec2();
  const gone = ['Gateway.NotAttached', 'InvalidInternetGatewayID.NotFound'];
  const detach = () => ec2.detachInternetGateway({ InternetGatewayId, VpcId });
  await unlessAbsent(gone, aws.whileRefused(IN_USE, detach));
}

export const internetGateway = resourceType({
  inputs: { ...tagged, vpcId: text({ computed: true }) },
  outputs: ['arn', 'ownerId'],
  minutes: 20,
  async create(aws, { vpcId, tagsAll }, created) {
    const ec2 = await aws.ec2();
    const made = await ec2.createInternetGateway(tagsAtCreation('internet-gateway', tagsAll));
    const id = made.InternetGateway?.InternetGatewayId ?? '';
    created(id);
    if (vpcId !== undefined) await attachGateway(aws, id, vpcId);
    return id;
  },
  async read(aws, id) {
    const ec2 = await aws.ec2();
    const request = ec2.describeInternetGateways({ InternetGatewayIds: [id] });
    const found = await unlessAbsent(['InvalidInternetGatewayID.NotFound'], request);
    const gateway = found?.InternetGateways?.[0];
    return (
      gateway && {
        vpcId: gateway.Attachments?.[0]?.VpcId,
        tagsAll: tagsOf(gateway.Tags),
        arn: arn(aws, gateway.OwnerId, `internet-gateway/${id}`),
        ownerId: gateway.OwnerId,
      }
    );
  },
  async update(aws, id, { props, olds, changed }) {
    if (!changed('vpcId')) return;
    if (olds.vpcId !== undefined) await detachGateway(aws, id, olds.vpcId);
    if (props.vpcId !== undefined) await attachGateway(aws, id, props.vpcId);
  },
  tag,
  async delete(aws, id, { vpcId }) {
    if (vpcId !== undefined) await detachGateway(aws, id, vpcId);
    const ec2 = await aws.ec2();
    const remove = () => ec2.deleteInternetGateway({ InternetGatewayId: id });
    await unlessAbsent(['InvalidInternetGatewayID.NotFound'], aws.whileRefused(IN_USE, remove));
  },
});

const TABLE_GONE = ['InvalidRouteTableID.NotFound'];

async function routeTableOf(aws: Aws, id: string) {
  const ec2 = await aws.ec2();
  const found = await unlessAbsent(TABLE_GONE, ec2.describeRouteTables({ RouteTableIds: [id] }));
  return found?.RouteTables?.[0];
}

export const routeTable = resourceType({
  inputs: { ...tagged, vpcId: text({ required: true, replaces: true }) },
  outputs: ['arn', 'ownerId'],
  async create(aws, { vpcId, tagsAll }, created) {
    const ec2 = await aws.ec2();
    const made = await ec2.createRouteTable({ VpcId: vpcId, ...tagsAtCreation('route-table', tagsAll) });
    const id = made.RouteTable?.RouteTableId ?? '';
    created(id);
    return id;
  },
  async read(aws, id) {
    const table = await routeTableOf(aws, id);
    return (
      table && {
        vpcId: table.VpcId,
        tagsAll: tagsOf(table.Tags),
        arn: arn(aws, table.OwnerId, `route-table/${id}`),
        ownerId: table.OwnerId,
      }
    );
  },
  tag,
  async delete(aws, id) {
    const ec2 = await aws.ec2();
    for (const { Main, RouteTableAssociationId = '' } of (await routeTableOf(aws, id))?.Associations ?? []) {
      const request = Main
        ? undefined
        : ec2.disassociateRouteTable({ AssociationId: RouteTableAssociationId });
      await unlessAbsent(['InvalidAssociationID.NotFound'], Promise.resolve(request));
    }
    await unlessAbsent(
      TABLE_GONE,
      aws.whileRefused(IN_USE, () => ec2.deleteRouteTable({ RouteTableId: id })),
    );
  },
});

const ROUTE_GONE = ['InvalidRoute.NotFound', ...TABLE_GONE];

interface RouteProps {
  routeTableId: string;
  destinationCidrBlock?: string | undefined;
  destinationIpv6CidrBlock?: string | undefined;
  gatewayId?: string | undefined;
  natGatewayId?: string | undefined;
}

function routeDestination(props: Omit<RouteProps, 'routeTableId'>) {
  const { destinationCidrBlock: v4, destinationIpv6CidrBlock: v6 } = props;
  if ((v4 === undefined) === (v6 === undefined)) {
    throw new Error('aws:ec2/route:Route takes one of destinationCidrBlock and destinationIpv6CidrBlock');
  }
  return v4 === undefined ? { DestinationIpv6CidrBlock: v6 } : { DestinationCidrBlock: v4 };
}

function routeRequest(props: RouteProps) {
  const { gatewayId, natGatewayId } = props;
  if ((gatewayId === undefined) === (natGatewayId === undefined)) {
    throw new Error('aws:ec2/route:Route takes one of gatewayId and natGatewayId');
  }
  const target = gatewayId === undefined ? { NatGatewayId: natGatewayId } : { GatewayId: gatewayId };
  return { RouteTableId: props.routeTableId, ...routeDestination(props), ...target };
}

function routeId({ routeTableId, destinationCidrBlock, destinationIpv6CidrBlock }: RouteProps): string {
  return `r-${routeTableId}${crc32(destinationCidrBlock ?? destinationIpv6CidrBlock ?? '')}`;
}

/** An import names it `TABLE_DESTINATION`; a state has it in its properties. */
function routeAddress(id: string, known: Partial<RouteProps>): RouteProps {
  if (known.routeTableId !== undefined) return { ...known, routeTableId: known.routeTableId };
  const [routeTableId = '', destination = ''] = id.split('_');
  return destination.includes(':')
    ? { routeTableId, destinationIpv6CidrBlock: destination }
    : { routeTableId, destinationCidrBlock: destination };
}

export const route = resourceType({
  inputs: {
    routeTableId: text({ required: true, replaces: true }),
    destinationCidrBlock: text({ replaces: true }),
    destinationIpv6CidrBlock: text({ replaces: true }),
    gatewayId: text(),
    natGatewayId: text(),
  },
  outputs: ['origin', 'state'],
  minutes: 5,
  async create(aws, props, created) {
    const ec2 = await aws.ec2();
    await ec2.createRoute(routeRequest(props));
    created(routeId(props));
    return routeId(props);
  },
  async read(aws, id, known) {
    const address = routeAddress(id, known);
    const table = await routeTableOf(aws, address.routeTableId);
    const found = table?.Routes?.find(
      (entry) =>
        (entry.DestinationCidrBlock ?? entry.DestinationIpv6CidrBlock) ===
        (address.destinationCidrBlock ?? address.destinationIpv6CidrBlock),
    );
    return (
      found && {
        id: routeId(address),
        routeTableId: address.routeTableId,
        destinationCidrBlock: found.DestinationCidrBlock,
        destinationIpv6CidrBlock: found.DestinationIpv6CidrBlock,
        gatewayId: found.GatewayId,
        natGatewayId: found.NatGatewayId,
        origin: found.Origin,
        state: found.State,
      }
    );
  },
  async update(aws, _, { props }) {
    const ec2 = await aws.ec2();
    await ec2.replaceRoute(routeRequest(props));
  },
  async delete(aws, id, known) {
    const ec2 = await aws.ec2();
    const address = routeAddress(id, known);
    const RouteTableId = address.routeTableId;
    await unlessAbsent(ROUTE_GONE, ec2.deleteRoute({ RouteTableId, ...routeDestination(address) }));
  },
});

/**
 * Replacing an association gives it a new id, while Pulumi keeps the first: it is found by the subnet, which an
 * import names too, as `SUBNET/TABLE`.
 */
async function associationOf(aws: Aws, id: string, known: { subnetId?: string }) {
  const ec2 = await aws.ec2();
  const subnetId = known.subnetId ?? (id.includes('/') ? id.split('/')[0] : undefined);
  const [Name, value = ''] =
    subnetId === undefined
      ? ['association.route-table-association-id', id]
      : ['association.subnet-id', subnetId];
  const { RouteTables = [] } = await ec2.describeRouteTables({ Filters: [{ Name, Values: [value] }] });
  return RouteTables.flatMap(({ Associations = [] }) => Associations).find((association) =>
    [association.RouteTableAssociationId, association.SubnetId].includes(value),
  );
}

export const routeTableAssociation = resourceType({
  inputs: {
    routeTableId: text({ required: true }),
    subnetId: text({ required: true, replaces: true }),
  },
  outputs: [],
  minutes: 5,
  async create(aws, { routeTableId, subnetId }, created) {
    const ec2 = await aws.ec2();
    const made = await ec2.associateRouteTable({ RouteTableId: routeTableId, SubnetId: subnetId });
    const id = made.AssociationId ?? '';
    created(id);
    return id;
  },
  async read(aws, id, known) {
    const association = await associationOf(aws, id, known);
    if (association === undefined) return undefined;
    const { RouteTableAssociationId, RouteTableId, SubnetId } = association;
    const imported = known.subnetId === undefined ? { id: RouteTableAssociationId } : {};
    return { ...imported, routeTableId: RouteTableId, subnetId: SubnetId };
  },
  async update(aws, id, { props, olds }) {
    const ec2 = await aws.ec2();
    const association = await associationOf(aws, id, olds);
    await ec2.replaceRouteTableAssociation({
      AssociationId: association?.RouteTableAssociationId ?? id,
      RouteTableId: props.routeTableId,
    });
  },
  async delete(aws, id, known) {
    const ec2 = await aws.ec2();
    const AssociationId = (await associationOf(aws, id, known))?.RouteTableAssociationId;
    if (AssociationId === undefined) return;
    await unlessAbsent(['InvalidAssociationID.NotFound'], ec2.disassociateRouteTable({ AssociationId }));
  },
});

const ENDPOINT_GONE = ['InvalidVpcEndpointId.NotFound', 'InvalidVpcEndpoint.NotFound'];

async function endpointOf(aws: Aws, id: string) {
  const ec2 = await aws.ec2();
  const found = await unlessAbsent(ENDPOINT_GONE, ec2.describeVpcEndpoints({ VpcEndpointIds: [id] }));
  const endpoint = found?.VpcEndpoints?.[0];
  return endpoint?.State?.toLowerCase() === 'deleted' ? undefined : endpoint;
}

export const vpcEndpoint = resourceType({
  inputs: {
    ...tagged,
    vpcId: text({ required: true, replaces: true }),
    serviceName: text({ required: true, replaces: true }),
    vpcEndpointType: text({ default: 'Gateway', replaces: true, oneOf: ['Gateway'] }),
    routeTableIds: set(text(), { computed: true }),
    policy: json({ computed: true }),
  },
  outputs: ['arn', 'cidrBlocks', 'ownerId', 'prefixListId', 'requesterManaged', 'state'],
  async create(aws, props, created) {
    const ec2 = await aws.ec2();
    const { VpcEndpoint } = await ec2.createVpcEndpoint({
      VpcId: props.vpcId,
      ServiceName: props.serviceName,
      VpcEndpointType: 'Gateway',
      ...(props.routeTableIds === undefined ? {} : { RouteTableIds: props.routeTableIds }),
      ...(props.policy === undefined ? {} : { PolicyDocument: props.policy }),
      ...tagsAtCreation('vpc-endpoint', props.tagsAll),
    });
    const id = VpcEndpoint?.VpcEndpointId ?? '';
    created(id);
    await aws.until(`VPC endpoint ${id} available`, async () => {
      const state = (await endpointOf(aws, id))?.State?.toLowerCase();
      return state === 'available' || undefined;
    });
    return id;
  },
  async read(aws, id) {
    const endpoint = await endpointOf(aws, id);
    if (endpoint === undefined) return undefined;
    const ec2 = await aws.ec2();
    const { PrefixLists = [] } = await ec2.describePrefixLists({
      Filters: [{ Name: 'prefix-list-name', Values: [endpoint.ServiceName ?? ''] }],
    });
    return {
      vpcId: endpoint.VpcId,
      serviceName: endpoint.ServiceName,
      vpcEndpointType: endpoint.VpcEndpointType,
      routeTableIds: endpoint.RouteTableIds,
      policy: endpoint.PolicyDocument,
      tagsAll: tagsOf(endpoint.Tags),
      arn: arn(aws, endpoint.OwnerId, `vpc-endpoint/${id}`),
      cidrBlocks: PrefixLists[0]?.Cidrs ?? [],
      ownerId: endpoint.OwnerId,
      prefixListId: PrefixLists[0]?.PrefixListId,
      requesterManaged: endpoint.RequesterManaged ?? false,
      state: endpoint.State?.toLowerCase(),
    };
  },
  async update(aws, VpcEndpointId, { props, olds, changed }) {
    const ec2 = await aws.ec2();
    const [before, after] = [olds.routeTableIds ?? [], props.routeTableIds ?? []];
    const added = after.filter((table) => !before.includes(table));
    const removed = before.filter((table) => !after.includes(table));
    if (!changed('routeTableIds', 'policy')) return;
    await ec2.modifyVpcEndpoint({
      VpcEndpointId,
      ...(changed('routeTableIds') && added.length > 0 ? { AddRouteTableIds: added } : {}),
      ...(changed('routeTableIds') && removed.length > 0 ? { RemoveRouteTableIds: removed } : {}),
      ...(changed('policy') ? { PolicyDocument: props.policy } : {}),
    });
  },
  tag,
  async delete(aws, id) {
    const ec2 = await aws.ec2();
    if ((await endpointOf(aws, id)) === undefined) return;
    await unlessAbsent(ENDPOINT_GONE, ec2.deleteVpcEndpoints({ VpcEndpointIds: [id] }));
    await aws.until(
      `VPC endpoint ${id} deleted`,
      async () => (await endpointOf(aws, id)) === undefined || undefined,
    );
  },
});
