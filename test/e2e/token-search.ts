import * as fs from 'node:fs';
import * as path from 'node:path';
import type { Rig } from '../../local/rig';

/** Every form in which a planted token is looked for. */
export function formsOf(token: string): string[] {
  return [
    token,
    Buffer.from(token).toString('base64').replace(/=+$/, ''),
    Buffer.from(`\n${token}`).toString('base64').slice(4).replace(/=+$/, ''),
    encodeURIComponent(token),
    Buffer.from(token).toString('hex'),
  ];
}

/** Whether a text holds the token in any form. */
export function holds(text: string | Buffer, token: string): boolean {
  return formsOf(token).some((form) => text.includes(form));
}

/** Files below a folder, as relative paths, that hold the token in any form. */
export function filesHolding(folder: string, token: string): string[] {
  return fs
    .readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name))
    .filter((file) => holds(fs.readFileSync(file), token))
    .map((file) => path.relative(folder, file))
    .sort();
}

/** Files of a rig that hold the orchestrator's token although none may: states, histories, logs, and all of SkyPilot's. */
export function leaksIn({ paths, orchestratorToken }: Pick<Rig, 'paths' | 'orchestratorToken'>): string[] {
  return [paths.pulumi, paths.logs, paths.aws, paths.sky].flatMap((folder) =>
    filesHolding(folder, orchestratorToken).map((file) => path.join(path.basename(folder), file)),
  );
}

/** Watches the arguments of every process of the machine until it is stopped. */
export class ArgumentWatch {
  private readonly found = new Set<string>();
  private readonly timer: NodeJS.Timeout;

  constructor(token: () => string | undefined) {
    this.timer = setInterval(() => this.look(token()), 200);
  }

  /** Ends the watch and returns the command lines that held the token. */
  stop(): string[] {
    clearInterval(this.timer);
    return [...this.found];
  }

  private look(token: string | undefined): void {
    if (token === undefined) return;
    for (const pid of fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
      const line = commandLine(pid);
      if (holds(line, token)) this.found.add(line);
    }
  }
}

/** Command line of a process; empty for one that has just ended. */
function commandLine(pid: string): string {
  try {
    return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return '';
    throw error;
  }
}
