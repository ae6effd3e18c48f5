import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { natSubnetPlan, subnetPlan } from '../config/subnet-plan';
import { FlowLogs } from './flow-logs';
import { NodeSecurityGroup } from './security-group';
import { taggedAs, type Tagged } from './tags';

/** What a network is made from. */
export interface NetworkArgs {
  /** AWS region. */
  region: string;
  /** Address range of the VPC, such as `10.42.0.0/16`. Each zone gets an eighth of it as its subnet. */
  cidr: string;
  /** Availability zones, in order of preference. */
  zones: string[];
  /** NAT gateways: none (nodes have public addresses), one, or one for each zone (private addresses only). */
  nat: 'none' | 'single' | 'zonal';
  /** Address ranges that may use SSH on the nodes. */
  sshCidrs: string[];
  /** Records of all traffic, and the days that they are kept. None where absent. */
  flowLogs?: {
    /** Days; one of the numbers that CloudWatch knows, such as 30. */
    retentionDays: number;
  };
  /** Permissions boundary of the roles made here. */
  permissionsBoundary?: string;
  /** Tags of every resource made here, beside `Name`. */
  tags?: Record<string, string>;
}

/**
 * A VPC with one subnet per zone and the security group of the nodes. S3 is reached through an endpoint of the VPC, and
 * nothing may use the VPC's default security group.
 */
export class Network extends pulumi.ComponentResource {
  /** Id of the VPC, such as `vpc-0123456789abcdef0`. */
  readonly vpcId: pulumi.Output<string>;
  /** `Name` tag of the VPC, by which SkyPilot finds it. */
  readonly vpcName: string;
  /** Ids of the subnets, in the order of the zones. */
  readonly subnetIds: pulumi.Output<string[]>;
  /** `Name` tags of the subnets, by which SkyPilot finds them, in the order of the zones. */
  readonly subnetNames: string[];
  /** Id of the security group of the nodes. */
  readonly securityGroupId: pulumi.Output<string>;
  /** Name of the security group, by which SkyPilot finds it. */
  readonly securityGroupName: string;

  private readonly child: pulumi.CustomResourceOptions;
  private readonly tagged: Tagged;

  constructor(
    private readonly prefix: string,
    private readonly args: NetworkArgs,
    opts?: pulumi.ComponentResourceOptions,
  ) {
    super('skyfleet:network:Network', prefix, {}, opts);
    this.child = { parent: this };
    this.tagged = taggedAs(prefix, args.tags);

    const vpc = new aws.ec2.Vpc(
      `${prefix}-vpc`,
      { cidrBlock: args.cidr, enableDnsSupport: true, enableDnsHostnames: true, tags: this.tagged('vpc') },
      this.child,
    );
    // The group that AWS gives to every VPC lets nothing in or out: no rules, said so that one added later is found.
    new aws.ec2.DefaultSecurityGroup(
      `${prefix}-default-group`,
      { vpcId: vpc.id, ingress: [], egress: [], tags: this.tagged('default-group') },
      this.child,
    );
    const gateway = new aws.ec2.InternetGateway(
      `${prefix}-gateway`,
      { vpcId: vpc.id, tags: this.tagged('gateway') },
      this.child,
    );
    const publicTable = this.routeTable('routes', vpc.id);
    const wayOut = this.wayOut('way-out', publicTable, { gatewayId: gateway.id });
    const natTables = this.natTables(vpc.id, publicTable, wayOut);

    const tables = natTables.length === 0 ? [publicTable] : natTables;
    const subnets = this.subnets(vpc.id, tables);
    new aws.ec2.VpcEndpoint(
      `${prefix}-s3`,
      {
        vpcId: vpc.id,
        vpcEndpointType: 'Gateway',
        serviceName: `com.amazonaws.${args.region}.s3`,
        routeTableIds: tables.map(({ id }) => id),
        tags: this.tagged('s3'),
      },
      this.child,
    );
    const group = new NodeSecurityGroup(
      prefix,
      { vpcId: vpc.id, sshCidrs: args.sshCidrs, tagged: this.tagged },
      this.child,
    );
    if (args.flowLogs !== undefined) {
      new FlowLogs(
        prefix,
        {
          vpcId: vpc.id,
          retentionDays: args.flowLogs.retentionDays,
          tagged: this.tagged,
          permissionsBoundary: args.permissionsBoundary,
        },
        this.child,
      );
    }

    this.vpcId = vpc.id;
    this.subnetIds = pulumi.all(subnets.map(({ id }) => id));
    // Plain names, so that the first preview shows the tasks whole; whoever launches waits for this component.
    this.vpcName = `${prefix}-vpc`;
    this.subnetNames = args.zones.map((zone) => `${prefix}-subnet-${zone}`);
    this.securityGroupId = group.id;
    this.securityGroupName = group.groupName;
    this.registerOutputs({
      vpcId: this.vpcId,
      subnetIds: this.subnetIds,
      securityGroupId: this.securityGroupId,
    });
  }

