import { type Properties, UNKNOWN, inputOf } from '../../local/plugins/properties';
import { cases } from './aws-cases';
import type { Case } from './aws-cases/case';
import { comparable, without } from './aws-cases/compare';
import { ALLOW, ASSUMED_BY, type Ground, type Sdk, sdkFor } from './aws-cases/ground';
import { type AwsSetup, setUpAws } from './aws-setup';
import { homeUnderTest } from './binaries';
import type { PluginProcess, Resource } from './plugin-process';

/** What a program relies on of any plugin for @pulumi/aws. What only ours does is in `aws-own.test.ts`. */

// A plugin may wait two minutes for what AWS does not show yet.
jest.setTimeout(200_000);

let setup: AwsSetup | undefined;
let plugin: PluginProcess;
let sdk: Sdk;
let ground: Ground;
let moto: AwsSetup['moto'];
let start: AwsSetup['start'];

beforeAll(async () => {
  setup = await setUpAws(homeUnderTest);
  ({ plugin, sdk, ground, moto, start } = setup);
});

afterAll(() => setup?.stop());

/** The named inputs as AWS has them. */
async function inAws(of: Case, resource: Resource, inputs: Properties): Promise<unknown> {
  const actual = await of.actual(sdk, resource.id, resource.inputs);
  const asked = Object.keys(inputs).map((key): [string, Properties[string]] => [key, actual?.[key]]);
  return comparable(Object.fromEntries(asked));
}

async function checked(of: Case, news: Properties, olds: Properties): Promise<Properties> {
  const { inputs, failures } = await plugin.check(of.type, 'conformance', without(news), olds);
  expect(failures).toEqual([]);
  return inputs;
}

/** Where a difference shows; that of `tags` may show in all tags, default ones included, too. */
const changedInputs = (details: Record<string, string>): string[] => [
  ...new Set(Object.keys(details).map((path) => inputOf(path).replace(/^tagsAll$/, 'tags'))),
];

describe.each(cases)('$type', (of) => {
  let resource: Resource;
  let asked: Properties;

  it('applies each input, as AWS itself says', async () => {
    asked = of.inputs(ground);
    for (const variant of of.variants?.(ground) ?? []) {
      const made = await plugin.make(of.type, 'variant', variant);
      expect(await inAws(of, made, variant)).toEqual(comparable(variant));
      await plugin.delete(made);
    }
    resource = await plugin.make(of.type, 'conformance', asked);
    const visible = without(asked, of.kept);
    expect(await inAws(of, resource, visible)).toEqual(comparable(visible));
  });

  it('gives the outputs that programs read', () => {
    const given = Object.keys(without(resource.state));
    expect(given).toEqual(expect.arrayContaining([...of.outputs, ...Object.keys(asked)]));
    expect(resource.id).not.toBe('');
  });

  it('finds no difference where nothing changed', async () => {
    const { inputs } = resource;
    expect(await plugin.diff(resource, await checked(of, asked, inputs))).toMatchObject({ changes: false });
    const refreshed = await plugin.refresh(resource);
    if (refreshed === undefined) throw new Error('the refresh says that it is gone');
    expect(await plugin.diff(refreshed, await checked(of, asked, inputs))).toMatchObject({ changes: false });
  });

  it('is replaced for each input that cannot change in place', async () => {
    for (const [key, value] of Object.entries(of.replace(ground))) {
      const excluded = of.excludes?.[key] ?? [];
      const news = await checked(of, { ...without(asked, excluded), [key]: value }, resource.inputs);
      const diff = await plugin.diff(resource, news);
      expect({ key, ...diff }).toMatchObject({ key, changes: true });
      expect(diff.replaces).toContain(key);
      expect([key, ...excluded]).toEqual(expect.arrayContaining([...diff.replaces]));
      const nameChanged = ['name', 'namePrefix', 'bucket', 'bucketPrefix'].includes(key);
      expect(diff.deleteBeforeReplace).toBe(of.deleteBeforeReplace === true && !nameChanged);
    }
  });

  it('changes in place what can change in place', async () => {
    if (of.update === undefined) return;
    const change = of.update(ground);
    const before = resource;
    for (const [key, value] of Object.entries(change)) {
      const news = await checked(of, { ...asked, [key]: value }, resource.inputs);
      const diff = await plugin.diff(resource, news);
      expect({ key, ...diff }).toMatchObject({ key, changes: true, replaces: [] });
      expect(changedInputs(diff.details)).toEqual([key]);
    }
    asked = { ...asked, ...change };
    const news = await checked(of, asked, resource.inputs);
    resource = await plugin.update(resource, news);
    const visible = without(asked, of.kept);
    expect(await inAws(of, resource, visible)).toEqual(comparable(visible));
    expect(resource.id).toBe(before.id);
  });

  it('shows in a refresh what somebody else changed, and puts it right', async () => {
    if (of.drift === undefined) return;
    await of.drift.make(sdk, resource.id, resource.inputs, ground);
    const refreshed = await plugin.refresh(resource);
    if (refreshed === undefined) throw new Error('the refresh says that it is gone');
    expect(comparable(refreshed.state[of.drift.shows])).not.toEqual(
      comparable(resource.state[of.drift.shows]),
    );
    const news = await checked(of, asked, refreshed.inputs);
    const diff = await plugin.diff(refreshed, news);
    expect(diff.changes).toBe(true);
    expect(diff.replaces).toEqual([]);
    resource = await plugin.update(refreshed, news);
    const visible = without(asked, of.kept);
    expect(await inAws(of, resource, visible)).toEqual(comparable(visible));
  });

  it('is imported with inputs that fit the program', async () => {
    const id = of.importId?.(asked) ?? resource.id;
    const imported = await plugin.import(of.type, 'conformance', id);
    if (imported === undefined) throw new Error(`${id} is not found`);
    const expected = without(asked, of.notImported);
    const found = Object.fromEntries(Object.keys(expected).map((key) => [key, imported.inputs[key]]));
    expect(comparable(found)).toEqual(comparable(expected));
    const diff = await plugin.diff(imported, await checked(of, expected, imported.inputs));
    expect(changedInputs(diff.details).filter((input) => !of.notImported?.includes(input))).toEqual([]);
  });

  it('is deleted, and deleting it again is no error', async () => {
    await plugin.delete(resource);
    if (!of.outlives) {
      expect(await of.actual(sdk, resource.id, resource.inputs)).toBeUndefined();
      expect(await plugin.refresh(resource)).toBeUndefined();
    }
    await plugin.delete(resource);
  });
});

