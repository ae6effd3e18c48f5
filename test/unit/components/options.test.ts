import { Buckets } from '../../../components/buckets';
import { Network, type NetworkArgs } from '../../../components/network';
import { NodeRole } from '../../../components/node-role';
import { mockPulumi, type Registered } from './mocks';

let registered: Registered[];
beforeEach(async () => {
  registered = await mockPulumi();
});

const of = (type: string): Registered[] => registered.filter((resource) => resource.type === type);
const boundary = 'arn:aws:iam::123456789012:policy/boundary';
/** Lets the registrations of all components come to an end. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 50));

describe('the network', () => {
  const args: NetworkArgs = {
    region: 'us-west-2',
    cidr: '10.42.0.0/16',
    zones: ['us-west-2a', 'us-west-2b'],
    nat: 'none',
    sshCidrs: [],
  };
  const routes = () =>
    of('aws:ec2/routeTableAssociation:RouteTableAssociation').map(({ inputs }) => [
      inputs['subnetId'],
      inputs['routeTableId'],
    ]);

  test('with one NAT gateway has private subnets that share it', async () => {
    new Network('net', { ...args, nat: 'single' });
    await settled();
    expect(of('aws:ec2/natGateway:NatGateway').map(({ inputs }) => inputs)).toMatchObject([
      { subnetId: 'net-nat-subnet-us-west-2a-id', allocationId: 'net-nat-address-us-west-2a-allocation' },
    ]);
    expect(routes()).toEqual(
      expect.arrayContaining([
        ['net-nat-subnet-us-west-2a-id', 'net-routes-id'],
        ['net-subnet-us-west-2a-id', 'net-nat-routes-us-west-2a-id'],
        ['net-subnet-us-west-2b-id', 'net-nat-routes-us-west-2a-id'],
      ]),
    );
    const publicSubnets = of('aws:ec2/subnet:Subnet').filter(({ inputs }) => inputs['mapPublicIpOnLaunch']);
    expect(publicSubnets).toEqual([]);
    expect(of('aws:ec2/vpcEndpoint:VpcEndpoint')[0]?.inputs['routeTableIds']).toEqual([
      'net-nat-routes-us-west-2a-id',
    ]);
  });

  test('with a NAT gateway in each zone lets no zone depend on another', async () => {
    new Network('net', { ...args, nat: 'zonal' });
    await settled();
    expect(of('aws:ec2/natGateway:NatGateway')).toHaveLength(2);
    expect(routes()).toEqual(
      expect.arrayContaining([
        ['net-subnet-us-west-2a-id', 'net-nat-routes-us-west-2a-id'],
        ['net-subnet-us-west-2b-id', 'net-nat-routes-us-west-2b-id'],
      ]),
    );
  });

  test('has a rule in the group of the nodes also where nobody may use SSH', async () => {
    new Network('net', args);
    await settled();
    expect(of('aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule')).toHaveLength(1);
  });

  test('writes flow logs by a role that may write just these', async () => {
    new Network('net', { ...args, flowLogs: { retentionDays: 14 }, permissionsBoundary: boundary });
    await settled();
    expect(of('aws:cloudwatch/logGroup:LogGroup')[0]?.inputs).toMatchObject({ retentionInDays: 14 });
    expect(of('aws:iam/role:Role')[0]?.inputs).toMatchObject({ permissionsBoundary: boundary });
    const policy = JSON.parse(of('aws:iam/rolePolicy:RolePolicy')[0]?.inputs['policy'] as string) as unknown;
    expect(policy).toMatchObject({ Statement: [{ Resource: 'arn:aws:mock:::net-flow-logs:*' }] });
    expect(of('aws:ec2/flowLog:FlowLog')[0]?.inputs).toMatchObject({
      trafficType: 'ALL',
      logDestination: 'arn:aws:mock:::net-flow-logs',
    });
  });
});

describe('the data bucket', () => {
  const args = {
    dataPrefixes: ['fleets/a/sensor/', 'fleets/a/health/'],
    retention: { oldVersionDays: 30, brokenUploadDays: 7 },
  };
  const rules = () =>
    of('aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration')[0]?.inputs['rules'] as {
      id: string;
    }[];

  test('that is deleted is emptied before', async () => {
    new Buckets('b', { ...args, onDestroy: 'delete' });
    await settled();
    expect(of('aws:s3/bucket:Bucket')[0]?.inputs).toMatchObject({ forceDestroy: true });
  });

  test('says that it stays when it is kept', async () => {
    new Buckets('b', { ...args, onDestroy: 'keep' });
    await settled();
    expect(of('command:local:Command')[0]?.inputs).toMatchObject({
      delete: expect.stringContaining('Bucket $BUCKET stays') as string,
      environment: { BUCKET: 'b-data-1234567', ON_DESTROY: 'keep' },
    });
  });

  test('forgets old versions and broken uploads, and data only where told to', async () => {
    new Buckets('b', { ...args, onDestroy: 'keep' });
    await settled();
    expect(rules().map(({ id }) => id)).toEqual(['broken-uploads', 'old-versions']);
    registered.length = 0;
    new Buckets('c', { ...args, onDestroy: 'keep', retention: { ...args.retention, dataDays: 90 } });
    await settled();
    expect(rules()).toMatchObject([
      { filter: { prefix: 'fleets/a/sensor/' }, expiration: { days: 90 } },
      { filter: { prefix: 'fleets/a/health/' }, expiration: { days: 90 } },
      { id: 'broken-uploads' },
      { id: 'old-versions' },
    ]);
  });
});

describe('the role of the nodes', () => {
  const statements = () =>
    (
      JSON.parse(of('aws:iam/rolePolicy:RolePolicy')[0]?.inputs['policy'] as string) as {
        Statement: { Sid: string; Resource: string | string[] }[];
      }
    ).Statement;

  test('names no resource by a wildcard alone, but where sessions leave no choice', async () => {
    new NodeRole('r', { bucketArn: 'arn:aws:s3:::b', prefix: 'fleets/', ssm: false });
    await settled();
    expect(statements().filter(({ Resource }) => Resource === '*')).toEqual([]);
    registered.length = 0;
    new NodeRole('s', { bucketArn: 'arn:aws:s3:::b', prefix: 'fleets/', ssm: true });
    await settled();
    expect(statements().filter(({ Resource }) => Resource === '*')).toMatchObject([{ Sid: 'Sessions' }]);
  });

  test('stays within the boundary of the platform team', async () => {
    new NodeRole('r', {
      bucketArn: 'arn:aws:s3:::b',
      prefix: 'fleets/',
      ssm: false,
      permissionsBoundary: boundary,
    });
    await settled();
    expect(of('aws:iam/role:Role')[0]?.inputs).toMatchObject({ permissionsBoundary: boundary });
  });
});
