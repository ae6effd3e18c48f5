/** A command plugin under test, and files for its scripts to write to. */
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Properties } from '../../local/plugins/properties';
import type { Home } from './binaries';
import { type Diff, PluginProcess, type Resource } from './plugin-process';

export const COMMAND = 'command:local:Command';

export interface CommandSetup {
  readonly plugin: PluginProcess;
  /** A directory of the test's own. */
  readonly dir: string;
  /** A file in it that is not there yet. */
  readonly file: () => string;
  readonly make: (
    news: Properties,
    options?: { preview?: boolean; timeoutSeconds?: number },
  ) => Promise<Resource>;
  /** What the plugin makes of other inputs. */
  readonly change: (resource: Resource, news: Properties) => Promise<Diff>;
  /** A plugin beside the first. */
  readonly start: (env?: Record<string, string>) => Promise<PluginProcess>;
  stop(): Promise<void>;
}

export async function setUpCommand(makeHome: () => Promise<Home>): Promise<CommandSetup> {
  const undo: (() => Promise<void>)[] = [];
  const stop = async (): Promise<void> => {
    for (const step of undo.reverse()) await step();
  };
  try {
    const home = await makeHome();
    undo.push(() => home.remove());
    const dir = await mkdtemp(path.join(tmpdir(), 'skyfleet-command-'));
    undo.push(() => rm(dir, { recursive: true, force: true }));
    const start = async (env: Record<string, string> = {}) => {
      const started = await PluginProcess.start(await home.binary('command'), {}, env);
      undo.push(() => started.stop());
      return started;
    };
    const plugin = await start({ INHERITED: 'from the process' });
    let files = 0;
    return {
      plugin,
      dir,
      file: () => path.join(dir, `file${++files}`),
      make: (news, options = {}) => plugin.make(COMMAND, 'c', news, options),
      change: async (resource, news) => {
        const { inputs } = await plugin.check(COMMAND, 'c', news, resource.inputs);
        return plugin.diff(resource, inputs);
      },
      start,
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

export function alive(pid: number): boolean {
  return existsSync(`/proc/${pid}/exe`);
}

/** The process ids that a script writes to a file, in one line. */
export async function pidsIn(file: string): Promise<number[]> {
  for (const deadline = Date.now() + 60_000; Date.now() < deadline;) {
    await sleep(20);
    const content = existsSync(file) ? await readFile(file, 'utf8') : '';
    if (content.endsWith('\n')) return content.trim().split(' ').map(Number);
  }
  throw new Error(`no script wrote its process ids to ${file} within 60 s`);
}

/** Writes its own process id and that of a process it started to a file, and waits for the latter. */
export const waiting = (file: string): string => `sleep 30 >/dev/null 2>&1 & echo $$ $! > ${file}; wait`;

/** Ends a process that may have ended by itself. */
export function end(pid: number | undefined): void {
  if (pid !== undefined && alive(pid)) process.kill(pid, 'SIGKILL');
}
