import { resources } from '../../local/plugins/aws/resources';
import { UNKNOWN } from '../../local/plugins/properties';
import { cases } from './aws-cases';
import { without } from './aws-cases/compare';
import type { Ground, Sdk } from './aws-cases/ground';
import { type AwsSetup, setUpAws } from './aws-setup';
import { ourHome } from './binaries';
import type { PluginProcess } from './plugin-process';

/** What our plugin does beyond, or stricter than, what any plugin for @pulumi/aws has to. */

let setup: AwsSetup | undefined;
let plugin: PluginProcess;
let sdk: Sdk;
let ground: Ground;
let moto: AwsSetup['moto'];

beforeAll(async () => {
  setup = await setUpAws(ourHome);
  ({ plugin, sdk, ground, moto } = setup);
});

afterAll(() => setup?.stop());

describe('the table', () => {
  it('has a conformance case for each type, and in it each input', () => {
    expect(cases.map(({ type }) => type).sort()).toEqual(Object.keys(resources).sort());
    for (const { type, inputs, variants } of cases) {
      const tested = [inputs(ground), ...(variants?.(ground) ?? [])].flatMap((values) => Object.keys(values));
      const taken = Object.keys(resources[type]?.inputs ?? {}).filter((key) => key !== 'tagsAll');
      expect({ type, inputs: [...new Set(tested)].sort() }).toEqual({ type, inputs: taken.sort() });
    }
  });

  it('is named in the refusal of a type that is not in it, with what to do', async () => {
    const attempt = plugin.check('aws:lambda/function:Function', 'f', {});
    await expect(attempt).rejects.toThrow(
      /aws:lambda\/function:Function is not among the types.*Add an entry/,
    );
  });

  it('is named in the refusal of a function that is not in it', async () => {
    await expect(plugin.invoke('aws:ec2/getAmi:getAmi', {})).rejects.toThrow(
      /getAmi is not among the functions/,
    );
  });
});

describe.each(cases)('$type', (of) => {
  it('is previewed as it then comes, and found by a refresh as it was left', async () => {
    const asked = of.inputs(ground);
    const made = await plugin.make(of.type, 'own', without(asked));
    expect((await plugin.refresh(made))?.state).toEqual(made.state);
    if (of.update !== undefined) {
      const news = without({ ...asked, ...of.update(ground) });
      const { inputs } = await plugin.check(of.type, 'own', news, made.inputs);
      const planned = await plugin.update(made, inputs, { preview: true });
      const updated = await plugin.update(made, inputs);
      // What AWS makes anew is unknown before.
      const known = Object.entries(without(planned.state)).filter(([, value]) => value !== UNKNOWN);
      expect(without(updated.state)).toMatchObject(Object.fromEntries(known));
      expect(Object.keys(without(updated.state)).sort()).toEqual(Object.keys(without(planned.state)).sort());
      await plugin.delete(updated);
    } else await plugin.delete(made);
  });
});

describe('tags that were default tags', () => {
  it('show as what they are when they go', async () => {
    const defaultTags = JSON.stringify({ tags: { team: 'fleet' } });
    const tagging = await setup?.start({ ...moto.config, defaultTags });
    const made = await tagging?.make('aws:ec2/vpc:Vpc', 'v', { cidrBlock: '10.61.0.0/16' });
    if (made === undefined) throw new Error('nothing was made');
    const { inputs } = await plugin.check('aws:ec2/vpc:Vpc', 'v', { cidrBlock: '10.61.0.0/16' });
    expect((await plugin.diff(made, inputs)).details).toEqual({ 'tagsAll.team': 'DELETE' });
    await plugin.delete(made);
  });
});

describe('the dedication of a VPC to one tenant', () => {
  it('is taken off in place', async () => {
    const inputs = { cidrBlock: '10.65.0.0/16', instanceTenancy: 'dedicated' };
    const made = await plugin.make('aws:ec2/vpc:Vpc', 'v', inputs);
    const news = { ...made.inputs, instanceTenancy: 'default' };
    expect(await plugin.diff(made, news)).toMatchObject({ changes: true, replaces: [] });
    const updated = await plugin.update(made, news);
    const { Vpcs = [] } = await sdk.ec2.describeVpcs({ VpcIds: [made.id] });
    expect(Vpcs[0]?.InstanceTenancy).toBe('default');
    await plugin.delete(updated);
  });
});

describe('a flow log', () => {
  const FLOW_LOG = 'aws:ec2/flowLog:FlowLog';

  it('is of one thing', async () => {
    const { vpcId, subnetId, logGroupArn, roleArn } = ground;
    const inputs = { trafficType: 'ALL', logDestination: logGroupArn, iamRoleArn: roleArn };
    await expect(plugin.make(FLOW_LOG, 'f', inputs)).rejects.toThrow(/takes one of vpcId, subnetId, eniId/);
    const both = plugin.make(FLOW_LOG, 'f', { ...inputs, vpcId, subnetId });
    await expect(both).rejects.toThrow(/takes one of/);
  });

  it('is not made where AWS says why not', async () => {
    const { vpcId } = ground;
    const logDestination = 'arn:aws:s3:::no-such-bucket';
    const attempt = plugin.make(FLOW_LOG, 'f', { vpcId, logDestinationType: 's3', logDestination });
    await expect(attempt).rejects.toThrow(/no-such-bucket does not exist/);
    await expect(attempt).rejects.not.toHaveProperty('id');
  });
});

describe('a time-out', () => {
  it('ends the wait for what depends on the resource, with what AWS says', async () => {
    const made = await plugin.make('aws:ec2/vpc:Vpc', 'busy', { cidrBlock: '10.62.0.0/16' });
    const { Subnet } = await sdk.ec2.createSubnet({ VpcId: made.id, CidrBlock: '10.62.0.0/24' });
    await expect(plugin.delete(made, { timeoutSeconds: 1 })).rejects.toThrow(
      /DependencyViolation|dependencies/,
    );
    await sdk.ec2.deleteSubnet({ SubnetId: Subnet?.SubnetId });
    await plugin.delete(made);
  });
});

describe('an object', () => {
  const OBJECT = 'aws:s3/bucketObjectv2:BucketObjectv2';
  const SECRET = 'the-secret-content';

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
