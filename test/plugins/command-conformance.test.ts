import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pluginBinary } from '../../local/plugins/install';
import { type Properties, UNKNOWN } from '../../local/plugins/properties';
import { isOurs, pulumiHome } from './binaries';
import { PluginProcess, type Resource } from './plugin-process';

/** What pulumi-command 1.2.1 was seen to do, as the contract between it and the program. */

jest.setTimeout(60_000);

const TYPE = 'command:local:Command';
let home: Awaited<ReturnType<typeof pulumiHome>>;
let plugin: PluginProcess;
let dir: string;
const undo: (() => Promise<void>)[] = [];

const start = async (env: Record<string, string> = {}) =>
  PluginProcess.start(await pluginBinary('command', home.home), {}, env);

beforeAll(async () => {
  home = await pulumiHome();
  undo.push(() => home.remove());
  dir = await mkdtemp(path.join(tmpdir(), 'skyfleet-command-'));
  undo.push(() => rm(dir, { recursive: true, force: true }));
  plugin = await start({ INHERITED: 'from the process' });
  undo.push(() => plugin.stop());
});

afterAll(async () => {
  for (const step of undo.reverse()) await step();
});

let files = 0;
const file = (): string => path.join(dir, `file${++files}`);
const make = (news: Properties, options = {}): Promise<Resource> => plugin.make(TYPE, 'c', news, options);
const change = async (resource: Resource, news: Properties) => {
  const { inputs } = await plugin.check(TYPE, 'c', news, resource.inputs);
  return { inputs, diff: await plugin.diff(resource, inputs) };
};
const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};
const pidIn = async (name: string): Promise<number> => {
  for (;;) {
    const content = existsSync(name) ? await readFile(name, 'utf8') : '';
    if (content.endsWith('\n')) return Number(content);
    await sleep(20);
  }
};

describe('create', () => {
  it('runs the script with /bin/sh and keeps its output without the last newline', async () => {
    const made = await make({ create: 'echo "$0"; echo; echo oops >&2' });
    expect(made.state).toMatchObject({ stdout: '/bin/sh\n', stderr: 'oops' });
    expect(made.id).toMatch(/^c[0-9a-f]+$/);
  });

  it('does nothing without a script', async () => {
    expect((await make({ delete: 'true' })).state).toMatchObject({ stdout: '', stderr: '' });
  });

  it('takes interpreter, directory, environment and standard input', async () => {
    const interpreter = ['/bin/sh', '-e', '-c'];
    const create = 'pwd; echo "$GIVEN $INHERITED"; cat; echo $-';
    const made = await make({ create, interpreter, dir, environment: { GIVEN: 'a' }, stdin: 'typed\n' });
    expect(made.state['stdout']).toMatch(new RegExp(`^${dir}\\na from the process\\ntyped\\n.*e`));
  });

  it('has nothing to read where no standard input is given', async () => {
    expect((await make({ create: 'cat; echo end' })).state['stdout']).toBe('end');
  });

  it('fails where the directory is missing', async () => {
    await expect(make({ create: 'true', dir: path.join(dir, 'missing') })).rejects.toThrow(
      /chdir .*missing: no such file/,
    );
  });

  it('fails with exit status and output where the script does, and is not recorded', async () => {
    const attempt = make({ create: 'echo some output; echo more >&2; exit 3' });
    await expect(attempt).rejects.toThrow(
      /exit status 3: running .*:\n(some output\nmore|more\nsome output)\n/,
    );
    await expect(attempt).rejects.not.toHaveProperty('id');
  });

  it('runs nothing in a preview, and knows no output', async () => {
    const touched = file();
    const planned = await make({ create: `touch ${touched}` }, { preview: true });
    expect(existsSync(touched)).toBe(false);
    expect(planned.state).toMatchObject({ stdout: UNKNOWN, stderr: UNKNOWN, create: `touch ${touched}` });
  });
});

