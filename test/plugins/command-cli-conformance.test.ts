import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { type Home, homeUnderTest } from './binaries';
import { ROWS } from './command-rows';
import { alive, end, pidsIn } from './command-setup';
import { Stack } from './stack';

/** What a program relies on of any plugin for @pulumi/command and only shows with the engine around it. */

jest.setTimeout(600_000);

let home: Home | undefined;
let program: Stack;
let log: string;

beforeAll(async () => {
  home = await homeUnderTest();
  program = await Stack.create(home.home, {});
  log = path.join(program.directory, 'log');
});

afterAll(async () => {
  await program.remove();
  await home?.remove();
});

const logged = async () => (existsSync(log) ? (await readFile(log, 'utf8')).trim().split('\n') : []);
const destroy = () => program.succeed('destroy', '--yes', '--skip-preview', '--suppress-progress');

describe(ROWS.triggers, () => {
  const command = (trigger: string, deleting: string) => `
    new command.local.Command('c', {
      create: 'echo create $ME >> $LOG',
      update: 'echo update $ME >> $LOG',
      delete: 'echo delete $ME ${deleting} >> $LOG',
      environment: { LOG: '${log}', ME: '${trigger}' },
      triggers: ['${trigger}'],
    });`;

  it('with what was stored for the one that goes', async () => {
    await program.program(command('one', 'as first'));
    await program.up();
    await program.program(command('one', 'as second'));
    await program.up();
    await program.program(command('two', 'as third'));
    await program.up();
    await destroy();
    expect(await logged()).toEqual([
      'create one',
      // The text of delete alone had changed.
      'update one',
      'create two',
      'delete one as second',
      'delete two as third',
    ]);
  });
});

describe('the output of a script that was given a secret', () => {
  const script = 'echo planted-$S; printf %s $S | base64';
  const encoded = Buffer.from('token12345').toString('base64');
  const args = `create: ${JSON.stringify(script)}, environment: { S: new pulumi.Config().requireSecret('token') }`;
  let shown: string;

  beforeAll(async () => {
    await program.succeed('config', 'set', '--secret', 'token', 'token12345');
    await program.program(`new command.local.Command('s', { ${args} });`);
    shown = await program.up();
  });

  afterAll(destroy);

  it(ROWS.masking, () => {
    expect(shown).not.toContain('token12345');
    expect(shown).toContain(encoded);
  });

  it(ROWS.secrets, async () => {
    const state = await program.state();
    expect(state).toContain('planted-token12345');
    expect(state).toContain(encoded);
    expect(state).not.toContain('"S": "token12345"');

    const options = `{ additionalSecretOutputs: ['stdout', 'stderr'] }`;
    await program.program(`new command.local.Command('t', { ${args}, logging: 'none' }, ${options});`);
    expect(await program.up()).not.toContain(encoded);
    expect(await program.state()).not.toMatch(/token12345|dG9rZW4/);
  });
});

describe(ROWS.failedCreate, () => {
  it('in the state', async () => {
    await program.program(
      `new command.local.Command('f', { create: 'exit 7', delete: 'echo deleted f >> ${log}' });`,
    );
    const { code, console } = await program.run('up', '--yes', '--skip-preview', '--suppress-progress');
    expect(code).not.toBe(0);
    expect(console).toContain('exit status 7');
    expect(await program.state()).not.toContain('::f"');
    await destroy();
    expect(await logged()).not.toContain('deleted f');
  });
});

describe(ROWS.run, () => {
  it('with what there is then', async () => {
    await program.program(`
      const seen = command.local.runOutput({ command: 'cat observed || echo nothing', dir: '${program.directory}' });
      module.exports = { seen: seen.stdout };`);
    expect(await program.preview()).toMatch(/seen: "nothing"/);
  });
});

describe(ROWS.failedUp, () => {
  it('as the failed program gave them', async () => {
    await program.program(`module.exports = { value: 'one' };`);
    await program.up();
    await program.program(`
      new command.local.Command('f', { create: 'exit 1' });
      module.exports = { value: 'two' };`);
    const { code } = await program.run('up', '--yes', '--skip-preview', '--suppress-progress');
    expect(code).not.toBe(0);
    expect(await program.outputs()).toEqual({ value: 'two' });
  });
});

describe(ROWS.killed, () => {
  it('and there is a way back', async () => {
    const pids = path.join(program.directory, 'pids');
    await program.program(`new command.local.Command('k', { create: 'echo $$ > ${pids}; exec sleep 60' });`);
    const cli = program.start('up', '--yes', '--skip-preview');
    const [script] = await pidsIn(pids);
    cli.kill('SIGKILL');
    const again = await program.run('up', '--yes', '--skip-preview', '--suppress-progress');
    expect(again.code).not.toBe(0);
    expect(again.console).toContain('locked');
    expect(alive(script ?? 0)).toBe(true);
    end(script);

    await program.succeed('cancel', '--yes');
    expect(await program.state()).toMatch(/"pending_operations": \[\s*\{/);
    await program.succeed('refresh', '--clear-pending-creates', '--yes', '--skip-preview');
    expect(await program.state()).not.toContain('pending_operations');
    expect(await program.state()).not.toContain('::k"');
  });
});
