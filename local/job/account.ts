import { CloudWatchLogsClient, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import {
  DescribeAddressesCommand,
  DescribeFlowLogsCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeNatGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcEndpointsCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { IAMClient, ListInstanceProfilesCommand, ListRolesCommand } from '@aws-sdk/client-iam';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';

/** Everything that a stack makes in EC2 carries this tag. */
const Filters = [{ Name: 'tag-key', Values: ['skyfleet-stack'] }];

/** Ids of what a list holds, with the name of their kind before them. */
const named = <T>(kind: string, list: T[] | undefined, id: (one: T) => string | undefined): string[] =>
  (list ?? []).map((one) => `${kind} ${id(one) ?? ''}`);

/**
 * What the emulated account still holds of its stacks, asked of AWS's own API. Roles, profiles, buckets and log groups
 * are counted whatever their tags, because the account has none but the stacks'. Terminated instances, deleted
 * gateways and endpoints stay visible for a while, as they do in AWS, and do not count.
 *
 * @param regions regions that the stacks work in.
 */
export async function leftInAccount(regions: readonly string[]): Promise<string[]> {
  const left = await Promise.all([...regions.map(leftInRegion), leftEverywhere(regions[0])]);
  return left.flat();
}

async function leftInRegion(region: string): Promise<string[]> {
  const ec2 = new EC2Client({ region });
  const logs = new CloudWatchLogsClient({ region });
  const left = await Promise.all([
    ec2
      .send(new DescribeVpcsCommand({ Filters }))
      .then(({ Vpcs }) => named('vpc', Vpcs, ({ VpcId }) => VpcId)),
    ec2
      .send(new DescribeSubnetsCommand({ Filters }))
      .then(({ Subnets }) => named('subnet', Subnets, ({ SubnetId }) => SubnetId)),
    ec2
      .send(new DescribeSecurityGroupsCommand({ Filters }))
      .then(({ SecurityGroups }) => named('security group', SecurityGroups, ({ GroupId }) => GroupId)),
    ec2
      .send(new DescribeInternetGatewaysCommand({ Filters }))
      .then(({ InternetGateways }) =>
        named('internet gateway', InternetGateways, ({ InternetGatewayId }) => InternetGatewayId),
      ),
    ec2
      .send(new DescribeRouteTablesCommand({ Filters }))
      .then(({ RouteTables }) => named('route table', RouteTables, ({ RouteTableId }) => RouteTableId)),
    ec2.send(new DescribeVpcEndpointsCommand({ Filters })).then(({ VpcEndpoints }) =>
      named(
        'endpoint',
        // AWS writes the state in either case (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_VpcEndpoint.html).
        VpcEndpoints?.filter(({ State }) => State?.toLowerCase() !== 'deleted'),
        ({ VpcEndpointId }) => VpcEndpointId,
      ),
    ),
    ec2.send(new DescribeNatGatewaysCommand({ Filter: Filters })).then(({ NatGateways }) =>
      named(
        'NAT gateway',
        NatGateways?.filter(({ State }) => State !== 'deleted'),
        ({ NatGatewayId }) => NatGatewayId,
      ),
    ),
    ec2
      .send(new DescribeAddressesCommand({ Filters }))
      .then(({ Addresses }) => named('address', Addresses, ({ AllocationId }) => AllocationId)),
    ec2
      .send(new DescribeFlowLogsCommand({ Filter: Filters }))
      .then(({ FlowLogs }) => named('flow log', FlowLogs, ({ FlowLogId }) => FlowLogId)),
    ec2
      .send(new DescribeVolumesCommand({ Filters }))
      .then(({ Volumes }) => named('volume', Volumes, ({ VolumeId }) => VolumeId)),
    ec2.send(new DescribeInstancesCommand({ Filters })).then(({ Reservations }) =>
      named(
        'instance',
        Reservations?.flatMap(({ Instances }) => Instances ?? []).filter(
          ({ State }) => State?.Name !== 'terminated',
        ),
        ({ InstanceId }) => InstanceId,
      ),
    ),
    logs
      .send(new DescribeLogGroupsCommand({}))
      .then(({ logGroups }) => named('log group', logGroups, ({ logGroupName }) => logGroupName)),
  ]);
  return left.flat().map((one) => `${one} (${region})`);
}

/** What belongs to no single region. */
async function leftEverywhere(region = 'us-east-1'): Promise<string[]> {
  const iam = new IAMClient({ region });
  const s3 = new S3Client({ region, forcePathStyle: true });
  const left = await Promise.all([
    iam.send(new ListRolesCommand({})).then(({ Roles }) => named('role', Roles, ({ RoleName }) => RoleName)),
    iam
      .send(new ListInstanceProfilesCommand({}))
      .then(({ InstanceProfiles }) =>
        named('instance profile', InstanceProfiles, ({ InstanceProfileName }) => InstanceProfileName),
      ),
    s3.send(new ListBucketsCommand({})).then(({ Buckets }) => named('bucket', Buckets, ({ Name }) => Name)),
  ]);
  return left.flat();
}
