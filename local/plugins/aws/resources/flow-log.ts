import type { FlowLogsResourceType, LogDestinationType, TrafficType } from '@aws-sdk/client-ec2';
import { unlessAbsent } from '../clients';
import { number, text } from '../inputs';
import { type Aws, resourceType } from '../resource-type';
import { arn, tag, tagged, tagsAtCreation, tagsOf } from './ec2';

const GONE = ['InvalidFlowLogId.NotFound'];

/** What a flow log can be of, by the input that names it. */
const SUBJECTS = {
  vpcId: { type: 'VPC', prefix: 'vpc-' },
  subnetId: { type: 'Subnet', prefix: 'subnet-' },
  eniId: { type: 'NetworkInterface', prefix: 'eni-' },
} as const;
type Subject = keyof typeof SUBJECTS;
const subjects = Object.keys(SUBJECTS) as Subject[];

function subjectOf(props: { [S in Subject]?: string | undefined }): {
  ResourceIds: string[];
  ResourceType: FlowLogsResourceType;
} {
  const [subject, ...others] = subjects.filter((name) => props[name] !== undefined);
  if (subject === undefined || others.length > 0) {
    throw new Error(`aws:ec2/flowLog:FlowLog takes one of ${subjects.join(', ')} in this stand-in`);
  }
  return { ResourceIds: [props[subject] ?? ''], ResourceType: SUBJECTS[subject].type };
}

async function flowLogOf(aws: Aws, id: string) {
  const ec2 = await aws.ec2();
  const found = await unlessAbsent(GONE, ec2.describeFlowLogs({ FlowLogIds: [id] }));
  return found?.FlowLogs?.[0];
}

/** AWS changes nothing of a flow log but its tags. */
export const flowLog = resourceType({
  inputs: {
    ...tagged,
    vpcId: text({ replaces: true }),
    subnetId: text({ replaces: true }),
    eniId: text({ replaces: true }),
    trafficType: text({ replaces: true, oneOf: ['ACCEPT', 'REJECT', 'ALL'] }),
    iamRoleArn: text({ replaces: true }),
    logDestination: text({ computed: true, replaces: true }),
    logDestinationType: text({
      default: 'cloud-watch-logs',
      replaces: true,
      oneOf: ['cloud-watch-logs', 's3'],
    }),
    logFormat: text({ computed: true, replaces: true }),
    maxAggregationInterval: number({ default: 600, replaces: true }),
  },
  outputs: ['arn'],
  async create(aws, props, created) {
    const ec2 = await aws.ec2();
    const { FlowLogIds = [], Unsuccessful = [] } = await ec2.createFlowLogs({
      ...subjectOf(props),
      LogDestinationType: props.logDestinationType as LogDestinationType,
      MaxAggregationInterval: props.maxAggregationInterval,
      ...(props.trafficType === undefined ? {} : { TrafficType: props.trafficType as TrafficType }),
      ...(props.iamRoleArn === undefined ? {} : { DeliverLogsPermissionArn: props.iamRoleArn }),
      ...(props.logDestination === undefined ? {} : { LogDestination: props.logDestination }),
      ...(props.logFormat === undefined ? {} : { LogFormat: props.logFormat }),
      ...tagsAtCreation('vpc-flow-log', props.tagsAll),
    });
    const [failure] = Unsuccessful;
    if (failure !== undefined) {
      const { Code = '', Message = '' } = failure.Error ?? {};
      throw new Error(`${Code}: ${Message}`);
    }
    const id = FlowLogIds[0] ?? '';
    created(id);
    return id;
  },
  async read(aws, id) {
    const log = await flowLogOf(aws, id);
    if (log === undefined) return undefined;
    const subject = (name: Subject) =>
      log.ResourceId?.startsWith(SUBJECTS[name].prefix) ? log.ResourceId : undefined;
    return {
      vpcId: subject('vpcId'),
      subnetId: subject('subnetId'),
      eniId: subject('eniId'),
      trafficType: log.TrafficType,
      iamRoleArn: log.DeliverLogsPermissionArn,
      logDestination: log.LogDestination,
      logDestinationType: log.LogDestinationType,
      logFormat: log.LogFormat,
      maxAggregationInterval: log.MaxAggregationInterval,
      tagsAll: tagsOf(log.Tags),
      arn: arn(aws, await aws.account(), `vpc-flow-log/${id}`),
    };
  },
  tag,
  async delete(aws, id) {
    const ec2 = await aws.ec2();
    const answer = await unlessAbsent(GONE, ec2.deleteFlowLogs({ FlowLogIds: [id] }));
    const failure = answer?.Unsuccessful?.find(({ Error: error }) => !GONE.includes(error?.Code ?? ''));
    if (failure !== undefined) throw new Error(failure.Error?.Message ?? `flow log ${id} is not deleted`);
  },
});
