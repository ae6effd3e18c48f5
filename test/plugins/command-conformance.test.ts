import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Properties, UNKNOWN } from '../../local/plugins/properties';
import { homeUnderTest } from './binaries';
import { ROWS } from './command-rows';
import { COMMAND, type CommandSetup, alive, end, pidsIn, setUpCommand, waiting } from './command-setup';
import type { PluginProcess } from './plugin-process';

/**
 * What a program relies on of any plugin for @pulumi/command, as pulumi-command 1.2.1 was seen to do it. Where that has
 * a fault that a program must live with, the case takes the fault and what is better. What only our plugin does is in
 * `command-own.test.ts`; what shows with the engine around it in `command-cli-conformance.test.ts`.
 */

let setup: CommandSetup | undefined;
let plugin: PluginProcess;
let dir: string;
let file: CommandSetup['file'];
let make: CommandSetup['make'];
let change: CommandSetup['change'];
let start: CommandSetup['start'];

beforeAll(async () => {
  setup = await setUpCommand(homeUnderTest);
  ({ plugin, dir, file, make, change, start } = setup);
});

afterAll(() => setup?.stop());

describe(ROWS.script, () => {
  it('runs with /bin/sh, and its output is kept without the last newline', async () => {
    const made = await make({ create: 'echo "$0"; echo; echo oops >&2' });
    expect(made.state).toMatchObject({ stdout: '/bin/sh\n', stderr: 'oops' });
    expect(made.id).not.toBe('');
  });

  it('is not needed', async () => {
    expect((await make({ delete: 'true' })).state).toMatchObject({ stdout: '', stderr: '' });
  });

  it('takes interpreter, directory, environment and standard input', async () => {
    const interpreter = ['/bin/sh', '-e', '-c'];
    const create = 'pwd; echo "$GIVEN"; cat; echo $-';
    const made = await make({ create, interpreter, dir, environment: { GIVEN: 'a' }, stdin: 'typed\n' });
    expect(made.state['stdout']).toMatch(new RegExp(`^${dir}\\na\\ntyped\\n.*e`));
  });

  it('has nothing to read where no standard input is given', async () => {
    expect((await make({ create: 'cat; echo end' })).state['stdout']).toBe('end');
  });

  it('fails where the directory is missing', async () => {
    await expect(make({ create: 'true', dir: path.join(dir, 'missing') })).rejects.toThrow(/missing/);
  });
});

describe(ROWS.preview, () => {
  it('runs nothing for a creation', async () => {
    const touched = file();
    const planned = await make({ create: `touch ${touched}` }, { preview: true });
    expect(existsSync(touched)).toBe(false);
    expect(planned.state).toMatchObject({ stdout: UNKNOWN, stderr: UNKNOWN, create: `touch ${touched}` });
  });

  it('runs nothing for an update', async () => {
    const touched = file();
    const made = await make({ create: 'echo created' });
    const news = { ...made.inputs, update: `touch ${touched}` };
    const changed = await plugin.update(made, news, { preview: true });
    expect(existsSync(touched)).toBe(false);
    expect(changed.state).toMatchObject({ stdout: UNKNOWN, create: 'echo created' });
  });
});

describe(ROWS.triggers, () => {
  it('says so in the difference', async () => {
    const made = await make({ create: 'true', triggers: ['a', { b: 1 }] });
    const diff = await change(made, { create: 'true', triggers: ['a', { b: 2 }] });
    expect(diff).toMatchObject({ changes: true, replaces: ['triggers'], deleteBeforeReplace: false });
  });

  it('does so for a trigger that is not known yet', async () => {
    const made = await make({ create: 'true', triggers: ['a'] });
    const diff = await change(made, { create: 'true', triggers: [UNKNOWN] });
    expect(diff.replaces).toEqual(['triggers']);
  });
});

