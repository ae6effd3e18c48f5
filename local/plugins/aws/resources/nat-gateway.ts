import type { ConnectivityType } from '@aws-sdk/client-ec2';
import { unlessAbsent } from '../clients';
import { text } from '../inputs';
import { type Aws, resourceType } from '../resource-type';
import { arn, tag, tagged, tagsAtCreation, tagsOf } from './ec2';

const ADDRESS_GONE = ['InvalidAllocationID.NotFound'];
/** What still holds an address while it goes away itself. */
const ADDRESS_IN_USE = ['InvalidIPAddress.InUse', 'ResourceInUse'];
const GATEWAY_GONE = ['NatGatewayNotFound'];

async function addressOf(aws: Aws, id: string) {
  const ec2 = await aws.ec2();
  const found = await unlessAbsent(ADDRESS_GONE, ec2.describeAddresses({ AllocationIds: [id] }));
  return found?.Addresses?.[0];
}

/** An address by itself: what uses it, such as a NAT gateway, names it. */
export const eip = resourceType({
  inputs: { ...tagged, domain: text({ computed: true, replaces: true, oneOf: ['vpc'] }) },
  outputs: [
    'allocationId',
    'arn',
    'associationId',
    'instance',
    'networkBorderGroup',
    'networkInterface',
    'privateIp',
    'publicIp',
    'publicIpv4Pool',
  ],
  minutes: 5,
  async create(aws, { tagsAll }, created) {
    const ec2 = await aws.ec2();
    const { AllocationId = '' } = await ec2.allocateAddress({
      Domain: 'vpc',
      ...tagsAtCreation('elastic-ip', tagsAll),
    });
    created(AllocationId);
    return AllocationId;
  },
  async read(aws, id) {
    const address = await addressOf(aws, id);
    return (
      address && {
        domain: address.Domain,
        tagsAll: tagsOf(address.Tags),
        allocationId: address.AllocationId,
        arn: arn(aws, await aws.account(), `elastic-ip/${id}`),
        associationId: address.AssociationId ?? '',
        instance: address.InstanceId ?? '',
        networkBorderGroup: address.NetworkBorderGroup ?? '',
        networkInterface: address.NetworkInterfaceId ?? '',
        privateIp: address.PrivateIpAddress ?? '',
        publicIp: address.PublicIp,
        publicIpv4Pool: address.PublicIpv4Pool ?? '',
      }
    );
  },
  tag,
  async delete(aws, AllocationId) {
    const ec2 = await aws.ec2();
    const AssociationId = (await addressOf(aws, AllocationId))?.AssociationId;
    if (AssociationId) {
      await unlessAbsent(['InvalidAssociationID.NotFound'], ec2.disassociateAddress({ AssociationId }));
    }
    const release = () => ec2.releaseAddress({ AllocationId });
    await unlessAbsent(ADDRESS_GONE, aws.whileRefused(ADDRESS_IN_USE, release));
  },
});

async function gatewayOf(aws: Aws, id: string) {
  const ec2 = await aws.ec2();
  const found = await unlessAbsent(GATEWAY_GONE, ec2.describeNatGateways({ NatGatewayIds: [id] }));
  const gateway = found?.NatGateways?.[0];
  // AWS shows a gateway for about an hour after it is gone.
  return gateway?.State === 'deleted' ? undefined : gateway;
}

export const natGateway = resourceType({
  inputs: {
    ...tagged,
    subnetId: text({ required: true, replaces: true }),
    allocationId: text({ replaces: true }),
    connectivityType: text({ default: 'public', replaces: true, oneOf: ['public', 'private'] }),
  },
  outputs: ['associationId', 'networkInterfaceId', 'privateIp', 'publicIp', 'vpcId'],
  minutes: 30,
  async create(aws, props, created) {
    const ec2 = await aws.ec2();
    const { NatGateway } = await ec2.createNatGateway({
      SubnetId: props.subnetId,
      ConnectivityType: props.connectivityType as ConnectivityType,
      ...(props.allocationId === undefined ? {} : { AllocationId: props.allocationId }),
      ...tagsAtCreation('natgateway', props.tagsAll),
    });
    const id = NatGateway?.NatGatewayId ?? '';
    created(id);
    await aws.until(`NAT gateway ${id} available`, async () => {
      const gateway = await gatewayOf(aws, id);
      if (gateway?.State === 'failed') {
        throw new Error(
          `NAT gateway ${id} failed: ${gateway.FailureCode ?? ''} ${gateway.FailureMessage ?? ''}`,
        );
      }
      return gateway?.State === 'available' || undefined;
    });
    return id;
  },
  async read(aws, id) {
    const gateway = await gatewayOf(aws, id);
    const addresses = gateway?.NatGatewayAddresses ?? [];
    const address = addresses.find(({ IsPrimary }) => IsPrimary) ?? addresses[0];
    return (
      gateway && {
        subnetId: gateway.SubnetId,
        allocationId: address?.AllocationId,
        connectivityType: gateway.ConnectivityType,
        tagsAll: tagsOf(gateway.Tags),
        associationId: address?.AssociationId ?? '',
        networkInterfaceId: address?.NetworkInterfaceId,
        privateIp: address?.PrivateIp,
        publicIp: address?.PublicIp ?? '',
        vpcId: gateway.VpcId,
      }
    );
  },
  tag,
  async delete(aws, NatGatewayId) {
    if ((await gatewayOf(aws, NatGatewayId)) === undefined) return;
    const ec2 = await aws.ec2();
    await unlessAbsent(GATEWAY_GONE, ec2.deleteNatGateway({ NatGatewayId }));
    await aws.until(
      `NAT gateway ${NatGatewayId} deleted`,
      async () => (await gatewayOf(aws, NatGatewayId)) === undefined || undefined,
    );
  },
});
