import { type Case, gone, otherTags, retag, tags, tagsOf, text } from './case';
import { ALLOW } from './ground';

export const networkCases: readonly Case[] = [
  {
    type: 'aws:ec2/vpc:Vpc',
    inputs: () => ({
      cidrBlock: '10.20.0.0/16',
      enableDnsHostnames: true,
      enableDnsSupport: true,
      instanceTenancy: 'default',
      tags,
    }),
    variants: () => [{ cidrBlock: '10.21.0.0/16', enableDnsSupport: false, instanceTenancy: 'dedicated' }],
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
    replace: () => ({ cidrBlock: '10.22.0.0/16', instanceTenancy: 'dedicated' }),
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
    excludes: { availabilityZoneId: ['availabilityZone'] },
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
    excludes: { destinationIpv6CidrBlock: ['destinationCidrBlock'] },
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
    drift: {
      make: async ({ ec2 }, _, inputs, ground) => {
        const { RouteTables = [] } = await ec2.describeRouteTables({
          Filters: [{ Name: 'association.subnet-id', Values: [text(inputs['subnetId'])] }],
        });
        const association = RouteTables.flatMap(({ Associations = [] }) => Associations).find(
          ({ SubnetId }) => SubnetId === inputs['subnetId'],
        );
        await ec2.replaceRouteTableAssociation({
          AssociationId: association?.RouteTableAssociationId,
          RouteTableId: ground.routeTableId,
        });
      },
      shows: 'routeTableId',
    },
    outputs: [],
  },
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
];