describe('a type that is missing', () => {
  it('is an error that names it', async () => {
    const attempt = plugin.check('aws:conformance/nothing:Nothing', 'n', {});
    await expect(attempt).rejects.toThrow(/aws:conformance\/nothing:Nothing/);
  });
});

describe('regions', () => {
  it('makes a resource in the region that it names, and replaces it when that changes', async () => {
    const { inputs } = await plugin.check('aws:ec2/vpc:Vpc', 'r', {
      cidrBlock: '10.60.0.0/16',
      region: 'eu-west-1',
    });
    const made = await plugin.create('aws:ec2/vpc:Vpc', 'r', inputs);
    const found = await sdkFor(moto.url, 'eu-west-1').ec2.describeVpcs({ VpcIds: [made.id] });
    expect(found.Vpcs).toHaveLength(1);
    expect(made.state).toMatchObject({
      region: 'eu-west-1',
      arn: expect.stringContaining(':eu-west-1:') as string,
    });

    const elsewhere = await plugin.check('aws:ec2/vpc:Vpc', 'r', { cidrBlock: '10.60.0.0/16' }, inputs);
    expect(await plugin.diff(made, elsewhere.inputs)).toMatchObject({ replaces: ['region'] });
    const imported = await plugin.import('aws:ec2/vpc:Vpc', 'r', `${made.id}@eu-west-1`);
    expect(imported).toMatchObject({ id: made.id, inputs: { region: 'eu-west-1' } });
    await plugin.delete(made);
  });

  it('gives a bucket of us-east-1 no location, which S3 would refuse', async () => {
    const made = await plugin.make('aws:s3/bucket:Bucket', 'east', { region: 'us-east-1' });
    expect(made.state).toMatchObject({ bucketRegion: 'us-east-1' });
    await plugin.delete(made);
  });
});

