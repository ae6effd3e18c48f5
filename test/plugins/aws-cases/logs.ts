import { type Case, gone, otherTags, retag, tags, tagsOf, text } from './case';

export const logCases: readonly Case[] = [
  {
    type: 'aws:cloudwatch/logGroup:LogGroup',
    inputs: () => ({ name: '/conformance/made', retentionInDays: 30, skipDestroy: false, tags }),
    variants: () => [{ namePrefix: '/conformance/prefix-' }],
    kept: ['skipDestroy'],
    notImported: ['skipDestroy'],
    actual: async ({ logs }, logGroupNamePrefix) => {
      const { logGroups = [] } = await logs.describeLogGroups({ logGroupNamePrefix });
      const group = logGroups.find(({ logGroupName }) => logGroupName === logGroupNamePrefix);
      if (group === undefined) return undefined;
      const resourceArn = text(group.arn).replace(/:\*$/, '');
      return {
        name: group.logGroupName,
        namePrefix: group.logGroupName?.slice(0, -26),
        retentionInDays: group.retentionInDays,
        tags: (await logs.listTagsForResource({ resourceArn })).tags,
      };
    },
    update: () => ({ retentionInDays: 365, tags: otherTags }),
    replace: () => ({ name: '/conformance/other', namePrefix: 'x-' }),
    excludes: { namePrefix: ['name'] },
    deleteBeforeReplace: true,
    drift: {
      make: ({ logs }, logGroupName) => logs.deleteRetentionPolicy({ logGroupName }),
      shows: 'retentionInDays',
    },
    outputs: ['arn'],
  },
  {
    type: 'aws:ec2/flowLog:FlowLog',
    inputs: ({ vpcId, logGroupArn, roleArn }) => ({
      vpcId,
      trafficType: 'ALL',
      iamRoleArn: roleArn,
      logDestination: logGroupArn,
      logDestinationType: 'cloud-watch-logs',
      logFormat: '${interface-id} ${srcaddr} ${dstaddr} ${action}',
      maxAggregationInterval: 60,
      tags,
    }),
    variants: ({ subnetId, interfaceId, logGroupArn, roleArn, bucket }) => [
      { subnetId, trafficType: 'REJECT', logDestination: logGroupArn, iamRoleArn: roleArn },
      {
        eniId: interfaceId,
        trafficType: 'ACCEPT',
        logDestinationType: 's3',
        logDestination: `arn:aws:s3:::${bucket}`,
      },
    ],
    actual: async ({ ec2 }, id) => {
      const log = (await gone(ec2.describeFlowLogs({ FlowLogIds: [id] })))?.FlowLogs?.[0];
      const subject = (prefix: string) => (log?.ResourceId?.startsWith(prefix) ? log.ResourceId : undefined);
      return (
        log && {
          vpcId: subject('vpc-'),
          subnetId: subject('subnet-'),
          eniId: subject('eni-'),
          trafficType: log.TrafficType,
          iamRoleArn: log.DeliverLogsPermissionArn,
          logDestination: log.LogDestination,
          logDestinationType: log.LogDestinationType,
          logFormat: log.LogFormat,
          maxAggregationInterval: log.MaxAggregationInterval,
          tags: tagsOf(log.Tags),
        }
      );
    },
    update: () => ({ tags: otherTags }),
    replace: ({ otherVpcId, subnetId, interfaceId, otherLogGroupArn, otherRoleArn }) => ({
      vpcId: otherVpcId,
      subnetId,
      eniId: interfaceId,
      trafficType: 'REJECT',
      iamRoleArn: otherRoleArn,
      logDestination: otherLogGroupArn,
      logDestinationType: 's3',
      logFormat: '${version} ${srcaddr}',
      maxAggregationInterval: 600,
    }),
    excludes: { subnetId: ['vpcId'], eniId: ['vpcId'] },
    drift: retag,
    outputs: ['arn'],
  },
];
