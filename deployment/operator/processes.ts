import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';

/** A process that stays the same one: its number is given to another after a while, but not with this start. */
export interface ProcessId {
  pid: number;
  /** When it started, in the system's own words. */
  started: string;
}

/** What the system says of a process. */
export interface SeenProcess extends ProcessId {
  parent: number;
  /** Name of its program, without a folder; Linux cuts it at 15 letters. */
  name: string;
  /** Milliseconds since the epoch, to the second. */
  startedAt: number;
}

/** Clock ticks per second in /proc: the same on every Linux, whatever the kernel counts in. */
const ticksPerSecond = 100;

/**
 * Reads `/proc/PID/stat`. The name in it may hold spaces and brackets.
 *
 * @param boot id of the boot, since when the ticks of the start are counted.
 * @param bootedAt time of the boot, in seconds since the epoch.
 * @returns undefined for a process that has ended and waits to be noticed by its parent.
 */
export function parseProcStat(stat: string, boot: string, bootedAt: number): SeenProcess | undefined {
  const nameEnd = stat.lastIndexOf(')');
  const [state, parent, ...rest] = stat.slice(nameEnd + 2).split(' ');
  const ticks = rest[17] ?? '';
  if (state === 'Z' || state === 'X') return undefined;
  return {
    pid: Number.parseInt(stat, 10),
    started: `${boot}:${ticks}`,
    parent: Number(parent),
    name: stat.slice(stat.indexOf('(') + 1, nameEnd),
    startedAt: (bootedAt + Math.floor(Number(ticks) / ticksPerSecond)) * 1000,
  };
}

/** Reads a line of `ps -o pid=,ppid=,state=,lstart=,comm=`; undefined for a process that has ended. */
export function parsePsLine(line: string): SeenProcess | undefined {
  const fields = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\w{3}\s+\w{3}\s+\d+\s+[\d:]+\s+\d{4})\s+(.+?)\s*$/.exec(line);
  if (fields === null) return undefined;
  const [, pid = '', parent = '', state = '', started = '', command = ''] = fields;
  if (state.startsWith('Z')) return undefined;
  return {
    pid: Number(pid),
    started,
    parent: Number(parent),
    name: command.slice(command.lastIndexOf('/') + 1),
    startedAt: Date.parse(started),
  };
}

function seenInProc(pid: number): SeenProcess | undefined {
  let stat: string;
  try {
    stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    return undefined; // It has ended.
  }
  const boot = fs.readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  const bootedAt = Number(/^btime (\d+)$/m.exec(fs.readFileSync('/proc/stat', 'utf8'))?.[1]);
  return parseProcStat(stat, boot, bootedAt);
}

function seenByPs(pid: number): SeenProcess | undefined {
  const format = 'pid=,ppid=,state=,lstart=,comm=';
  try {
    const env = { ...process.env, LC_ALL: 'C' };
    return parsePsLine(execFileSync('ps', ['-o', format, '-p', String(pid)], { env, encoding: 'utf8' }));
  } catch (error) {
    // ps ends with 1 where there is no such process; that it is not there itself is another matter.
    if ((error as { status?: number | null }).status === 1) return undefined;
    throw error;
  }
}

/** A process that runs; undefined where it has ended. */
export function seeProcess(pid: number): SeenProcess | undefined {
  return process.platform === 'linux' ? seenInProc(pid) : seenByPs(pid);
}

/** Whether just this process still runs. */
export function isAlive({ pid, started }: ProcessId): boolean {
  return seeProcess(pid)?.started === started;
}

/** Name of the Pulumi CLI's program. */
const pulumiName = 'pulumi';

/**
 * The processes that a command of the stack runs for, from its parent up to the Pulumi CLI; where there is no Pulumi
 * among its ancestors, its parent alone. Pulumi's plugins may outlive a CLI that is killed by minutes, so the parent
 * does not tell everything.
 *
 * @param see looks at a process.
 */
export function employersOf(
  parent: number,
  see: (pid: number) => SeenProcess | undefined = seeProcess,
): SeenProcess[] {
  const employers: SeenProcess[] = [];
  for (let pid = parent; pid > 1;) {
    const seen = see(pid);
    if (seen === undefined) break;
    employers.push(seen);
    if (seen.name === pulumiName) return employers;
    pid = seen.parent;
  }
  return employers.slice(0, 1);
}

/** A process and the command line that started it. */
export interface ListedProcess extends SeenProcess {
  command: string;
}

/** The processes of this machine, as far as their command lines can be seen. */
export function listProcesses(): ListedProcess[] {
  if (process.platform === 'linux') {
    return fs.readdirSync('/proc').flatMap((entry) => {
      const seen = /^\d+$/.test(entry) ? seeProcess(Number(entry)) : undefined;
      if (seen === undefined) return [];
      try {
        const command = fs.readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').join(' ').trim();
        return [{ ...seen, command }];
      } catch {
        return []; // It has ended.
      }
    });
  }
  const listed = execFileSync('ps', ['-A', '-o', 'pid=,args='], { encoding: 'utf8', maxBuffer: 2 ** 26 });
  return listed.split('\n').flatMap((line) => {
    const [, pid, command = ''] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? [];
    const seen = pid === undefined ? undefined : seeProcess(Number(pid));
    return seen === undefined ? [] : [{ ...seen, command }];
  });
}

/**
 * Pulumi's plugins whose Pulumi has ended. They notice that after minutes, and go on with what they were asked to do until
 * then, although there is nobody to tell what came of it.
 *
 * @param plugins the folder of Pulumi's plugins.
 */
export function orphanedPlugins(processes: readonly ListedProcess[], plugins: string): ListedProcess[] {
  const pulumis = new Set(processes.filter(({ name }) => name === pulumiName).map(({ pid }) => pid));
  return processes.filter(
    ({ command, parent }) =>
      command.split(' ').some((word) => word.startsWith(`${plugins}/`)) && !pulumis.has(parent),
  );
}