describe('a VPC endpoint', () => {
  it('is moved between route tables', async () => {
    const inputs = { vpcId: ground.vpcId, serviceName: 'com.amazonaws.us-west-2.s3' };
    const tables = async (id: string) =>
      (await sdk.ec2.describeVpcEndpoints({ VpcEndpointIds: [id] })).VpcEndpoints?.[0]?.RouteTableIds;
    const first = await plugin.make('aws:ec2/vpcEndpoint:VpcEndpoint', 'e', {
      ...inputs,
      routeTableIds: [ground.routeTableId],
    });
    const moved = await plugin.update(first, { ...first.inputs, routeTableIds: [ground.otherRouteTableId] });
    expect(await tables(first.id)).toEqual([ground.otherRouteTableId]);
    expect(moved.state).toMatchObject({ routeTableIds: [ground.otherRouteTableId] });
    // moto leaves the endpoint's route in the first table, and deletes the endpoint only where it finds the route.
    const back = await plugin.update(moved, first.inputs);
    expect(await tables(first.id)).toEqual([ground.routeTableId]);
    await plugin.delete(back);
  });
});

describe('default tags', () => {
  it('are put on everything and stay out of the tags of the program', async () => {
    const defaultTags = JSON.stringify({ tags: { team: 'fleet', Name: 'default' } });
    const tagging = await start({ ...moto.config, defaultTags });
    const made = await tagging.make('aws:ec2/vpc:Vpc', 'v', {
      cidrBlock: '10.61.0.0/16',
      tags: { Name: 'mine' },
    });
    expect(made.state).toMatchObject({ tags: { Name: 'mine' }, tagsAll: { team: 'fleet', Name: 'mine' } });
    const { Vpcs = [] } = await sdk.ec2.describeVpcs({ VpcIds: [made.id] });
    expect(Vpcs[0]?.Tags).toEqual(expect.arrayContaining([{ Key: 'team', Value: 'fleet' }]));

    // Without the default tags the same program takes them off again.
    const { inputs } = await plugin.check('aws:ec2/vpc:Vpc', 'v', {
      cidrBlock: '10.61.0.0/16',
      tags: { Name: 'mine' },
    });
    const diff = await plugin.diff(made, inputs);
    expect(diff).toMatchObject({ changes: true, replaces: [] });
    const updated = await plugin.update(made, inputs);
    expect(updated.state).toMatchObject({ tagsAll: { Name: 'mine' } });
    await plugin.delete(updated);
  });
});

describe('the default security group', () => {
  const GROUP = 'aws:ec2/defaultSecurityGroup:DefaultSecurityGroup';
  const rules = async (id: string) =>
    (await sdk.ec2.describeSecurityGroupRules({ Filters: [{ Name: 'group-id', Values: [id] }] }))
      .SecurityGroupRules;

  it('is adopted, loses all rules and foreign tags, and stays when it is no longer wanted', async () => {
    const { Vpc } = await sdk.ec2.createVpc({ CidrBlock: '10.63.0.0/16' });
    const { SecurityGroups = [] } = await sdk.ec2.describeSecurityGroups({
      Filters: [{ Name: 'vpc-id', Values: [Vpc?.VpcId ?? ''] }],
    });
    const id = SecurityGroups[0]?.GroupId ?? '';
    await sdk.ec2.createTags({ Resources: [id], Tags: [{ Key: 'alien', Value: 'x' }] });
    expect((await rules(id))?.length).toBeGreaterThan(0);

    const made = await plugin.make(GROUP, 'd', { vpcId: Vpc?.VpcId, tags: { Name: 'mine' } });
    expect(made.id).toBe(id);
    expect(await rules(id)).toEqual([]);
    const [tagged] = (await sdk.ec2.describeSecurityGroups({ GroupIds: [id] })).SecurityGroups ?? [];
    expect(tagged?.Tags).toEqual([{ Key: 'Name', Value: 'mine' }]);

    await plugin.delete(made);
    expect(await rules(id)).toEqual([]);
    expect((await sdk.ec2.describeSecurityGroups({ GroupIds: [id] })).SecurityGroups).toHaveLength(1);
  });

  it('loses the rules that somebody adds, where the program says that it has none', async () => {
    const { Vpc } = await sdk.ec2.createVpc({ CidrBlock: '10.64.0.0/16' });
    const inputs = { vpcId: Vpc?.VpcId, ingress: [], egress: [] };
    const made = await plugin.make(GROUP, 'd', inputs);
    await sdk.ec2.authorizeSecurityGroupEgress({
      GroupId: made.id,
      IpPermissions: [{ IpProtocol: '-1', IpRanges: [{ CidrIp: '0.0.0.0/0' }] }],
    });
    const refreshed = await plugin.refresh(made);
    if (refreshed === undefined) throw new Error('the refresh says that it is gone');
    const news = (await plugin.check(GROUP, 'd', inputs, refreshed.inputs)).inputs;
    expect(await plugin.diff(refreshed, news)).toMatchObject({ changes: true, replaces: [] });
    await plugin.update(refreshed, news);
    expect(await rules(made.id)).toEqual([]);
  });
});

