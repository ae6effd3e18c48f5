/** What stands in the account already, made without the plugin, and the clients to ask AWS itself with. */
import { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import { EC2 } from '@aws-sdk/client-ec2';
import { IAM } from '@aws-sdk/client-iam';
import { S3 } from '@aws-sdk/client-s3';

export interface Sdk {
  readonly ec2: EC2;
  readonly iam: IAM;
  readonly logs: CloudWatchLogs;
  readonly s3: S3;
}

export function sdkFor(endpoint: string, region = 'us-west-2'): Sdk {
  const settings = { endpoint, region, credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  return {
    ec2: new EC2(settings),
    iam: new IAM(settings),
    logs: new CloudWatchLogs(settings),
    s3: new S3({ ...settings, forcePathStyle: true }),
  };
}

export interface Ground {
  readonly vpcId: string;
  readonly otherVpcId: string;
  readonly subnetId: string;
  readonly otherSubnetId: string;
  readonly gatewayId: string;
  readonly natGatewayId: string;
  readonly allocationId: string;
  readonly otherAllocationId: string;
  readonly interfaceId: string;
  readonly routeTableId: string;
  readonly otherRouteTableId: string;
  readonly groupId: string;
  readonly otherGroupId: string;
  readonly prefixListId: string;
  readonly logGroupArn: string;
  readonly otherLogGroupArn: string;
  readonly roleName: string;
  readonly roleArn: string;
  readonly otherRoleName: string;
  readonly otherRoleArn: string;
  readonly boundaryArn: string;
  readonly otherPolicyArn: string;
  readonly bucket: string;
  readonly otherBucket: string;
}

export const ASSUMED_BY = (service: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { Service: service } }],
  });
export const ALLOW = (action: string) =>
  JSON.stringify({ Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: action, Resource: '*' }] });
export const DENY_PLAIN = (bucket: string, effect = 'Deny') =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: effect,
        Principal: '*',
        Action: 's3:*',
        Resource: [`arn:aws:s3:::${bucket}`, `arn:aws:s3:::${bucket}/*`],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  });

export async function layGround({ ec2, iam, logs, s3 }: Sdk): Promise<Ground> {
  const vpc = async (CidrBlock: string) => (await ec2.createVpc({ CidrBlock })).Vpc?.VpcId ?? '';
  const [vpcId, otherVpcId] = [await vpc('10.40.0.0/16'), await vpc('10.41.0.0/16')];
  const subnet = async (CidrBlock: string) =>
    (await ec2.createSubnet({ VpcId: vpcId, CidrBlock })).Subnet?.SubnetId ?? '';
  const [subnetId, otherSubnetId] = [await subnet('10.40.250.0/24'), await subnet('10.40.251.0/24')];
  const gatewayId = (await ec2.createInternetGateway({})).InternetGateway?.InternetGatewayId ?? '';
  await ec2.attachInternetGateway({ InternetGatewayId: gatewayId, VpcId: vpcId });
  const address = async () => (await ec2.allocateAddress({ Domain: 'vpc' })).AllocationId ?? '';
  const { NatGateway } = await ec2.createNatGateway({ SubnetId: subnetId, AllocationId: await address() });
  const { NetworkInterface } = await ec2.createNetworkInterface({ SubnetId: subnetId });
  const table = async () => (await ec2.createRouteTable({ VpcId: vpcId })).RouteTable?.RouteTableId ?? '';
  const group = async (GroupName: string) =>
    (await ec2.createSecurityGroup({ GroupName, Description: GroupName, VpcId: vpcId })).GroupId ?? '';
  const role = async (RoleName: string) => {
    const AssumeRolePolicyDocument = ASSUMED_BY('ec2.amazonaws.com');
    return (await iam.createRole({ RoleName, AssumeRolePolicyDocument })).Role?.Arn ?? '';
  };
  const policy = async (PolicyName: string) =>
    (await iam.createPolicy({ PolicyName, PolicyDocument: ALLOW('s3:GetObject') })).Policy?.Arn ?? '';
  const logGroup = async (logGroupName: string) => {
    await logs.createLogGroup({ logGroupName });
    const { logGroups = [] } = await logs.describeLogGroups({ logGroupNamePrefix: logGroupName });
    return logGroups[0]?.arn?.replace(/:\*$/, '') ?? '';
  };
  const bucket = async (Bucket: string) => {
    await s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } });
    return Bucket;
  };
  const { PrefixList } = await ec2.createManagedPrefixList({
    PrefixListName: 'conformance',
    MaxEntries: 1,
    AddressFamily: 'IPv4',
  });
  return {
    vpcId,
    otherVpcId,
    subnetId,
    otherSubnetId,
    gatewayId,
    natGatewayId: NatGateway?.NatGatewayId ?? '',
    allocationId: await address(),
    otherAllocationId: await address(),
    interfaceId: NetworkInterface?.NetworkInterfaceId ?? '',
    routeTableId: await table(),
    otherRouteTableId: await table(),
    groupId: await group('conformance'),
    otherGroupId: await group('conformance-other'),
    prefixListId: PrefixList?.PrefixListId ?? '',
    logGroupArn: await logGroup('conformance-logs'),
    otherLogGroupArn: await logGroup('conformance-other-logs'),
    roleName: 'conformance',
    roleArn: await role('conformance'),
    otherRoleName: 'conformance-other',
    otherRoleArn: await role('conformance-other'),
    boundaryArn: await policy('boundary'),
    otherPolicyArn: await policy('other'),
    bucket: await bucket('conformance-bucket'),
    otherBucket: await bucket('conformance-other-bucket'),
  };
}
