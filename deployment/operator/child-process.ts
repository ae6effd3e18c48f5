import { spawn } from 'node:child_process';

/** Programs that this one has started, each at the head of a process group of its own. */
const groups = new Set<number>();

function endGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Ends every program that this one has started, with all that those have started. */
export function endChildren(): void {
  groups.forEach(endGroup);
}

/** How a program ended. */
export interface ChildResult {
  code: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs a program in a process group of its own, to its end.
 *
 * @param options.minutes after which the whole group is ended.
 * @param options.setting the configuration that says how many.
 * @param options.input what it reads on standard input; nothing where absent.
 * @throws Error where it cannot be started, was ended by a signal, or took longer.
 */
export function runChild(
  argv: readonly [string, ...string[]],
  { minutes, setting, input = '' }: { minutes: number; setting?: string; input?: string },
): Promise<ChildResult> {
  const [file, ...args] = argv;
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, { detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
    const { pid } = child;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      if (pid !== undefined) endGroup(pid);
    }, minutes * 60_000);
    if (pid !== undefined) groups.add(pid);
    let [stdout, stderr] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    // A program that ends without reading its input says why itself.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    child.on('error', (error: NodeJS.ErrnoException) => {
      clearTimeout(timer);
      reject(new Error(error.code === 'ENOENT' ? `${file} is not on the PATH; install it` : error.message));
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      if (pid !== undefined) groups.delete(pid);
      const line = [file, ...args].join(' ').slice(0, 300);
      const limit = `${minutes} minutes${setting === undefined ? '' : ` (${setting})`}`;
      if (late) reject(new Error(`${line} took longer than ${limit}`));
      else if (code === null) reject(new Error(`${line} was ended by ${signal ?? 'a signal'}`));
      else resolve({ code, stdout, stderr });
    });
  });
}
