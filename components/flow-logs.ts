import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';
import type { Tagged } from './tags';

export interface FlowLogsArgs {
  vpcId: pulumi.Input<string>;
  /** Days that the records are kept. */
  retentionDays: number;
  /** Permissions boundary of the role that writes the records. */
  permissionsBoundary?: string;
  /** Tags with a name. */
  tagged: Tagged;
}

const writtenByFlowLogs = {
  Version: '2012-10-17',
  Statement: [
    {
      Effect: 'Allow',
      Principal: { Service: 'vpc-flow-logs.amazonaws.com' },
      Action: 'sts:AssumeRole',
    },
  ],
};

/** Records of all traffic of a VPC in a CloudWatch log group, and the role that writes just these. */
export class FlowLogs extends pulumi.ComponentResource {
  readonly logGroupName: pulumi.Output<string>;

  constructor(name: string, args: FlowLogsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:network:FlowLogs', name, {}, opts);
    const child = { parent: this };
    const { tagged } = args;
    const group = new aws.cloudwatch.LogGroup(
      `${name}-flow-logs`,
      { retentionInDays: args.retentionDays, tags: tagged('flow-logs') },
      child,
    );
    const role = new aws.iam.Role(
      `${name}-flow-logs-role`,
      {
        description: 'Writes the flow logs of a Skyfleet VPC',
        assumeRolePolicy: JSON.stringify(writtenByFlowLogs),
        tags: tagged('flow-logs-role'),
        permissionsBoundary: args.permissionsBoundary,
      },
      child,
    );
    const policy = new aws.iam.RolePolicy(
      `${name}-flow-logs-policy`,
      { role: role.id, policy: group.arn.apply((arn) => JSON.stringify(writeLogGroup(arn))) },
      child,
    );
    const log = new aws.ec2.FlowLog(
      `${name}-flow-log`,
      {
        vpcId: args.vpcId,
        trafficType: 'ALL',
        logDestinationType: 'cloud-watch-logs',
        logDestination: group.arn,
        iamRoleArn: role.arn,
        tags: tagged('flow-log'),
      },
      // AWS refuses a second one with the same destination.
      { ...child, dependsOn: [policy], deleteBeforeReplace: true },
    );
    this.logGroupName = pulumi.all([group.name, log.id]).apply(([logGroupName]) => logGroupName);
    this.registerOutputs({ logGroupName: this.logGroupName });
  }
}

/** What the flow logs service does with a log group that is there already. */
function writeLogGroup(arn: string): Record<string, unknown> {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['logs:CreateLogStream', 'logs:DescribeLogStreams', 'logs:PutLogEvents'],
        Resource: `${arn}:*`,
      },
    ],
  };
}
