import { resources } from '../../local/plugins/aws/resources';
import { type Properties, UNKNOWN, isObject } from '../../local/plugins/properties';
import { pluginBinary } from '../../local/plugins/install';
import { type Case, type Ground, type Sdk, cases, layGround, sdkFor } from './aws-cases';
import { isOurs, pulumiHome } from './binaries';
import { type Moto, startMoto } from './moto';
import { PluginProcess, type Resource } from './plugin-process';

jest.setTimeout(60_000);

let moto: Moto;
let home: Awaited<ReturnType<typeof pulumiHome>>;
let plugin: PluginProcess;
let sdk: Sdk;
let ground: Ground;

const undo: (() => Promise<void>)[] = [];

beforeAll(async () => {
  moto = await startMoto();
  undo.push(() => moto.stop());
  home = await pulumiHome();
  undo.push(() => home.remove());
  plugin = await PluginProcess.start(await pluginBinary('aws', home.home), moto.config);
  undo.push(() => plugin.stop());
  sdk = sdkFor(moto.url);
  ground = await layGround(sdk);
});

afterAll(async () => {
  for (const step of undo.reverse()) await step();
});

/** Documents by meaning, lists in an order of their own, absent members absent: what two answers are compared in. */
function comparable(value: unknown, key = ''): unknown {
  if (typeof value === 'string' && (key.toLowerCase().endsWith('policy') || key === 'policy')) {
    return JSON.parse(value) as unknown;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item));
    return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (!isObject(value as Properties)) return value;
  const members = Object.entries(value as Properties).filter(
    ([, member]) => member !== undefined && member !== null,
  );
  return Object.fromEntries(members.map(([name, member]) => [name, comparable(member, name)]).sort());
}

