import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Home, ourHome } from './binaries';
import { alive, end, pidsIn } from './command-setup';
import { Stack } from './stack';

/** What only our plugins do and only shows with the engine around them. */

jest.setTimeout(600_000);

let home: Home | undefined;
let program: Stack;

beforeAll(async () => {
  home = await ourHome();
  program = await Stack.create(home.home, {
    'aws:region': 'us-west-2',
    'aws:accessKey': 'test',
    'aws:secretKey': 'test',
    'aws:skipCredentialsValidation': 'true',
  });
});

afterAll(async () => {
  await program.remove();
  await home?.remove();
});

describe('the aws plugin', () => {
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
});

describe('the command plugin', () => {
  it('ends with a CLI that is killed hard', async () => {
    const pids = path.join(program.directory, 'pids');
    await program.program(
      `new command.local.Command('k', { create: 'echo $PPID $$ > ${pids}; exec sleep 30' });`,
    );
    const cli = program.start('up', '--yes', '--skip-preview');
    const [plugin = 0, script = 0] = await pidsIn(pids);
    expect(alive(plugin)).toBe(true);
    cli.kill('SIGKILL');
    for (const deadline = Date.now() + 10_000; alive(plugin) && Date.now() < deadline;) await sleep(100);
    expect({ plugin: alive(plugin), script: alive(script) }).toEqual({ plugin: false, script: true });
    end(script);
  });
});
