import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import { subnetPlan } from './subnet-plan';

export interface NetworkArgs {
  /** Address range of the VPC, such as `10.42.0.0/16`. Each zone gets an eighth of it as its subnet. */
  cidr: string;
  /** Availability zones, in order of preference; at least one. */
  zones: string[];
  /** Address ranges from which SkyPilot's server may reach the nodes by SSH. */
  sshCidrs: string[];
  /** Tags of every resource made here, beside `Name`. */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * A VPC with one public subnet per zone and the security group of the nodes. There is no NAT gateway: nodes have
 * public addresses of their own, and the group lets nothing in but SSH from the given ranges and the nodes' own traffic.
 *
 * The group's rules exist before the group counts as made here, because SkyPilot opens port 22 to the world by itself
 * in a group without rules.
 */
export class Network extends pulumi.ComponentResource {
  readonly vpcId: pulumi.Output<string>;
  /** `Name` tag of the VPC, by which SkyPilot finds it. */
  readonly vpcName: pulumi.Output<string>;
  readonly subnetIds: pulumi.Output<string[]>;
  /** `Name` tags of the subnets, by which SkyPilot finds them, in the order of the zones. */
  readonly subnetNames: pulumi.Output<string[]>;
  readonly securityGroupId: pulumi.Output<string>;
  /** Name of the security group, by which SkyPilot finds it. */
  readonly securityGroupName: pulumi.Output<string>;

  constructor(name: string, args: NetworkArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:network:Network', name, {}, opts);
    const child = { parent: this };
    const tagged = (suffix: string): pulumi.Output<Record<string, string>> =>
      pulumi
        .output(args.tags ?? {})
        .apply((tags): Record<string, string> => ({ ...tags, Name: `${name}-${suffix}` }));

    const vpc = new aws.ec2.Vpc(
      `${name}-vpc`,
      { cidrBlock: args.cidr, enableDnsSupport: true, enableDnsHostnames: true, tags: tagged('vpc') },
      child,
    );
    const gateway = new aws.ec2.InternetGateway(
      `${name}-gateway`,
      { vpcId: vpc.id, tags: tagged('gateway') },
      child,
    );
    const routes = new aws.ec2.RouteTable(`${name}-routes`, { vpcId: vpc.id, tags: tagged('routes') }, child);
    const wayOut = new aws.ec2.Route(
      `${name}-way-out`,
      { routeTableId: routes.id, destinationCidrBlock: '0.0.0.0/0', gatewayId: gateway.id },
      child,
    );

    const ranges = subnetPlan(args.cidr, args.zones.length);
    const subnets = args.zones.map((zone, index) => {
      const subnet = new aws.ec2.Subnet(
        `${name}-subnet-${zone}`,
        {
          vpcId: vpc.id,
          availabilityZone: zone,
          cidrBlock: ranges[index] ?? '',
          mapPublicIpOnLaunch: true,
          tags: tagged(`subnet-${zone}`),
        },
        child,
      );
      const association = new aws.ec2.RouteTableAssociation(
        `${name}-routes-${zone}`,
        { subnetId: subnet.id, routeTableId: routes.id },
        child,
      );
      return { subnet, association };
    });

    const group = new aws.ec2.SecurityGroup(
      `${name}-nodes`,
      { name: `${name}-nodes`, description: 'Skyfleet nodes', vpcId: vpc.id, tags: tagged('nodes') },
      child,
    );
    const ssh = args.sshCidrs.map(
      (range, index) =>
        new aws.vpc.SecurityGroupIngressRule(
          `${name}-ssh-${index}`,
          {
            securityGroupId: group.id,
            description: 'SSH from the SkyPilot server',
            cidrIpv4: range,
            ipProtocol: 'tcp',
            fromPort: 22,
            toPort: 22,
            tags: tagged(`ssh-${index}`),
          },
          child,
        ),
    );
    const among = new aws.vpc.SecurityGroupIngressRule(
      `${name}-among-nodes`,
      {
        securityGroupId: group.id,
        description: 'The nodes of a cluster among themselves',
        referencedSecurityGroupId: group.id,
        ipProtocol: '-1',
        tags: tagged('among-nodes'),
      },
      child,
    );
    const out = new aws.vpc.SecurityGroupEgressRule(
      `${name}-out`,
      {
        securityGroupId: group.id,
        description: 'Orchestrators, image registries, package mirrors and S3',
        cidrIpv4: '0.0.0.0/0',
        ipProtocol: '-1',
        tags: tagged('out'),
      },
      child,
    );

    this.vpcId = vpc.id;
    this.subnetIds = pulumi.all(subnets.map(({ subnet }) => subnet.id));
    // The names wait for what SkyPilot relies on, so that no launch can come before its route or the group's rules.
    const ready = pulumi.all([
      wayOut.id,
      among.id,
      out.id,
      ...ssh.map((rule) => rule.id),
      ...subnets.map(({ association }) => association.id),
    ]);
    this.vpcName = ready.apply(() => `${name}-vpc`);
    this.subnetNames = ready.apply(() => args.zones.map((zone) => `${name}-subnet-${zone}`));
    this.securityGroupId = group.id;
    this.securityGroupName = pulumi.all([ready, group.name]).apply(([, groupName]) => groupName);
    this.registerOutputs({
      vpcId: this.vpcId,
      subnetIds: this.subnetIds,
      securityGroupId: this.securityGroupId,
    });
  }
}