describe(ROWS.update, () => {
  it.each<[string, Properties]>([
    ['create', { create: 'echo other' }],
    ['update', { update: 'echo other' }],
    ['delete', { delete: 'echo other' }],
    ['environment', { environment: { A: '2' } }],
    ['stdin', { stdin: 'other' }],
    ['dir', { dir: '/' }],
    ['interpreter', { interpreter: ['/bin/sh', '-ec'] }],
    ['logging', { logging: 'none' }],
    ['addPreviousOutputInEnv', { addPreviousOutputInEnv: false }],
  ])('a change of %s', async (_, changed) => {
    const news = { create: 'echo first', delete: 'true', environment: { A: '1' } };
    const diff = await change(await make(news), { ...news, ...changed });
    expect(diff).toMatchObject({ changes: true, replaces: [] });
  });

  it('no change', async () => {
    const news = { create: 'echo first', delete: 'true', environment: { A: '1' }, triggers: [1] };
    expect(await change(await make(news), news)).toMatchObject({ changes: false });
  });

  it('runs update, else create', async () => {
    const made = await make({ create: 'echo created' });
    const updated = await plugin.update(made, { ...made.inputs, update: 'echo updated' });
    expect(updated.state['stdout']).toBe('updated');
    const again = await plugin.update(made, { ...made.inputs, create: 'echo again' });
    expect(again.state['stdout']).toBe('again');
  });
});

describe(ROWS.delete, () => {
  it('and fails where the script does', async () => {
    const seen = file();
    const made = await make({ delete: `echo "$WHO" > ${seen}`, environment: { WHO: 'stored' } });
    await plugin.delete(made);
    expect(await readFile(seen, 'utf8')).toBe('stored\n');

    const staying = await make({ delete: 'echo stays >&2; exit 1' });
    await expect(plugin.delete(staying)).rejects.toThrow(/exit status 1[^]*stays/);
  });
});

describe(ROWS.logging, () => {
  it.each([
    ['stdoutAndStderr', ['out', 'err']],
    ['stdout', ['out']],
    ['stderr', ['err']],
    ['none', []],
  ])('%s: %j', async (logging, lines) => {
    plugin.logged.length = 0;
    const made = await make({ create: 'echo out; echo err >&2', logging });
    // The plugin does not wait for the engine to take a line.
    await sleep(200);
    expect([...plugin.logged].sort()).toEqual([...lines].sort());
    expect(made.state).toMatchObject({ stdout: 'out', stderr: 'err' });
  });
});

describe(ROWS.failedCreate, () => {
  it('and the error has exit status and output', async () => {
    const attempt = make({ create: 'echo some output; echo more >&2; exit 3' });
    await expect(attempt).rejects.toThrow(/exit status 3[^]*(some output\nmore|more\nsome output)/);
    // What the engine records has an id.
    await expect(attempt).rejects.not.toHaveProperty('id');
  });
});

describe(ROWS.timeout, () => {
  it('and what the shell started may live on, as with the real plugin', async () => {
    const pids = file();
    await expect(make({ create: waiting(pids) }, { timeoutSeconds: 1 })).rejects.toThrow();
    const [shell, started] = await pidsIn(pids);
    expect(alive(shell ?? 0)).toBe(false);
    end(started);
  });
});

describe(ROWS.cancel, () => {
  it('and what the shell started may live on, as with the real plugin', async () => {
    const cancelled = await start();
    const pids = file();
    const rejected = expect(cancelled.make(COMMAND, 'c', { create: waiting(pids) })).rejects.toThrow();
    const [shell, started] = await pidsIn(pids);
    await cancelled.cancel();
    await rejected;
    expect(alive(shell ?? 0)).toBe(false);
    end(started);

    const touched = file();
    await expect(cancelled.make(COMMAND, 'c', { create: `touch ${touched}` })).rejects.toThrow();
    expect(existsSync(touched)).toBe(false);
  });
});

describe(ROWS.longLine, () => {
  const line = (length: number): string => `head -c ${length} /dev/zero | tr "\\0" x; echo`;

  it('it may fail, or hang as the real plugin does', async () => {
    const apart = await start();
    const outcome = apart.make(COMMAND, 'c', { create: line(64 * 1024) }).then(
      ({ state }) => JSON.stringify(state['stdout']).length - 2,
      () => 'refused',
    );
    const waited = new AbortController();
    const hung = sleep(10_000, 'hung', { signal: waited.signal });
    const seen = await Promise.race([outcome, hung]);
    waited.abort();
    await hung.catch(() => undefined);
    expect([64 * 1024, 'refused', 'hung']).toContain(seen);
    await apart.stop();
  });

  it('a shorter one harms nothing, nor one that is not shown', async () => {
    expect((await make({ create: line(64 * 1024 - 1) })).state['stdout']).toHaveLength(64 * 1024 - 1);
    expect((await make({ create: line(70_000), logging: 'none' })).state['stdout']).toHaveLength(70_000);
  });
});

