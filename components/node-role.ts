import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';

/** What the role of the nodes is made from. */
export interface NodeRoleArgs {
  /** ARN of the bucket that the nodes may use. */
  bucketArn: pulumi.Input<string>;
  /** Key prefix within the bucket that the nodes may use, such as `fleets/`; everything else of the bucket is closed to them. */
  prefix: string;
  /** Whether SkyPilot connects through AWS Systems Manager, whose agent then needs rights of its own. */
  ssm: boolean;
  /** Permissions boundary of the role. */
  permissionsBoundary?: string;
  /** Tags of every resource made here. */
  tags?: Record<string, string>;
}

/** The IAM role of the nodes and its instance profile: objects below one prefix of one bucket, and nothing else. */
export class NodeRole extends pulumi.ComponentResource {
  /** ARN of the role. */
  readonly roleArn: pulumi.Output<string>;
  /** Name of the instance profile, which SkyPilot gives to the instances. */
  readonly instanceProfileName: string;

  constructor(name: string, args: NodeRoleArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:iam:NodeRole', name, {}, opts);
    const child = { parent: this };
    const { tags } = args;
    const role = new aws.iam.Role(
      `${name}-role`,
      {
        description: 'Skyfleet nodes',
        assumeRolePolicy: JSON.stringify(assumedByInstances),
        permissionsBoundary: args.permissionsBoundary,
        tags,
      },
      child,
    );
    new aws.iam.RolePolicy(
      `${name}-policy`,
      {
        role: role.id,
        policy: pulumi
          .output(args.bucketArn)
          .apply((arn) => JSON.stringify(nodePolicy(arn, args.prefix, args.ssm))),
      },
      child,
    );
    // A name of ours, so that the first preview shows the tasks whole; whoever launches waits for this component.
    this.instanceProfileName = `${name}-nodes`;
    new aws.iam.InstanceProfile(
      `${name}-profile`,
      { name: this.instanceProfileName, role: role.name, tags },
      child,
    );

    this.roleArn = role.arn;
    this.registerOutputs({ roleArn: this.roleArn, instanceProfileName: this.instanceProfileName });
  }
}

const assumedByInstances = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
};

/** What nodes write, below the folder of their fleet. The orchestrator's token beside it is theirs to read only. */
const writtenByNodes = ['claims', 'health', 'sensor'];

/** The only objects that nodes delete: the markers of their own faults, once those are over. */
const deletedByNodes = 'health/faults';

/**
 * What the agent of Systems Manager does to open a session. AWS has no resource to name for these actions
 * (https://docs.aws.amazon.com/systems-manager/latest/userguide/getting-started-create-iam-instance-profile.html).
 */
const sessionAgent = {
  Sid: 'Sessions',
  Effect: 'Allow',
  Action: [
    'ssm:UpdateInstanceInformation',
    'ssmmessages:CreateControlChannel',
    'ssmmessages:CreateDataChannel',
    'ssmmessages:OpenControlChannel',
    'ssmmessages:OpenDataChannel',
  ],
  Resource: '*',
};

/**
 * Reading everything below a prefix, writing what nodes write, and deleting the markers of faults. Listing is allowed too, since S3 otherwise calls a
 * missing object forbidden.
 *
 * @param prefix holds a folder for each fleet, such as `fleets/`.
 * @param ssm whether nodes are reached through Systems Manager.
 */
export function nodePolicy(bucketArn: string, prefix: string, ssm: boolean): Record<string, unknown> {
  return {
    Version: '2012-10-17',
    Statement: [
      { Sid: 'Read', Effect: 'Allow', Action: 's3:GetObject', Resource: `${bucketArn}/${prefix}*` },
      {
        Sid: 'Write',
        Effect: 'Allow',
        Action: 's3:PutObject',
        Resource: writtenByNodes.map((folder) => `${bucketArn}/${prefix}*/${folder}/*`),
      },
      {
        Sid: 'EndFaults',
        Effect: 'Allow',
        Action: 's3:DeleteObject',
        Resource: `${bucketArn}/${prefix}*/${deletedByNodes}/*`,
      },
      {
        Sid: 'List',
        Effect: 'Allow',
        Action: 's3:ListBucket',
        Resource: bucketArn,
        Condition: { StringLike: { 's3:prefix': `${prefix}*` } },
      },
      ...(ssm ? [sessionAgent] : []),
    ],
  };
}
