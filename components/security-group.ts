import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { Tagged } from './tags';

export interface NodeSecurityGroupArgs {
  vpcId: pulumi.Input<string>;
  /** Address ranges that may use SSH; none where SkyPilot connects through Systems Manager. */
  sshCidrs: string[];
  /** Tags with a name. */
  tagged: Tagged;
}

/**
 * The security group of the nodes: nothing comes in but SSH from the given ranges and the nodes' own traffic.
 *
 * The group's rules must exist before a launch, because SkyPilot opens port 22 to the world by itself in a group without
 * rules: whoever launches waits for this component.
 */
export class NodeSecurityGroup extends pulumi.ComponentResource {
  readonly id: pulumi.Output<string>;
  /** Name by which SkyPilot finds the group. */
  readonly groupName: string;

  constructor(name: string, args: NodeSecurityGroupArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:network:NodeSecurityGroup', name, {}, opts);
    const child = { parent: this };
    const { tagged } = args;
    this.groupName = `${name}-nodes`;
    const group = new aws.ec2.SecurityGroup(
      `${name}-nodes`,
      { name: this.groupName, description: 'Skyfleet nodes', vpcId: args.vpcId, tags: tagged('nodes') },
      child,
    );
    args.sshCidrs.forEach((range, index) => {
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
      );
    });
    new aws.vpc.SecurityGroupIngressRule(
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
    new aws.vpc.SecurityGroupEgressRule(
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
    this.id = group.id;
    this.registerOutputs({ id: this.id, groupName: this.groupName });
  }
}
