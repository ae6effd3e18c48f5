import { setTimeout as sleep } from 'node:timers/promises';
import type { Properties } from '../../local/plugins/properties';
import { ourHome } from './binaries';
import { COMMAND, type CommandSetup, alive, end, pidsIn, setUpCommand, waiting } from './command-setup';
import type { PluginProcess } from './plugin-process';

/**
 * What our plugin does beyond, or stricter than, what any plugin for @pulumi/command has to: the real one's very
 * messages and faults, which a program tried on ours then meets before it meets them on the real one.
 */

let setup: CommandSetup | undefined;
let plugin: PluginProcess;
let file: CommandSetup['file'];
let make: CommandSetup['make'];
let change: CommandSetup['change'];

beforeAll(async () => {
  setup = await setUpCommand(ourHome);
  ({ plugin, file, make, change } = setup);
});

afterAll(() => setup?.stop());

describe('a difference', () => {
  it.each<[string, Properties]>([
    ['create', { create: 'echo other' }],
    ['update', { update: 'echo other' }],
    ['environment', { environment: { A: '2' } }],
    ['addPreviousOutputInEnv', { addPreviousOutputInEnv: false }],
  ])('of %s shows there', async (key, changed) => {
    const news = { create: 'echo first', environment: { A: '1' } };
    const diff = await change(await make(news), { ...news, ...changed });
    expect(Object.keys(diff.details).every((path) => path.startsWith(key))).toBe(true);
  });

  it('of one entry of the environment shows as that entry', async () => {
    const made = await make({ create: 'true', environment: { A: '1', 'B.yml': 'x', C: '3' } });
    const diff = await change(made, { create: 'true', environment: { A: '1', 'B.yml': 'y' } });
    expect(diff.details).toEqual({ 'environment["B.yml"]': 'UPDATE', 'environment.C': 'DELETE' });
  });

  it('that there is none keeps the output in the preview', async () => {
    const made = await make({ create: 'echo created' });
    const same = await plugin.update(made, made.inputs, { preview: true });
    expect(same.state).toMatchObject({ stdout: 'created' });
  });
});

describe('a failure', () => {
  it.each<[Properties, RegExp]>([
    [{ create: 'true', dir: '/nowhere/at/all' }, /chdir .*nowhere\/at\/all: no such file/],
    [{ create: 'true', interpreter: ['/no/such/shell'] }, /fork\/exec \/no\/such\/shell: no such file/],
    [{ create: 'echo some; exit 3' }, /exit status 3: running "echo some; exit 3":\nsome\n/],
  ])('%j is told in the words of the real plugin', async (news, message) => {
    await expect(make(news)).rejects.toThrow(message);
  });

  it('is what large output makes of update and delete', async () => {
    const create =
      'i=0; while [ $i -lt 4000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done';
    const made = await make({ create, delete: 'true', logging: 'none' });
    await expect(plugin.update(made, made.inputs)).rejects.toThrow(/argument list too long/);
    await expect(plugin.delete(made)).rejects.toThrow(/argument list too long/);
  });

  it('is what a line of 64 KiB ends in, where the real plugin hangs', async () => {
    const attempt = make({ create: 'head -c 65536 /dev/zero | tr "\\0" x; echo; sleep 60' });
    await expect(attempt).rejects.toThrow(/longer than 65536 bytes.*hangs for good.*logging/);
  });
});

describe('a time-out', () => {
  it('kills the shell alone: what it started lives on', async () => {
    const pids = file();
    const attempt = make({ create: waiting(pids) }, { timeoutSeconds: 1 });
    await expect(attempt).rejects.toThrow(/signal: killed: running/);
    const [, started] = await pidsIn(pids);
    expect(alive(started ?? 0)).toBe(true);
    end(started);
  });

  it('waits for what holds the output open', async () => {
    const before = Date.now();
    const attempt = make({ create: 'sleep 3 & wait' }, { timeoutSeconds: 1 });
    await expect(attempt).rejects.toThrow(/signal: killed/);
    expect(Date.now() - before).toBeGreaterThan(2500);
  });
});

describe('a cancel', () => {
  it('kills the shell alone: what it started lives on', async () => {
    const cancelled = await setup?.start();
    const pids = file();
    const attempt = cancelled?.make(COMMAND, 'c', { create: waiting(pids) });
    const rejected = expect(attempt).rejects.toThrow(/signal: killed/);
    const [, started] = await pidsIn(pids);
    await cancelled?.cancel();
    await rejected;
    expect(alive(started ?? 0)).toBe(true);
    end(started);
    await expect(cancelled?.make(COMMAND, 'c', { create: 'true' })).rejects.toThrow(/cancel/);
  });
});

describe('an input that is not applied', () => {
  it('is refused by name', async () => {
    const news = { create: 'true', assetPaths: ['*'], archivePaths: ['*'] };
    const { failures } = await plugin.check(COMMAND, 'c', news);
    expect(failures.map(({ property }) => property).sort()).toEqual(['archivePaths', 'assetPaths']);
    for (const { property, reason } of failures) expect(reason).toContain(`does not apply "${property}"`);
  });

  it('is not among those of the wrong kind, which are named too', async () => {
    const { failures } = await plugin.check(COMMAND, 'c', { environment: { A: 1 } });
    expect(failures).toEqual([
      { property: 'environment', reason: expect.stringContaining('must be a map of strings') as string },
    ]);
  });
});

describe('the console', () => {
  it('gets the lines while the script runs', async () => {
    plugin.logged.length = 0;
    const making = make({ create: 'echo early; sleep 2' });
    for (const deadline = Date.now() + 1500; plugin.logged.length === 0 && Date.now() < deadline;)
      await sleep(50);
    expect(plugin.logged).toEqual(['early']);
    await making;
  });
});
