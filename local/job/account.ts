import {
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { IAMClient, ListInstanceProfilesCommand, ListRolesCommand } from '@aws-sdk/client-iam';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';

/** Everything that a stack makes in EC2 carries this tag. */
const ofStack = { Filters: [{ Name: 'tag-key', Values: ['skyfleet-stack'] }] };

/** Ids of what a list holds, with the name of their kind before them. */
const named = (kind: string, ids: (string | undefined)[] | undefined): string[] =>
  (ids ?? []).map((id) => `${kind} ${id ?? ''}`);

/**
 * What the emulated account still holds of a stack, asked of AWS's own API. Roles, profiles and buckets are counted
 * whatever their tags, because the account has none but the stack's. Terminated instances stay visible for a while,
 * as they do in AWS, and do not count.
 */
export async function leftInAccount(region: string): Promise<string[]> {
  const ec2 = new EC2Client({ region });
  const iam = new IAMClient({ region });
  const s3 = new S3Client({ region, forcePathStyle: true });
  const left = await Promise.all([
    ec2.send(new DescribeVpcsCommand(ofStack)).then(({ Vpcs }) =>
      named(
        'vpc',
        Vpcs?.map(({ VpcId }) => VpcId),
      ),
    ),
    ec2.send(new DescribeSubnetsCommand(ofStack)).then(({ Subnets }) =>
      named(
        'subnet',
        Subnets?.map(({ SubnetId }) => SubnetId),
      ),
    ),
    ec2.send(new DescribeSecurityGroupsCommand(ofStack)).then(({ SecurityGroups }) =>
      named(
        'security group',
        SecurityGroups?.map(({ GroupId }) => GroupId),
      ),
    ),
    ec2.send(new DescribeInternetGatewaysCommand(ofStack)).then(({ InternetGateways }) =>
      named(
        'internet gateway',
        InternetGateways?.map(({ InternetGatewayId }) => InternetGatewayId),
      ),
    ),
    ec2.send(new DescribeRouteTablesCommand(ofStack)).then(({ RouteTables }) =>
      named(
        'route table',
        RouteTables?.map(({ RouteTableId }) => RouteTableId),
      ),
    ),
    ec2.send(new DescribeVolumesCommand(ofStack)).then(({ Volumes }) =>
      named(
        'volume',
        Volumes?.map(({ VolumeId }) => VolumeId),
      ),
    ),
    ec2.send(new DescribeInstancesCommand(ofStack)).then(({ Reservations }) =>
      named(
        'instance',
        Reservations?.flatMap(({ Instances }) => Instances ?? [])
          .filter(({ State }) => State?.Name !== 'terminated')
          .map(({ InstanceId }) => InstanceId),
      ),
    ),
    iam.send(new ListRolesCommand({})).then(({ Roles }) =>
      named(
        'role',
        Roles?.map(({ RoleName }) => RoleName),
      ),
    ),
    iam.send(new ListInstanceProfilesCommand({})).then(({ InstanceProfiles }) =>
      named(
        'instance profile',
        InstanceProfiles?.map(({ InstanceProfileName }) => InstanceProfileName),
      ),
    ),
    s3.send(new ListBucketsCommand({})).then(({ Buckets }) =>
      named(
        'bucket',
        Buckets?.map(({ Name }) => Name),
      ),
    ),
  ]);
  return left.flat();
}