describe('a change', () => {
  it('of triggers replaces, creating before deleting', async () => {
    const made = await make({ create: 'true', triggers: ['a', { b: 1 }] });
    const { diff } = await change(made, { create: 'true', triggers: ['a', { b: 2 }] });
    expect(diff).toMatchObject({ changes: true, replaces: ['triggers'], deleteBeforeReplace: false });
    expect(Object.values(diff.details)).toEqual([expect.stringMatching(/_REPLACE$/)]);
  });

  it('of triggers to something unknown replaces too', async () => {
    const made = await make({ create: 'true', triggers: ['a'] });
    const { diff } = await change(made, { create: 'true', triggers: [UNKNOWN] });
    expect(diff.replaces).toEqual(['triggers']);
  });

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
  ])('of %s updates', async (key, changed) => {
    const news = { create: 'echo first', delete: 'true', environment: { A: '1' } };
    const { diff } = await change(await make(news), { ...news, ...changed });
    expect(diff).toMatchObject({ changes: true, replaces: [] });
    expect(Object.keys(diff.details).every((changedPath) => changedPath.startsWith(key))).toBe(true);
  });

  it('of one entry of the environment shows as that entry', async () => {
    const made = await make({ create: 'true', environment: { A: '1', 'B.yml': 'x', C: '3' } });
    const { diff } = await change(made, { create: 'true', environment: { A: '1', 'B.yml': 'y' } });
    expect(diff.details).toEqual({ 'environment["B.yml"]': 'UPDATE', 'environment.C': 'DELETE' });
  });

  it('of the environment that the plugin inherits is none', async () => {
    const made = await make({ create: 'echo $INHERITED' });
    const other = await start({ INHERITED: 'something else' });
    expect((await other.diff(made, made.inputs)).changes).toBe(false);
    await other.stop();
  });

  it('runs update, else create', async () => {
    const made = await make({ create: 'echo created' });
    expect((await plugin.update(made, { ...made.inputs, update: 'echo updated' })).state['stdout']).toBe(
      'updated',
    );
    expect((await plugin.update(made, { ...made.inputs, create: 'echo again' })).state['stdout']).toBe(
      'again',
    );
  });

  it('makes the output unknown in the preview, and only then', async () => {
    const made = await make({ create: 'echo created' });
    const changed = await plugin.update(made, { ...made.inputs, delete: 'true' }, { preview: true });
    expect(changed.state).toMatchObject({ stdout: UNKNOWN, create: 'echo created' });
    const same = await plugin.update(made, made.inputs, { preview: true });
    expect(same.state).toMatchObject({ stdout: 'created' });
  });
});

describe('the output of the last run', () => {
  it('is in the environment of update and delete', async () => {
    const seen = file();
    const show = `echo "$PULUMI_COMMAND_STDOUT/$PULUMI_COMMAND_STDERR" | tee ${seen}`;
    const made = await make({ create: 'echo out; echo err >&2', update: show, delete: show });
    const updated = await plugin.update(made, made.inputs);
    expect(updated.state['stdout']).toBe('out/err');
    await plugin.delete(updated);
    expect(await readFile(seen, 'utf8')).toBe('out/err/\n');
  });

  it('is not there with addPreviousOutputInEnv: false', async () => {
    const news = {
      create: 'echo out',
      update: 'echo "[$PULUMI_COMMAND_STDOUT]"',
      addPreviousOutputInEnv: false,
    };
    const made = await make(news);
    expect((await plugin.update(made, made.inputs)).state['stdout']).toBe('[]');
  });

  it('breaks update and delete where it is big', async () => {
    const big =
      'i=0; while [ $i -lt 4000 ]; do echo 0123456789012345678901234567890123456789; i=$((i+1)); done';
    const made = await make({ create: big, delete: 'true', logging: 'none' });
    await expect(plugin.update(made, made.inputs)).rejects.toThrow(/argument list too long/);
    await expect(plugin.delete(made)).rejects.toThrow(/argument list too long/);
    const careful = { ...made.inputs, create: 'true', addPreviousOutputInEnv: false };
    await plugin.update(made, careful);
  });
});

describe('delete', () => {
  it('runs the stored script in the stored environment', async () => {
    const seen = file();
    const made = await make({ delete: `echo "$WHO" > ${seen}`, environment: { WHO: 'stored' } });
    await plugin.delete(made);
    expect(await readFile(seen, 'utf8')).toBe('stored\n');
  });

  it('fails where the script does', async () => {
    const made = await make({ delete: 'echo stays >&2; exit 1' });
    await expect(plugin.delete(made)).rejects.toThrow(/exit status 1: running .*\nstays/);
  });
});

describe('a refresh', () => {
  it('sees no drift, because there is nothing that it looks at', async () => {
    const made = await make({ create: 'echo state' });
    const refreshed = await plugin.refresh(made);
    expect(refreshed?.state).toEqual(made.state);
  });
});