describe("a role's permissions boundary", () => {
  it('is taken off again', async () => {
    const ROLE = 'aws:iam/role:Role';
    const inputs = { assumeRolePolicy: ASSUMED_BY('ec2.amazonaws.com') };
    const bounded = { ...inputs, permissionsBoundary: ground.boundaryArn };
    const made = await plugin.make(ROLE, 'bounded', bounded);
    const { inputs: news } = await plugin.check(ROLE, 'bounded', inputs, made.inputs);
    const freed = await plugin.update(made, news);
    const { Role } = await sdk.iam.getRole({ RoleName: made.id });
    expect(Role?.PermissionsBoundary).toBeUndefined();
    await plugin.delete(freed);
  });
});

describe('a NAT gateway and its address', () => {
  it('go one after the other, and the address is free again', async () => {
    const address = await plugin.make('aws:ec2/eip:Eip', 'a', { domain: 'vpc' });
    const gateway = await plugin.make('aws:ec2/natGateway:NatGateway', 'n', {
      subnetId: ground.subnetId,
      allocationId: address.id,
    });
    expect(gateway.state['publicIp']).toBe(address.state['publicIp']);
    const used = await plugin.refresh(address);
    if (used === undefined) throw new Error('the refresh says that it is gone');
    expect(used.state['associationId']).not.toBe('');
    await plugin.delete(gateway);
    await plugin.delete(used);
    await expect(sdk.ec2.describeAddresses({ AllocationIds: [address.id] })).rejects.toThrow(/not found/);
  });
});

describe('a log group', () => {
  const GROUP = 'aws:cloudwatch/logGroup:LogGroup';

  it('keeps its records for ever again where no retention is given any more', async () => {
    const made = await plugin.make(GROUP, 'kept', { retentionInDays: 7 });
    const news = (await plugin.check(GROUP, 'kept', {}, made.inputs)).inputs;
    const updated = await plugin.update(made, news);
    const { logGroups = [] } = await sdk.logs.describeLogGroups({ logGroupNamePrefix: made.id });
    expect(logGroups[0]?.retentionInDays).toBeUndefined();
    await plugin.delete(updated);
  });

  it('stays with skipDestroy', async () => {
    const made = await plugin.make(GROUP, 'stays', { skipDestroy: true });
    await plugin.delete(made);
    const { logGroups = [] } = await sdk.logs.describeLogGroups({ logGroupNamePrefix: made.id });
    expect(logGroups).toHaveLength(1);
  });
});

describe('a lifecycle rule without a filter', () => {
  it('is for all objects, and no difference', async () => {
    const LIFECYCLE = 'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration';
    const rules = [{ id: 'all', status: 'Enabled', filter: {}, expiration: { days: 3 } }];
    const made = await plugin.make(LIFECYCLE, 'all', { bucket: ground.otherBucket, rules });
    const found = await sdk.s3.getBucketLifecycleConfiguration({ Bucket: ground.otherBucket });
    expect(found.Rules?.[0]?.Filter?.Prefix ?? '').toBe('');
    expect((await plugin.diff(made, made.inputs)).changes).toBe(false);
    const refreshed = await plugin.refresh(made);
    if (refreshed === undefined) throw new Error('the refresh says that it is gone');
    expect((await plugin.diff(refreshed, made.inputs)).changes).toBe(false);
    await plugin.delete(made);
  });
});

