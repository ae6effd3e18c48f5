import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Sdk, sdkFor } from './aws-cases';
import { pulumiHome } from './binaries';
import { type Moto, startMoto } from './moto';
import { Stack } from './stack';

/** What only shows with the engine around the plugins: order, state, console, plans, imports, a CLI killed hard. */

jest.setTimeout(120_000);

let moto: Moto;
let home: Awaited<ReturnType<typeof pulumiHome>>;
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
  home = await pulumiHome();
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

  it('refuses an input that it does not apply before anything is touched', async () => {
    await program.program(`new aws.ec2.Vpc('w', { cidrBlock: '10.9.0.0/16', ipv4NetmaskLength: 16 });`);
    const { code, console } = await program.run('up', '--yes', '--suppress-progress');
    expect(code).not.toBe(0);
    expect(console).toMatch(/aws:ec2\/vpc:Vpc in this stand-in does not apply "ipv4NetmaskLength"/);
  });

  it('names a type that it does not have, and what to do', async () => {
    await program.program(`new aws.sqs.Queue('q');`);
    const { code, console } = await program.run('preview', '--suppress-progress');
    expect(code).not.toBe(0);
    expect(console).toMatch(/aws:sqs\/queue:Queue is not among the types.*Add an entry/s);
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

describe('the command plugin under the CLI', () => {
  let program: Stack;
  let log: string;
  const logged = async () => (existsSync(log) ? (await readFile(log, 'utf8')).trim().split('\n') : []);

  beforeAll(async () => {
    program = await stack();
    log = path.join(program.directory, 'log');
  });

  const command = (trigger: string, deleting: string) => `
    const environment = { LOG: '${log}', ME: '${trigger}' };
    new command.local.Command('c', {
      create: 'echo create $ME >> $LOG',
      update: 'echo update $ME >> $LOG',
      delete: 'echo delete $ME ${deleting} >> $LOG',
      environment,
      triggers: ['${trigger}'],
    });`;

  it('creates a replacement before it deletes the original, which deletes with what was stored', async () => {
    await program.program(command('one', 'as first'));
    await program.up();
    await program.program(command('one', 'as second'));
    await program.up();
    await program.program(command('two', 'as third'));
    await program.up();
    await program.succeed('destroy', '--yes', '--skip-preview', '--suppress-progress');
    expect(await logged()).toEqual([
      'create one',
      // The text of delete alone had changed.
      'update one',
      'create two',
      'delete one as second',
      'delete two as third',
    ]);
  });

  it('puts output into state and onto the console in plain text, although it came of a secret', async () => {
    await program.succeed('config', 'set', '--secret', 'token', 'token12345');
    const script = `echo planted-$S; printf %s $S | base64`;
    const args = `create: ${JSON.stringify(script)}, environment: { S: new pulumi.Config().requireSecret('token') }`;
    await program.program(`new command.local.Command('s', { ${args} });`);
    const shown = await program.up();
    const state = await program.state();
    expect(state).toContain('planted-token12345');
    expect(state).toContain(Buffer.from('token12345').toString('base64'));
    expect(state).not.toContain('"S": "token12345"');
    // The CLI masks the very value of a secret in the configuration, and nothing made of it.
    expect(shown).not.toContain('token12345');
    expect(shown).toContain(Buffer.from('token12345').toString('base64'));

    const options = `{ additionalSecretOutputs: ['stdout', 'stderr'] }`;
    await program.program(`new command.local.Command('t', { ${args}, logging: 'none' }, ${options});`);
    expect(await program.up()).not.toContain(Buffer.from('token12345').toString('base64'));
    expect(await program.state()).not.toMatch(/token12345|dG9rZW4/);
  });

  it('does not record a create that failed, and so never deletes it', async () => {
    await program.program(
      `new command.local.Command('f', { create: 'exit 7', delete: 'echo deleted f >> ${log}' });`,
    );
    const { code, console } = await program.run('up', '--yes', '--skip-preview', '--suppress-progress');
    expect(code).not.toBe(0);
    expect(console).toContain('exit status 7');
    expect(await program.state()).not.toContain('::f"');
    await program.succeed('destroy', '--yes', '--skip-preview', '--suppress-progress');
    expect(await logged()).not.toContain('deleted f');
  });

  it('runs local.run in previews too', async () => {
    await program.program(`
      const seen = command.local.runOutput({ command: 'cat observed || echo nothing', dir: '${program.directory}' });
      module.exports = { seen: seen.stdout };`);
    expect(await program.preview()).toMatch(/seen: "nothing"/);
  });

  it('ends with a CLI that is killed hard, while the script runs on', async () => {
    const pids = path.join(program.directory, 'pids');
    await program.program(
      `new command.local.Command('k', { create: 'echo $PPID $$ > ${pids}; exec sleep 30' });`,
    );
    const cli = program.start('up', '--yes', '--skip-preview');
    let [plugin = 0, script = 0]: number[] = [];
    while (script === 0) {
      await sleep(50);
      const content = existsSync(pids) ? await readFile(pids, 'utf8') : '';
      if (content.endsWith('\n')) [plugin = 0, script = 0] = content.trim().split(' ').map(Number);
    }
    const alive = (pid: number) => existsSync(`/proc/${pid}/exe`);
    expect(alive(plugin)).toBe(true);
    cli.kill('SIGKILL');
    for (const deadline = Date.now() + 10_000; alive(plugin) && Date.now() < deadline;) await sleep(100);
    expect({ plugin: alive(plugin), script: alive(script) }).toEqual({ plugin: false, script: true });
    process.kill(script, 'SIGKILL');
  });
});
