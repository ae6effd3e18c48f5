import { type Case, gone, otherTags, retag, tags, tagsOf } from './case';

export const natCases: readonly Case[] = [
  {
    type: 'aws:ec2/eip:Eip',
    inputs: () => ({ domain: 'vpc', tags }),
    actual: async ({ ec2 }, id) => {
      const address = (await gone(ec2.describeAddresses({ AllocationIds: [id] })))?.Addresses?.[0];
      return address && { domain: address.Domain, tags: tagsOf(address.Tags) };
    },
    update: () => ({ tags: otherTags }),
    replace: () => ({}),
    drift: retag,
    outputs: ['allocationId', 'arn', 'publicIp'],
  },
  {
    type: 'aws:ec2/natGateway:NatGateway',
    inputs: ({ subnetId, allocationId }) => ({ subnetId, allocationId, connectivityType: 'public', tags }),
    variants: ({ subnetId }) => [{ subnetId, connectivityType: 'private' }],
    actual: async ({ ec2 }, id) => {
      const gateway = (await gone(ec2.describeNatGateways({ NatGatewayIds: [id] })))?.NatGateways?.[0];
      if (gateway === undefined || gateway.State === 'deleted') return undefined;
      return {
        subnetId: gateway.SubnetId,
        allocationId: gateway.NatGatewayAddresses?.[0]?.AllocationId,
        connectivityType: gateway.ConnectivityType,
        tags: tagsOf(gateway.Tags),
      };
    },
    update: () => ({ tags: otherTags }),
    replace: ({ otherSubnetId, otherAllocationId }) => ({
      subnetId: otherSubnetId,
      allocationId: otherAllocationId,
      connectivityType: 'private',
    }),
    excludes: { connectivityType: ['allocationId'] },
    drift: retag,
    outputs: ['networkInterfaceId', 'privateIp', 'publicIp'],
  },
];
