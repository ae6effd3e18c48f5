import { type Sdk, sdkFor } from './aws-cases/ground';
import { type Home, homeUnderTest } from './binaries';
import { type Moto, startMoto } from './moto';
import { Stack } from './stack';

/** What a program relies on of any plugin for @pulumi/aws and only shows with the engine around it. */

jest.setTimeout(600_000);

let moto: Moto;
let home: Home;
let sdk: Sdk;
const undo: (() => Promise<void>)[] = [];

async function stack(config: Record<string, string> = {}): Promise<Stack> {
  const made = await Stack.create(home.home, config);
  undo.push(() => made.remove());
  return made;
}

beforeAll(async () => {
  moto = await startMoto();
  undo.push(() => moto.stop());
  home = await homeUnderTest();
  undo.push(() => home.remove());
  sdk = sdkFor(moto.url);
});

afterAll(async () => {
  for (const step of undo.reverse()) await step();
});

const awsConfig = () =>
  Object.fromEntries(Object.entries(moto.config).map(([key, value]) => [`aws:${key}`, value]));

describe('the aws plugin under the CLI', () => {
  const network = (tag: string, zone: string, cidr = '10.1.0.0/16') => `
    const vpc = new aws.ec2.Vpc('v', { cidrBlock: '${cidr}', tags: { Name: '${tag}' } });
    const subnet = new aws.ec2.Subnet('s', {
      vpcId: vpc.id,
      cidrBlock: '${cidr.replace('/16', '/24')}',
      availabilityZone: aws.getAvailabilityZonesOutput({ state: 'available' }).names.apply((names) => names[${zone}]),
    });
    const data = new aws.s3.Bucket('Data', { forceDestroy: true });
    new aws.ec2.DefaultSecurityGroup('d', { vpcId: vpc.id });
    module.exports = { vpc: vpc.id, subnet: subnet.id, bucket: data.bucket, group: vpc.defaultSecurityGroupId };`;
  let program: Stack;

  it('creates, and then finds nothing to do', async () => {
    program = await stack(awsConfig());
    await program.program(network('first', '0'));
    await program.preview('--save-plan', 'plan.json');
    // The name in the plan is the name that is made: anything else is a violation of the plan.
    await program.up('--plan', 'plan.json');
    const { vpc, bucket } = await program.outputs();
    expect(bucket).toMatch(/^data-[0-9a-f]{7}$/);
    expect((await sdk.ec2.describeVpcs({ VpcIds: [String(vpc)] })).Vpcs?.[0]?.CidrBlock).toBe('10.1.0.0/16');
    expect(await program.preview('--expect-no-changes', '--refresh')).toContain('5 unchanged');
  });

  it('updates in place, and the preview knows what stays', async () => {
    await program.program(network('second', '0'));
    const preview = await program.preview('--diff');
    expect(preview).toContain('~ Name: "first" => "second"');
    expect(preview).toContain('~ 1 to update');
    expect(preview).toContain('4 unchanged');
    await program.up();
  });

  it('replaces what cannot change, and what depends on it', async () => {
    const before = await program.outputs();
    await program.program(network('second', '0', '10.2.0.0/16'));
    const shown = await program.up();
    expect(shown).toContain('+-3 replaced');
    const after = await program.outputs();
    expect(after['vpc']).not.toBe(before['vpc']);
    expect(after['bucket']).toBe(before['bucket']);
    await expect(sdk.ec2.describeVpcs({ VpcIds: [String(before['vpc'])] })).rejects.toThrow();
  });

  it('sees and repairs what somebody else changed or deleted', async () => {
    const { vpc, subnet } = await program.outputs();
    await sdk.ec2.createTags({ Resources: [String(vpc)], Tags: [{ Key: 'Name', Value: 'alien' }] });
    await sdk.ec2.deleteSubnet({ SubnetId: String(subnet) });
    await program.succeed('refresh', '--yes', '--skip-preview', '--suppress-progress');
    const shown = await program.preview('--diff');
    expect(shown).toContain('~ Name: "alien" => "second"');
    expect(shown).toContain('+ 1 to create');
    await program.up();
    expect(await program.preview('--expect-no-changes', '--refresh')).toContain('5 unchanged');
  });

  it('deletes everything', async () => {
    await program.succeed('destroy', '--yes', '--skip-preview', '--suppress-progress');
    const left = await sdk.ec2.describeVpcs({ Filters: [{ Name: 'tag:Name', Values: ['second'] }] });
    expect(left.Vpcs).toEqual([]);
  });

  it('imports, and then finds nothing to do', async () => {
    const importing = await stack(awsConfig());
    const { Vpc } = await sdk.ec2.createVpc({ CidrBlock: '10.7.0.0/16' });
    const id = Vpc?.VpcId ?? '';
    await sdk.iam.createRole({
      RoleName: 'imported',
      Path: '/x/',
      AssumeRolePolicyDocument: '{"Statement":[]}',
    });
    await importing.program(`
      new aws.ec2.Vpc('v', { cidrBlock: '10.7.0.0/16' }, { import: '${id}' });
      const assumeRolePolicy = JSON.stringify({ Statement: [] });
      new aws.iam.Role('r', { name: 'imported', path: '/x/', assumeRolePolicy }, { import: 'imported' });`);
    expect(await importing.up()).toContain('= 2 imported');
    expect(await importing.preview('--expect-no-changes')).toContain('unchanged');
    await importing.succeed('destroy', '--yes', '--skip-preview', '--suppress-progress');
  });

  it('imports from the command line what then fits the program', async () => {
    const importing = await stack(awsConfig());
    const TagSpecifications = [{ ResourceType: 'vpc' as const, Tags: [{ Key: 'Name', Value: 'mine' }] }];
    const { Vpc } = await sdk.ec2.createVpc({ CidrBlock: '10.9.0.0/16', TagSpecifications });
    await importing.program('');
    await importing.up();
    const what = ['aws:ec2/vpc:Vpc', 'v', Vpc?.VpcId ?? ''];
    const shown = await importing.succeed(
      'import',
      '--yes',
      '--generate-code=false',
      '--protect=false',
      ...what,
    );
    expect(shown).toContain('1 imported');
    expect(shown).not.toContain('failed to validate');
    await importing.program(`new aws.ec2.Vpc('v', { cidrBlock: '10.9.0.0/16', tags: { Name: 'mine' } });`);
    expect(await importing.preview('--expect-no-changes')).toContain('unchanged');
    await importing.succeed('destroy', '--yes', '--skip-preview', '--suppress-progress');
  });

  it('takes an explicit provider with secret credentials, and default tags', async () => {
    const explicit = await stack();
    await explicit.program(`
      const provider = new aws.Provider('p', {
        region: 'eu-west-1',
        accessKey: pulumi.secret('planted-key'),
        secretKey: 'planted-secret',
        endpoints: ${moto.config['endpoints'] ?? '[]'},
        s3UsePathStyle: true,
        defaultTags: { tags: { team: 'fleet' } },
      });
      const vpc = new aws.ec2.Vpc('v', { cidrBlock: '10.8.0.0/16' }, { provider });
      const role = new aws.iam.Role('r', {
        assumeRolePolicy: '{"Statement":[]}',
        description: pulumi.secret('planted description'),
      }, { provider });
      module.exports = { vpc: vpc.id, tags: vpc.tagsAll, role: role.description };`);
    await explicit.up();
    const { vpc, tags } = await explicit.outputs();
    expect(tags).toEqual({ team: 'fleet' });
    const { ec2 } = sdkFor(moto.url, 'eu-west-1');
    expect((await ec2.describeVpcs({ VpcIds: [String(vpc)] })).Vpcs?.[0]?.Tags).toEqual([
      { Key: 'team', Value: 'fleet' },
    ]);
    expect(await explicit.state()).not.toMatch(/planted/);
    expect(await explicit.preview('--expect-no-changes')).toContain('unchanged');
    await explicit.succeed('destroy', '--yes', '--skip-preview', '--suppress-progress');
  });
});
