import { spawn } from 'node:child_process';

export interface CommandOptions {
  /** Replaces the inherited environment as a whole. */
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Written to the command's standard input, which is closed after it. */
  input?: string;
  /** Ends the command with SIGKILL when it takes longer. */
  timeoutMs?: number;
}

export interface CommandResult {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
}

/** A command that ended with another exit code than 0; the message carries the end of what it printed. */
export class CommandError extends Error {
  constructor(
    readonly argv: readonly string[],
    readonly result: CommandResult,
  ) {
    const ended = result.signal === null ? `exit code ${String(result.code)}` : result.signal;
    const said = `${result.stderr}\n${result.stdout}`.trim().split('\n').slice(-15).join('\n');
    super(`${argv.join(' ')}: ${ended}${said === '' ? '' : `\n${said}`}`);
    this.name = 'CommandError';
  }
}

/** Runs a command to its end, whatever its exit code. Rejects only where it cannot be started. */
export function tryRun(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [file, ...args] = argv;
  if (file === undefined) throw new Error('an empty command line');
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: options.env,
      stdio: ['pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // A command that ends without reading its input is no failure of ours.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.on('error', reject);
    child.on('close', (code, signal) => {
      resolve({ code, signal, stdout, stderr });
    });
  });
}

/** Runs a command and gives back what it printed on stdout; throws a CommandError where it fails. */
export async function run(argv: readonly string[], options: CommandOptions = {}): Promise<string> {
  const result = await tryRun(argv, options);
  if (result.code !== 0) throw new CommandError(argv, result);
  return result.stdout;
}