describe('bucket deletion', () => {
  it('empties all versions with forceDestroy', async () => {
    const made = await plugin.make('aws:s3/bucket:Bucket', 'full', { forceDestroy: true });
    const Bucket = made.id;
    await sdk.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    for (const Body of ['1', '2']) await sdk.s3.putObject({ Bucket, Key: 'a', Body });
    await sdk.s3.deleteObject({ Bucket, Key: 'a' });
    await plugin.delete(made);
    await expect(sdk.s3.headBucket({ Bucket })).rejects.toThrow();
  });

  it('empties more than one listing holds', async () => {
    const made = await plugin.make('aws:s3/bucket:Bucket', 'large', { forceDestroy: true });
    const Bucket = made.id;
    const keys = Array.from({ length: 1_050 }, (_, index) => `object-${index}`);
    for (let first = 0; first < keys.length; first += 50) {
      const some = keys.slice(first, first + 50);
      await Promise.all(some.map((Key) => sdk.s3.putObject({ Bucket, Key, Body: 'x' })));
    }
    await plugin.delete(made);
    await expect(sdk.s3.headBucket({ Bucket })).rejects.toThrow();
  });

  it('refuses a bucket that is not empty without it', async () => {
    const made = await plugin.make('aws:s3/bucket:Bucket', 'kept', {});
    await sdk.s3.putObject({ Bucket: made.id, Key: 'a', Body: 'x' });
    await expect(plugin.delete(made)).rejects.toThrow(/not empty/);
    await sdk.s3.deleteObject({ Bucket: made.id, Key: 'a' });
    await plugin.delete(made);
  });
});

describe('an object', () => {
  const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
  const SECRET = 'the-secret-content';
  const versioned = async (Bucket: string, ObjectLockEnabledForBucket = false) => {
    const CreateBucketConfiguration = { LocationConstraint: 'us-west-2' } as const;
    await sdk.s3.createBucket({ Bucket, CreateBucketConfiguration, ObjectLockEnabledForBucket });
    await sdk.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } });
    return Bucket;
  };

  it('has bucket and key for its id, and is imported by its URL', async () => {
    const made = await plugin.make(OBJECT, 'o', { bucket: ground.bucket, key: 'a/b', content: SECRET });
    expect(made.id).toBe(`${ground.bucket}/a/b`);
    const imported = await plugin.import(OBJECT, 'o', `s3://${made.id}`);
    expect(imported).toMatchObject({ id: made.id, inputs: { bucket: ground.bucket, key: 'a/b' } });
    await plugin.delete(made);
  });

  it('is put anew as a version that a preview does not know yet, and goes with all its versions', async () => {
    const bucket = await versioned('conformance-versions');
    const made = await plugin.make(OBJECT, 'o', { bucket, key: 'a', content: '1' });
    const neighbour = await plugin.make(OBJECT, 'n', { bucket, key: 'a.b', content: '1' });
    const news = { ...made.inputs, content: '2' };
    const planned = await plugin.update(made, news, { preview: true });
    expect(planned.state['versionId']).toBe(UNKNOWN);
    const updated = await plugin.update(made, news);
    expect(updated.state['versionId']).not.toBe(made.state['versionId']);

    await sdk.s3.deleteObject({ Bucket: bucket, Key: 'a' });
    expect(await plugin.refresh(updated)).toBeUndefined();
    await plugin.delete(updated);
    const { Versions = [], DeleteMarkers = [] } = await sdk.s3.listObjectVersions({ Bucket: bucket });
    expect([...Versions, ...DeleteMarkers].map(({ Key }) => Key)).toEqual(['a.b']);
    await plugin.delete(neighbour);
  });

  it('goes in spite of a legal hold with forceDestroy, and only with it', async () => {
    const bucket = await versioned('conformance-held', true);
    const made = await plugin.make(OBJECT, 'o', { bucket, key: 'a', content: '1' });
    await sdk.s3.putObjectLegalHold({ Bucket: bucket, Key: 'a', LegalHold: { Status: 'ON' } });
    await expect(plugin.delete(made)).rejects.toThrow(/AccessDenied|Access Denied/);
    const forced = await plugin.update(made, { ...made.inputs, forceDestroy: true });
    expect(forced.state['versionId']).toBe(made.state['versionId']);
    await plugin.delete(forced);
    expect((await sdk.s3.listObjectVersions({ Bucket: bucket })).Versions ?? []).toEqual([]);
  });
});

describe('dependencies that go away late', () => {
  it('are waited for', async () => {
    const made = await plugin.make('aws:ec2/vpc:Vpc', 'busy', { cidrBlock: '10.62.0.0/16' });
    const { Subnet } = await sdk.ec2.createSubnet({ VpcId: made.id, CidrBlock: '10.62.0.0/24' });
    const deleting = plugin.delete(made);
    await new Promise((resolve) => setTimeout(resolve, 700));
    await sdk.ec2.deleteSubnet({ SubnetId: Subnet?.SubnetId });
    await deleting;
  });
});

