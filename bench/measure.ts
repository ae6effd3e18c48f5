import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** What a run of a command cost. */
export interface Cost {
  /** Seconds from its start to its end. */
  wall: number;
  /** Highest sum of the resident memory of all its processes at one time, in MiB. */
  memory: number;
  /** Seconds of CPU of all its processes, but for what they used after the last look at them. */
  cpu: number;
}

export interface MeasuredRun extends Cost {
  /** What it printed. */
  output: string;
}

export interface RunOptions {
  env: NodeJS.ProcessEnv;
  cwd: string;
}

/** Milliseconds between two looks at the memory. */
const interval = 50;
const pageBytes = 4096;

/** Clock ticks of a second, in which the kernel counts CPU. */
const ticksPerSecond = 100;

/** The session, the resident pages and the CPU ticks of a process, from its /proc/PID/stat. */
export function parseStat(stat: string): { session: number; pages: number; ticks: number } {
  // The command's name before the last bracket may hold spaces and brackets.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return {
    session: Number(fields[3]),
    pages: Number(fields[21]),
    ticks: Number(fields[11]) + Number(fields[12]),
  };
}

/** A process of the machine. */
interface Process {
  pid: number;
  session: number;
  pages: number;
  ticks: number;
}

/** The processes of the machine, without those that `isKnownForeign` leaves out. */
function processes(isKnownForeign: (pid: number) => boolean = () => false): Process[] {
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || isKnownForeign(pid)) return [];
    try {
      return [{ pid, ...parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8')) }];
    } catch {
      return []; // It has ended since the list was read.
    }
  });
}

/** The sessions of the commands that run. Pulumi's plugins leave its process group, but not its session. */
const running = new Set<number>();

/** Ends whatever still runs of the commands that were started here. */
export function endAll(): void {
  for (const { pid, session } of processes()) {
    if (!running.has(session)) continue;
    try {
      process.kill(pid, 'SIGKILL');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  }
}

/** Looks at the processes of a session again and again. */
function watch(session: number): { stop: () => Omit<Cost, 'wall'> } {
  const foreign = new Set<number>();
  const ticks = new Map<number, number>();
  let peak = 0;
  const timer = setInterval(() => {
    let pages = 0;
    for (const seen of processes((pid) => foreign.has(pid))) {
      if (seen.session !== session) {
        foreign.add(seen.pid);
        continue;
      }
      pages += seen.pages;
      ticks.set(seen.pid, seen.ticks);
    }
    peak = Math.max(peak, pages);
  }, interval);
  return {
    stop: () => {
      clearInterval(timer);
      const used = [...ticks.values()].reduce((sum, one) => sum + one, 0);
      return { memory: (peak * pageBytes) / 2 ** 20, cpu: used / ticksPerSecond };
    },
  };
}

/**
 * Runs a command to its end, in a session of its own.
 *
 * @throws Error with what it printed where its exit code is not 0.
 */
export function measure(argv: readonly string[], { env, cwd }: RunOptions): Promise<MeasuredRun> {
  const [file = '', ...args] = argv;
  const started = performance.now();
  const child = spawn(file, args, { cwd, env, detached: true, stdio: ['ignore', 'pipe', 'pipe'] });
  const { pid } = child;
  if (pid !== undefined) running.add(pid);
  const watched = watch(pid ?? -1);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => (output += text));
  }
  return new Promise((resolve, reject) => {
    child.on('error', (error) => {
      watched.stop();
      reject(error);
    });
    child.on('close', (code, signal) => {
      const cost = { wall: (performance.now() - started) / 1000, ...watched.stop() };
      if (pid !== undefined) running.delete(pid);
      if (code === 0) resolve({ ...cost, output });
      else reject(new Error(`${argv.join(' ')} ended with ${signal ?? String(code)}:\n${output}`));
    });
  });
}
