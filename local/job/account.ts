import { DescribeInstancesCommand, DescribeTagsCommand, EC2Client } from '@aws-sdk/client-ec2';
import { IAMClient, ListInstanceProfilesCommand, ListRolesCommand } from '@aws-sdk/client-iam';
import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';

/** Tag that every resource of a stack carries. */
const stackTag = 'skyfleet-stack';

/**
 * What the emulated account still holds of a stack, asked of AWS's own API. Roles, profiles and buckets are counted
 * whatever their tags, because the account has none but the stack's. Terminated instances stay visible for a while,
 * as they do in AWS, and do not count.
 */
export async function leftInAccount(region: string): Promise<string[]> {
  const ec2 = new EC2Client({ region });
  const iam = new IAMClient({ region });
  const s3 = new S3Client({ region, forcePathStyle: true });
  const [tags, instances, roles, profiles, buckets] = await Promise.all([
    ec2.send(new DescribeTagsCommand({ Filters: [{ Name: 'key', Values: [stackTag] }] })),
    ec2.send(new DescribeInstancesCommand({})),
    iam.send(new ListRolesCommand({})),
    iam.send(new ListInstanceProfilesCommand({})),
    s3.send(new ListBucketsCommand({})),
  ]);
  const all = (instances.Reservations ?? []).flatMap(({ Instances }) => Instances ?? []);
  const ended = all.filter(({ State }) => State?.Name === 'terminated').map(({ InstanceId }) => InstanceId);
  return [
    ...(tags.Tags ?? [])
      .filter(({ ResourceId }) => !ended.includes(ResourceId))
      .map(({ ResourceType, ResourceId }) => `${ResourceType} ${ResourceId}`),
    ...(roles.Roles ?? []).map(({ RoleName }) => `role ${RoleName}`),
    ...(profiles.InstanceProfiles ?? []).map(
      ({ InstanceProfileName }) => `instance-profile ${InstanceProfileName}`,
    ),
    ...(buckets.Buckets ?? []).map(({ Name }) => `bucket ${Name}`),
  ];
}
