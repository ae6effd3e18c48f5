/** Runs one command the way pulumi-command does, faults that a program must live with included. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

export type Logging = 'stdout' | 'stderr' | 'stdoutAndStderr' | 'none';

export interface Command {
  readonly script: string;
  readonly interpreter?: readonly string[];
  readonly dir?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly logging?: Logging;
}

export interface Output {
  readonly stdout: string;
  readonly stderr: string;
}

/** The real plugin's line scanner holds this much, newline included. */
const LONGEST_LINE = 64 * 1024;

export class CommandError extends Error {
  constructor(why: string, script: string, output: string) {
    super(`${why}: running ${JSON.stringify(script)}:\n${output}`);
    this.name = 'CommandError';
  }
}

/** `previous` is the output of the last run, for the environment of this one. */
export function run(
  command: Command,
  previous: Partial<Output>,
  log: (line: string) => void,
  signal: AbortSignal,
): Promise<Output> {
  const { script, logging = 'stdoutAndStderr' } = command;
  const [program = '/bin/sh', ...args] = command.interpreter?.length
    ? command.interpreter
    : ['/bin/sh', '-c'];
  return new Promise((resolve, reject) => {
    const fail = (why: string, output = ''): void => reject(new CommandError(why, script, output));
    if (signal.aborted) {
      fail('context canceled');
      return;
    }
    const started = startProcess(program, [...args, script], command, previous);
    if (started instanceof Error) {
      fail(startFailure(program, command.dir, started));
      return;
    }
    const { child } = started;
    // Like the real plugin this ends the shell alone: what the shell started lives on, and while it holds the
    // output open, this waits for it.
    const kill = (): void => void child.kill('SIGKILL');
    signal.addEventListener('abort', kill, { once: true });

    const chunks = { stdout: [] as Buffer[], stderr: [] as Buffer[], both: [] as Buffer[] };
    let tooLong = false;
    const lines = new LineSplitter(log, () => {
      tooLong = true;
      kill();
      child.stdout?.destroy();
      child.stderr?.destroy();
    });
    for (const stream of ['stdout', 'stderr'] as const) {
      const logged = logging === 'stdoutAndStderr' || logging === stream;
      child[stream]?.on('data', (chunk: Buffer) => {
        chunks[stream].push(chunk);
        chunks.both.push(chunk);
        if (logged) lines.push(chunk);
      });
    }
    child.on('error', (error) => {
      signal.removeEventListener('abort', kill);
      fail(startFailure(program, command.dir, error));
    });
    child.on('close', (code, killedBy) => {
      signal.removeEventListener('abort', kill);
      lines.end();
      const text = (parts: readonly Buffer[]): string => Buffer.concat(parts).toString('utf8');
      if (tooLong) {
        fail(
          `a line of output is longer than ${LONGEST_LINE} bytes, at which @pulumi/command 1.2.1 hangs for good; ` +
            `write long output to a file, or set logging to "none"`,
        );
      } else if (killedBy !== null) fail(`signal: ${SIGNALS[killedBy] ?? killedBy}`, text(chunks.both));
      else if (code !== 0) fail(`exit status ${String(code)}`, text(chunks.both));
      else
        resolve({ stdout: withoutNewline(text(chunks.stdout)), stderr: withoutNewline(text(chunks.stderr)) });
    });
    if (command.stdin) {
      // A command need not read what it is given.
      child.stdin?.on('error', () => undefined);
      child.stdin?.end(command.stdin);
    }
  });
}

function startProcess(program: string, args: string[], command: Command, previous: Partial<Output>) {
  try {
    const child = spawn(program, args, {
      cwd: command.dir,
      env: {
        ...process.env,
        ...command.environment,
        ...(previous.stdout ? { PULUMI_COMMAND_STDOUT: previous.stdout } : {}),
        ...(previous.stderr ? { PULUMI_COMMAND_STDERR: previous.stderr } : {}),
      },
      stdio: [command.stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    return { child };
  } catch (error) {
    // spawn throws some errors (E2BIG among them) and emits others.
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Go's words for the signals that end a command. */
const SIGNALS: Partial<Record<NodeJS.Signals, string>> = {
  SIGHUP: 'hangup',
  SIGINT: 'interrupt',
  SIGKILL: 'killed',
  SIGTERM: 'terminated',
};

const START_FAILURES: Record<string, string> = {
  E2BIG: 'argument list too long',
  EACCES: 'permission denied',
  ENOENT: 'no such file or directory',
};

function startFailure(program: string, dir: string | undefined, error: NodeJS.ErrnoException): string {
  if (dir !== undefined && !existsSync(dir)) return `chdir ${dir}: no such file or directory`;
  return `fork/exec ${program}: ${START_FAILURES[error.code ?? ''] ?? error.message}`;
}

function withoutNewline(text: string): string {
  return text.endsWith('\n') ? text.slice(0, -1) : text;
}

/** Both streams go to the console line by line, in the order in which they arrive. */
class LineSplitter {
  private rest = Buffer.alloc(0);

  constructor(
    private readonly emit: (line: string) => void,
    private readonly onTooLong: () => void,
  ) {}

  push(chunk: Buffer): void {
    let data = Buffer.concat([this.rest, chunk]);
    for (let end = data.indexOf('\n'); end >= 0; end = data.indexOf('\n')) {
      if (end >= LONGEST_LINE) break;
      this.emit(data.subarray(0, end).toString('utf8').replace(/\r$/, ''));
      data = data.subarray(end + 1);
    }
    this.rest = data;
    if (data.length >= LONGEST_LINE) this.onTooLong();
  }

  end(): void {
    if (this.rest.length > 0) this.emit(this.rest.toString('utf8'));
  }
}
