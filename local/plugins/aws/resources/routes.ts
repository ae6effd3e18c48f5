import { crc32 } from 'node:zlib';
import { unlessAbsent } from '../clients';
import { text } from '../inputs';
import { type Aws, resourceType } from '../resource-type';
import { IN_USE, arn, tag, tagged, tagsAtCreation, tagsOf } from './ec2';

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
  const [Name, value] =
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
