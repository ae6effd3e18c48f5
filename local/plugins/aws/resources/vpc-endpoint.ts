import { unlessAbsent } from '../clients';
import { json, set, text } from '../inputs';
import { type Aws, resourceType } from '../resource-type';
import { arn, tag, tagged, tagsAtCreation, tagsOf } from './ec2';

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