describe('a creation that fails', () => {
  it('is recorded with its id where something was made, so that it can be completed or deleted', async () => {
    const attempt = plugin.make('aws:iam/instanceProfile:InstanceProfile', 'half', { role: 'no-such-role' });
    await expect(attempt).rejects.toMatchObject({ id: expect.stringMatching(/^half-/) as string });
  });

  it('is not recorded where nothing was made', async () => {
    const attempt = plugin.make('aws:iam/rolePolicy:RolePolicy', 'none', {
      role: 'no-such-role',
      policy: ALLOW('s3:GetObject'),
    });
    await expect(attempt).rejects.not.toHaveProperty('id');
  });
});

describe('invokes', () => {
  it.each([
    ['aws:index/getCallerIdentity:getCallerIdentity', {}, { accountId: '123456789012' }],
    ['aws:index/getRegion:getRegion', {}, { region: 'us-west-2', endpoint: 'ec2.us-west-2.amazonaws.com' }],
    ['aws:index/getPartition:getPartition', {}, { partition: 'aws', dnsSuffix: 'amazonaws.com' }],
    [
      'aws:index/getAvailabilityZones:getAvailabilityZones',
      { state: 'available', excludeNames: ['us-west-2a'], excludeZoneIds: ['usw2-az3'] },
      { names: ['us-west-2b', 'us-west-2d'], zoneIds: ['usw2-az1', 'usw2-az4'], region: 'us-west-2' },
    ],
    [
      'aws:index/getAvailabilityZones:getAvailabilityZones',
      {
        allAvailabilityZones: true,
        filters: [{ name: 'zone-name', values: ['eu-west-1b'] }],
        region: 'eu-west-1',
      },
      { names: ['eu-west-1b'] },
    ],
  ])('%s %j', async (token, args, expected) => {
    expect(await plugin.invoke(token, args)).toMatchObject(expected);
  });

  describe('getInstances', () => {
    const found = (args: Properties) => plugin.invoke('aws:ec2/getInstances:getInstances', args);
    const tagged = { 'conformance-stack': 'a' };
    let running: string;
    let stopped: string;

    beforeAll(async () => {
      const [image] = (await sdk.ec2.describeImages({ Owners: ['amazon'] })).Images ?? [];
      const launch = async (value: string) => {
        const { Instances = [] } = await sdk.ec2.runInstances({
          ImageId: image?.ImageId,
          InstanceType: 't3.micro',
          SubnetId: ground.subnetId,
          MinCount: 1,
          MaxCount: 1,
          TagSpecifications: [
            { ResourceType: 'instance', Tags: [{ Key: 'conformance-stack', Value: value }] },
          ],
        });
        return Instances[0]?.InstanceId ?? '';
      };
      [running, stopped] = [await launch('a'), await launch('a')];
      await launch('b');
      await sdk.ec2.stopInstances({ InstanceIds: [stopped] });
    });

    it('gives what runs with the tags, where no state is named', async () => {
      const { ids, privateIps, instanceTags, id } = await found({ instanceTags: tagged });
      expect({ ids, instanceTags, id }).toEqual({ ids: [running], instanceTags: tagged, id: 'us-west-2' });
      expect(privateIps).toEqual([expect.stringMatching(/^10\.40\.250\./)]);
      expect((await found({ instanceTags: tagged, instanceStateNames: [] }))['ids']).toEqual([running]);
    });

    it('gives those in the states that are named', async () => {
      const states = (...instanceStateNames: string[]) =>
        found({ instanceTags: tagged, instanceStateNames }).then(({ ids }) => ids);
      expect(await states('stopping', 'stopped')).toEqual([stopped]);
      expect(await states('running', 'stopped')).toHaveLength(2);
      expect(await states('terminated')).toEqual([]);
      await expect(states('preempted')).rejects.toThrow(/preempted/);
    });

    it('holds them to every filter, in the region that is named', async () => {
      const filters = (value: string) => [
        { name: 'subnet-id', values: [ground.subnetId] },
        { name: 'tag:conformance-stack', values: [value] },
      ];
      expect((await found({ filters: filters('b') }))['ids']).toHaveLength(1);
      expect((await found({ filters: filters('c') }))['ids']).toEqual([]);
      expect((await found({ instanceTags: tagged, region: 'eu-west-1' }))['ids']).toEqual([]);
    });
  });

  describe('getObjects', () => {
    const keys = async (args: Properties) =>
      (await plugin.invoke('aws:s3/getObjects:getObjects', { bucket: 'conformance-listing', ...args }))[
        'keys'
      ];
    const many = Array.from({ length: 1_010 }, (_, index) => `many/${String(index).padStart(4, '0')}`);

    beforeAll(async () => {
      const Bucket = 'conformance-listing';
      await sdk.s3.createBucket({
        Bucket,
        CreateBucketConfiguration: { LocationConstraint: 'us-west-2' },
      });
      const all = ['a', 'b/1', 'b/2', ...many];
      for (let first = 0; first < all.length; first += 50) {
        const some = all.slice(first, first + 50);
        await Promise.all(some.map((Key) => sdk.s3.putObject({ Bucket, Key, Body: 'x' })));
      }
    });

    it('gives the keys below a prefix, behind a key', async () => {
      expect(await keys({ prefix: 'b/' })).toEqual(['b/1', 'b/2']);
      expect(await keys({ prefix: 'b/', startAfter: 'b/1' })).toEqual(['b/2']);
      expect(await keys({ prefix: 'c/' })).toEqual([]);
    });

    it('gives a thousand of them, or as many as are asked for, over several pages', async () => {
      expect(await keys({ prefix: 'many/' })).toEqual(many.slice(0, 1_000));
      expect(await keys({ prefix: 'many/', maxKeys: 3 })).toEqual(many.slice(0, 3));
      expect(await keys({ prefix: 'many/', maxKeys: 1_005 })).toEqual(many.slice(0, 1_005));
      expect(await keys({ prefix: 'many/', maxKeys: 100_000 })).toEqual(many);
    });

    it('says so where there is no bucket', async () => {
      await expect(keys({ bucket: 'no-such-bucket' })).rejects.toThrow(/NoSuchBucket|does not exist/);
    });
  });

  describe('getObject', () => {
    const found = (bucket: string, key: string) =>
      plugin.invoke('aws:s3/getObject:getObject', { bucket, key });

    it('gives the content of what its type calls text', async () => {
      const Bucket = 'conformance-contents';
      await sdk.s3.createBucket({ Bucket, CreateBucketConfiguration: { LocationConstraint: 'us-west-2' } });
      await sdk.s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } });
      for (const Body of ['{"old":1}', '{"new":2}']) {
        await sdk.s3.putObject({ Bucket, Key: 'a/b.json', Body, ContentType: 'application/json' });
      }
      expect(await found(Bucket, 'a/b.json')).toMatchObject({
        body: '{"new":2}',
        bucket: Bucket,
        key: 'a/b.json',
        arn: `arn:aws:s3:::${Bucket}/a/b.json`,
        contentLength: 9,
        contentType: 'application/json',
      });
      await sdk.s3.putObject({ Bucket, Key: 'c', Body: 'text', ContentType: 'text/plain; charset=utf-8' });
      expect(await found(Bucket, 'c')).toMatchObject({ body: 'text' });
      await sdk.s3.putObject({ Bucket, Key: 'd', Body: 'bytes', ContentType: 'application/octet-stream' });
      expect((await found(Bucket, 'd'))['body'] ?? '').toBe('');
    });

    it('says so where there is no object', async () => {
      await expect(found(ground.bucket, 'no-such-key')).rejects.toThrow(/no-such-key/);
    });
  });
});

describe('the configuration', () => {
  it('refuses an account that is not allowed', async () => {
    const allowedAccountIds = JSON.stringify(['999999999999']);
    const attempt = start({ ...moto.config, skipRequestingAccountId: 'false', allowedAccountIds });
    await expect(attempt).rejects.toThrow(/123456789012/);
  });

  it('takes region and credentials from the environment', async () => {
    const config = without(moto.config, ['region', 'accessKey', 'secretKey']);
    const env = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    const other = await start(config, env);
    expect(await other.invoke('aws:index/getRegion:getRegion', {})).toMatchObject({ region: 'eu-west-1' });
  });

  it('has an endpoint of its own for the service of log groups, under each of its names', async () => {
    for (const name of ['logs', 'cloudwatchlogs']) {
      const endpoints = JSON.stringify([{ ec2: moto.url, [name]: moto.url }]);
      const other = await start({ ...moto.config, endpoints });
      const made = await other.make('aws:cloudwatch/logGroup:LogGroup', name, {});
      await other.delete(made);
    }
  });
});