describe(ROWS.previousOutput, () => {
  it('as PULUMI_COMMAND_STDOUT and PULUMI_COMMAND_STDERR', async () => {
    const seen = file();
    const show = `echo "$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR" | tee ${seen}`;
    const made = await make({ create: 'echo out; echo err >&2', update: show, delete: show });
    const updated = await plugin.update(made, made.inputs);
    expect(updated.state['stdout']).toBe('out/err');
    await plugin.delete(updated);
    expect(await readFile(seen, 'utf8')).toBe('out/err/\n');
  });

  it('and not with addPreviousOutputInEnv: false', async () => {
    const update = 'echo "[$PULUMI_COMMAND_STDOUT]"';
    const made = await make({ create: 'echo out', update, addPreviousOutputInEnv: false });
    expect((await plugin.update(made, made.inputs)).state['stdout']).toBe('[]');
  });
});

describe(ROWS.largeOutput, () => {
  const create =
    'i=0; while [ $i -lt 4000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done';

  it('for update and delete', async () => {
    const deleted = file();
    const made = await make({
      create,
      update: 'echo updated',
      delete: `touch ${deleted}`,
      addPreviousOutputInEnv: false,
    });
    expect(made.state['stdout']).toHaveLength(4000 * 41 - 1);
    expect((await plugin.update(made, made.inputs)).state['stdout']).toBe('updated');
    await plugin.delete(made);
    expect(existsSync(deleted)).toBe(true);
  });

  it('without it they may fail, as with the real plugin, and say why', async () => {
    const made = await make({ create, delete: 'true' });
    const outcome = await plugin.delete(made).then(
      () => 'deleted',
      (error: unknown) => (/argument list too long/.test(String(error)) ? 'refused' : error),
    );
    expect(['deleted', 'refused']).toContain(outcome);
  });
});

describe(ROWS.noRead, () => {
  it('whatever has become of what the script made', async () => {
    const touched = file();
    const made = await make({ create: `echo made > ${touched}; cat ${touched}` });
    await writeFile(touched, 'changed');
    const refreshed = await plugin.refresh(made);
    expect(refreshed?.state).toMatchObject({ stdout: 'made', create: made.inputs['create'] });
  });
});

describe(ROWS.environment, () => {
  it('by the script, and a plugin in another one sees no change', async () => {
    const made = await make({ create: 'echo $INHERITED' });
    expect(made.state['stdout']).toBe('from the process');
    const other = await start({ INHERITED: 'something else' });
    expect((await other.diff(made, made.inputs)).changes).toBe(false);
  });
});

describe(ROWS.run, () => {
  const run = (args: Properties) => plugin.invoke('command:local:run', args);

  it('each time', async () => {
    const counted = file();
    await writeFile(counted, '');
    const command = `echo x >> ${counted}; wc -l < ${counted}; echo "$A" >&2`;
    const args = { command, environment: { A: 'b' } };
    expect(await run(args)).toMatchObject({ stdout: '1', stderr: 'b' });
    expect(await run(args)).toMatchObject({ stdout: '2' });
  });

  it('and fails where the command does', async () => {
    await expect(run({ command: 'echo no >&2; exit 4' })).rejects.toThrow(/exit status 4[^]*no/);
  });
});

describe(ROWS.check, () => {
  it.each<[Properties]>([
    [{ create: { a: 'script' } }],
    [{ environment: ['A'] }],
    [{ interpreter: 'sh' }],
    [{ logging: 'loud' }],
  ])('%j', async (news) => {
    const { failures } = await plugin.check(COMMAND, 'c', news);
    expect(failures).toHaveLength(1);
  });

  it('nothing known yet', async () => {
    const news = { create: UNKNOWN, environment: { A: UNKNOWN }, triggers: [UNKNOWN] };
    expect((await plugin.check(COMMAND, 'c', news)).failures).toEqual([]);
  });
});