  /** The subnets of the nodes, one for each zone; `tables` are dealt out to them in turn. */
  private subnets(vpcId: pulumi.Input<string>, tables: aws.ec2.RouteTable[]): aws.ec2.Subnet[] {
    const { cidr, zones, nat } = this.args;
    return subnetPlan(cidr, zones.length).map((cidrBlock, index) => {
      const zone = zones[index] ?? '';
      const subnet = new aws.ec2.Subnet(
        `${this.prefix}-subnet-${zone}`,
        {
          vpcId,
          availabilityZone: zone,
          cidrBlock,
          mapPublicIpOnLaunch: nat === 'none',
          tags: this.tagged(`subnet-${zone}`),
        },
        this.child,
      );
      this.association(zone, subnet, tables[index % tables.length]);
      return subnet;
    });
  }

  /** A route table to each NAT gateway, which stands in a public subnet of its own; none where there are no gateways. */
  private natTables(
    vpcId: pulumi.Input<string>,
    publicTable: aws.ec2.RouteTable,
    wayOut: aws.ec2.Route,
  ): aws.ec2.RouteTable[] {
    const { cidr, zones, nat } = this.args;
    const gateways = { none: 0, single: 1, zonal: zones.length }[nat];
    return natSubnetPlan(cidr, gateways).map((cidrBlock, index) => {
      const zone = zones[index] ?? '';
      const subnet = new aws.ec2.Subnet(
        `${this.prefix}-nat-subnet-${zone}`,
        { vpcId, availabilityZone: zone, cidrBlock, tags: this.tagged(`nat-subnet-${zone}`) },
        this.child,
      );
      const association = this.association(`nat-${zone}`, subnet, publicTable);
      const address = new aws.ec2.Eip(
        `${this.prefix}-nat-address-${zone}`,
        { domain: 'vpc', tags: this.tagged(`nat-address-${zone}`) },
        this.child,
      );
      const gateway = new aws.ec2.NatGateway(
        `${this.prefix}-nat-${zone}`,
        { subnetId: subnet.id, allocationId: address.allocationId, tags: this.tagged(`nat-${zone}`) },
        { ...this.child, dependsOn: [wayOut, association] },
      );
      const table = this.routeTable(`nat-routes-${zone}`, vpcId);
      this.wayOut(`nat-way-out-${zone}`, table, { natGatewayId: gateway.id });
      return table;
    });
  }

  private routeTable(suffix: string, vpcId: pulumi.Input<string>): aws.ec2.RouteTable {
    return new aws.ec2.RouteTable(
      `${this.prefix}-${suffix}`,
      { vpcId, tags: this.tagged(suffix) },
      this.child,
    );
  }

  private wayOut(
    suffix: string,
    table: aws.ec2.RouteTable,
    target: Pick<aws.ec2.RouteArgs, 'gatewayId' | 'natGatewayId'>,
  ): aws.ec2.Route {
    return new aws.ec2.Route(
      `${this.prefix}-${suffix}`,
      { routeTableId: table.id, destinationCidrBlock: '0.0.0.0/0', ...target },
      this.child,
    );
  }

  private association(
    suffix: string,
    subnet: aws.ec2.Subnet,
    table: aws.ec2.RouteTable | undefined,
  ): aws.ec2.RouteTableAssociation {
    return new aws.ec2.RouteTableAssociation(
      `${this.prefix}-routes-${suffix}`,
      { subnetId: subnet.id, routeTableId: table?.id ?? '' },
      this.child,
    );
  }
}