describe('the console', () => {
  it.each([
    ['stdoutAndStderr', ['out', 'err']],
    ['stdout', ['out']],
    ['stderr', ['err']],
    ['none', []],
  ])('shows with logging %s %j', async (logging, lines) => {
    plugin.logged.length = 0;
    const made = await make({ create: 'echo out; echo err >&2', logging });
    // The plugin does not wait for the engine to take a line.
    await sleep(200);
    expect([...plugin.logged].sort()).toEqual([...lines].sort());
    expect(made.state).toMatchObject({ stdout: 'out', stderr: 'err' });
  });

  it('does not break on a long line that it does not show', async () => {
    const made = await make({ create: 'head -c 70000 /dev/zero | tr "\\0" x', logging: 'none' });
    expect(made.state['stdout']).toHaveLength(70_000);
  });

  // The real plugin hangs; a test of that would too.
  (isOurs('command') ? it : it.skip)('breaks on a line of 64 KiB, where the real plugin hangs', async () => {
    const attempt = make({ create: 'head -c 65536 /dev/zero | tr "\\0" x; echo; sleep 60' });
    await expect(attempt).rejects.toThrow(/longer than 65536 bytes.*hangs for good.*logging/);
    await make({ create: 'head -c 65535 /dev/zero | tr "\\0" x; echo' });
  });
});

describe('a time-out', () => {
  it('kills the shell alone: what it started lives on', async () => {
    const pidFile = file();
    const create = `sleep 30 >/dev/null 2>&1 & echo $! > ${pidFile}; wait`;
    await expect(make({ create }, { timeoutSeconds: 1 })).rejects.toThrow(/signal: killed: running/);
    const pid = await pidIn(pidFile);
    expect(alive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  it('waits for what holds the output open', async () => {
    const before = Date.now();
    const attempt = make({ create: 'sleep 3 & wait' }, { timeoutSeconds: 1 });
    await expect(attempt).rejects.toThrow(/signal: killed/);
    expect(Date.now() - before).toBeGreaterThan(2500);
  });
});

describe('cancel', () => {
  it('kills the shell alone, and lets nothing start any more', async () => {
    const cancelled = await start();
    const pidFile = file();
    const create = `sleep 30 >/dev/null 2>&1 & echo $! > ${pidFile}; wait`;
    const attempt = cancelled.make(TYPE, 'c', { create });
    const rejected = expect(attempt).rejects.toThrow(/signal: killed/);
    const pid = await pidIn(pidFile);
    await cancelled.cancel();
    await rejected;
    expect(alive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await expect(cancelled.make(TYPE, 'c', { create: 'true' })).rejects.toThrow(/cancel/);
    await cancelled.stop();
  });
});

describe('local.run', () => {
  const run = (args: Properties) => plugin.invoke('command:local:run', args);

  it('runs at once, each time', async () => {
    const counted = file();
    await writeFile(counted, '');
    const args = {
      command: `echo x >> ${counted}; wc -l < ${counted}; echo "$A" >&2`,
      environment: { A: 'b' },
    };
    expect(await run(args)).toMatchObject({ stdout: '1', stderr: 'b', ...args });
    expect(await run(args)).toMatchObject({ stdout: '2' });
  });

  it('fails where the command does', async () => {
    await expect(run({ command: 'echo no >&2; exit 4' })).rejects.toThrow(/exit status 4: running .*\nno/);
  });
});

describe('check', () => {
  const failures = async (news: Properties) => (await plugin.check(TYPE, 'c', news)).failures;

  it.each<[Properties, string]>([
    [{ create: 3 }, 'create'],
    [{ environment: { A: 1 } }, 'environment'],
    [{ interpreter: 'sh' }, 'interpreter'],
  ])('refuses %j', async (news, property) => {
    expect(await failures(news)).toEqual([
      { property: expect.stringContaining(property) as string, reason: expect.any(String) as string },
    ]);
  });

  it('takes what is not known yet', async () => {
    expect(await failures({ create: UNKNOWN, environment: { A: UNKNOWN }, triggers: [UNKNOWN] })).toEqual([]);
  });

  (isOurs('command') ? it : it.skip)(
    'refuses assets and archives, which this stand-in does not make',
    async () => {
      expect(await failures({ create: 'true', assetPaths: ['*'], archivePaths: ['*'] })).toEqual([
        {
          property: 'archivePaths',
          reason: expect.stringContaining('does not apply "archivePaths"') as string,
        },
        {
          property: 'assetPaths',
          reason: expect.stringContaining('does not apply "assetPaths"') as string,
        },
      ]);
    },
  );
});
