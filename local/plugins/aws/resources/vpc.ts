import type { Filter } from '@aws-sdk/client-ec2';
import type { Value } from '../../properties';
import { unlessAbsent } from '../clients';
import { flag, text } from '../inputs';
import { type Aws, resourceType } from '../resource-type';
import { IN_USE, arn, tag, tagged, tagsAtCreation, tagsOf } from './ec2';

const of = (vpc: string, ...more: Filter[]): { Filters: Filter[] } => ({
  Filters: [{ Name: 'vpc-id', Values: [vpc] }, ...more],
});

export const vpc = resourceType({
  inputs: {
    ...tagged,
    cidrBlock: text({ required: true, replaces: true }),
    enableDnsHostnames: flag({ computed: true }),
    enableDnsSupport: flag({ default: true }),
    instanceTenancy: text({
      default: 'default',
      // AWS takes the dedication off, but never puts it on.
      replaces: (_: Value, after: Value) => after !== 'default',
      oneOf: ['default', 'dedicated'],
    }),
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
    if (changed('instanceTenancy')) await ec2.modifyVpcTenancy({ VpcId, InstanceTenancy: 'default' });
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