const without = (properties: Properties, keys: readonly string[] = []): Properties =>
  Object.fromEntries(
    Object.entries(properties).filter(([key, value]) => !keys.includes(key) && value !== undefined),
  );

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
    expect(await plugin.diff(resource, await checked(of, asked, resource.inputs))).toMatchObject({
      changes: false,
    });
    const refreshed = await plugin.refresh(resource);
    expect(refreshed?.state).toEqual(resource.state);
  });

  it('is replaced for each input that cannot change in place', async () => {
    for (const [key, value] of Object.entries(of.replace(ground))) {
      const diff = await plugin.diff(
        resource,
        await checked(of, { ...asked, [key]: value }, resource.inputs),
      );
      expect({ key, ...diff }).toMatchObject({ key, changes: true, replaces: [key] });
      const nameChanged = ['name', 'bucket'].includes(key);
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
      expect(Object.keys(diff.details).every((path) => path.startsWith(key))).toBe(true);
    }
    asked = { ...asked, ...change };
    const news = await checked(of, asked, resource.inputs);
    const planned = await plugin.update(resource, news, { preview: true });
    resource = await plugin.update(resource, news);
    const visible = without(asked, of.kept);
    expect(await inAws(of, resource, visible)).toEqual(comparable(visible));
    expect(resource.id).toBe(before.id);
    expect(without(planned.state)).toEqual(without(resource.state));
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
    expect(Object.keys(diff.details).filter((path) => !of.notImported?.includes(path))).toEqual([]);
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

const own = isOurs('aws') ? describe : describe.skip;

own('the table', () => {
  it('has a conformance case for each type, and in it each input', () => {
    expect(cases.map(({ type }) => type).sort()).toEqual(Object.keys(resources).sort());
    for (const { type, inputs, variants } of cases) {
      const tested = [inputs(ground), ...(variants?.(ground) ?? [])].flatMap((values) => Object.keys(values));
      const taken = Object.keys(resources[type]?.inputs ?? {}).filter((key) => key !== 'tagsAll');
      expect({ type, inputs: [...new Set(tested)].sort() }).toEqual({ type, inputs: taken.sort() });
    }
  });

  it('refuses a type that it does not have, naming it and what to do', async () => {
    const attempt = plugin.check('aws:lambda/function:Function', 'f', {});
    await expect(attempt).rejects.toThrow(
      /aws:lambda\/function:Function is not among the types.*Add an entry/,
    );
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
    const tagging = await PluginProcess.start(await pluginBinary('aws', home.home), {
      ...moto.config,
      defaultTags: JSON.stringify({ tags: { team: 'fleet', Name: 'default' } }),
    });
    try {
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
      expect(diff.details).toEqual({ 'tagsAll.team': 'DELETE' });
      const updated = await plugin.update(made, inputs);
      expect(updated.state).toMatchObject({ tagsAll: { Name: 'mine' } });
      await plugin.delete(updated);
    } finally {
      await tagging.stop();
    }
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

  own('', () => {
    it('shows in a refresh that somebody else changed the content', async () => {
      const inputs = { bucket: ground.bucket, key: 'drifting', content: SECRET, contentType: 'text/plain' };
      const made = await plugin.make(OBJECT, 'o', inputs);
      const { bucket: Bucket, key: Key, contentType: ContentType } = inputs;
      await sdk.s3.putObject({ Bucket, Key, ContentType, Body: 'alien' });
      const refreshed = await plugin.refresh(made);
      expect(refreshed?.state['content']).toBe('alien');
      await plugin.delete(made);
    });

    it('gives its content, and what is made of it, neither to a message nor to an import', async () => {
      const inputs = { bucket: ground.bucket, key: 'secret', content: SECRET };
      const made = await plugin.make(OBJECT, 'o', inputs);
      expect(Object.keys(made.state)).not.toContain('etag');
      const imported = await plugin.import(OBJECT, 'o', made.id);
      expect(JSON.stringify(imported)).not.toContain(SECRET);
      const { failures } = await plugin.check(OBJECT, 'o', { ...inputs, content: { wrong: SECRET } });
      expect(failures).toMatchObject([{ property: 'content' }]);
      expect(JSON.stringify(failures)).not.toContain(SECRET);
      const refused = plugin.make(OBJECT, 'o', { ...inputs, bucket: 'no-such-bucket' });
      await expect(refused).rejects.toThrow(/NoSuchBucket|does not exist/);
      await expect(refused).rejects.not.toThrow(SECRET);
      expect(JSON.stringify(plugin.logged)).not.toContain(SECRET);
      await plugin.delete(made);
    });

    it.each([
      [{ key: '/a' }, /"\/a".*write "a"/],
      [{ key: 'a//b' }, /write "a\/b"/],
      [{ bucket: 'arn:aws:s3:us-west-2:123456789012:accesspoint/x' }, /is no bucket name/],
    ])('is refused with %j, which the real provider takes for something else', async (odd, message) => {
      const attempt = plugin.make(OBJECT, 'o', { bucket: ground.bucket, key: 'a', content: SECRET, ...odd });
      await expect(attempt).rejects.toThrow(message);
    });
  });
});

describe('dependencies that go away late', () => {
  it('are waited for, within the time-out', async () => {
    const made = await plugin.make('aws:ec2/vpc:Vpc', 'busy', { cidrBlock: '10.62.0.0/16' });
    const { Subnet } = await sdk.ec2.createSubnet({ VpcId: made.id, CidrBlock: '10.62.0.0/24' });
    await expect(plugin.delete(made, { timeoutSeconds: 1 })).rejects.toThrow(
      /DependencyViolation|dependencies/,
    );

    const deleting = plugin.delete(made, { timeoutSeconds: 30 });
    await new Promise((resolve) => setTimeout(resolve, 700));
    await sdk.ec2.deleteSubnet({ SubnetId: Subnet?.SubnetId });
    await deleting;
  });
});

describe('a creation that fails halfway', () => {
  it('is recorded with its id, so that it can be completed or deleted', async () => {
    const attempt = plugin.make('aws:iam/instanceProfile:InstanceProfile', 'half', { role: 'no-such-role' });
    await expect(attempt).rejects.toMatchObject({ id: expect.stringMatching(/^half-/) as string });
  });

  it('is not recorded where nothing was made', async () => {
    const attempt = plugin.make('aws:s3/bucketPolicy:BucketPolicy', 'none', {
      bucket: 'no-such-bucket',
      policy: '{}',
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

  own('', () => {
    it('refuses a function that it does not have', async () => {
      await expect(plugin.invoke('aws:ec2/getAmi:getAmi', {})).rejects.toThrow(
        /getAmi is not among the functions/,
      );
    });
  });
});

describe('the configuration', () => {
  const start = async (config: Properties, env: Record<string, string> = {}) =>
    PluginProcess.start(await pluginBinary('aws', home.home), config, env);

  it('refuses an account that is not allowed', async () => {
    const config = { ...moto.config, allowedAccountIds: JSON.stringify(['999999999999']) };
    await expect(plugin.configure(config)).rejects.toThrow(/123456789012/);
  });

  it('takes region and credentials from the environment', async () => {
    const { endpoints, s3UsePathStyle } = moto.config;
    const env = { AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'a', AWS_SECRET_ACCESS_KEY: 'b' };
    const other = await start({ endpoints, s3UsePathStyle }, env);
    expect(await other.invoke('aws:index/getRegion:getRegion', {})).toMatchObject({ region: 'eu-west-1' });
    await other.stop();
  });
});
