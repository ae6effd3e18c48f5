import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { unescapeMount } from '../mounts';

/** A process that stays the same one: the kernel gives a pid to somebody else after a while, but not with this start. */
export interface ProcessId {
  pid: number;
  /** In clock ticks since the boot. */
  startTime: number;
  bootId: string;
}

const bootId = () => readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();

/** The state letter and the start time from /proc/PID/stat; the command's name in it may hold spaces and brackets. */
export function parseStat(stat: string): { state: string; startTime: number } {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return { state: fields[0] ?? '', startTime: Number(fields[19]) };
}

function readStat(pid: number): { state: string; startTime: number } | undefined {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return undefined; // It has ended.
  }
}

/** Identifies a process that runs now; undefined where it has ended. */
export function identify(pid: number): ProcessId | undefined {
  const stat = readStat(pid);
  return stat === undefined ? undefined : { pid, startTime: stat.startTime, bootId: bootId() };
}

/** Whether just this process still runs. One that has ended and waits to be noticed by its parent does not. */
export function isAlive(process: ProcessId): boolean {
  const stat = readStat(process.pid);
  return stat?.startTime === process.startTime && stat.state !== 'Z' && process.bootId === bootId();
}

/** Sends a signal to the process, or to its whole group where it leads one; does nothing where it has ended. */
export function send(target: ProcessId, signal: NodeJS.Signals, scope: 'process' | 'group'): void {
  if (!isAlive(target)) return;
  try {
    process.kill(scope === 'group' ? -target.pid : target.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Waits until none of the processes runs any more; false where some still do when the time is over. */
export async function allEnded(processes: readonly ProcessId[], timeoutMs: number): Promise<boolean> {
  const deadline = Date.now() + timeoutMs;
  while (processes.some(isAlive)) {
    if (Date.now() > deadline) return false;
    await sleep(100);
  }
  return true;
}

/** This process and those that it is a child of: never ended by the rig, also where they run inside its namespace. */
function ownLineage(): Set<number> {
  const lineage = new Set<number>();
  let pid = process.pid;
  while (pid > 0 && !lineage.has(pid)) {
    lineage.add(pid);
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    pid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
  }
  return lineage;
}

function readOr(file: string, otherwise: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return otherwise; // It has ended, or is a kernel thread.
  }
}

const commandLine = (pid: number) => readOr(`/proc/${pid}/cmdline`, '').split('\0').join(' ').trim();

export interface RigProcess extends ProcessId {
  command: string;
  /** The mark that the rig put into the environment of a service, which its children inherit. */
  service: string | undefined;
}

/** The environment variable with that mark. */
export const SERVICE_MARK = 'SKYFLEET_RIG_SERVICE';

function networkNamespace(file: string): string | undefined {
  try {
    return `net:[${statSync(file).ino}]`;
  } catch {
    return undefined;
  }
}

/** Whether a mount table's root is an overlay whose writable layer is below the folder: a container of that storage. */
export function rootIsBelow(mountinfo: string, folder: string): boolean {
  return mountinfo.split('\n').some((line) => {
    const [mount = '', filesystem = ''] = line.split(' - ');
    const superOptions = filesystem.split(' ')[2] ?? '';
    return (
      mount.split(' ')[4] === '/' &&
      superOptions.split(',').some((option) => unescapeMount(option).startsWith(`upperdir=${folder}/`))
    );
  });
}

/**
 * The processes of a rig: those in its network namespace, and those that run in a container of its storage. No name
 * is asked for, and a namespace or a folder has one owner, so that nothing else is ever among them.
 */
export function processesOf(namespaceFile: string, graphRoot: string): RigProcess[] {
  const namespace = networkNamespace(namespaceFile);
  const skipped = ownLineage();
  const found: RigProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || skipped.has(pid)) continue;
    let inNamespace = false;
    try {
      inNamespace = namespace !== undefined && readlinkSync(`/proc/${pid}/ns/net`) === namespace;
    } catch {
      continue; // It has ended.
    }
    if (!inNamespace && !rootIsBelow(readOr(`/proc/${pid}/mountinfo`, ''), graphRoot)) continue;
    const id = identify(pid);
    if (id === undefined || !isAlive(id)) continue;
    const mark = readOr(`/proc/${pid}/environ`, '')
      .split('\0')
      .find((variable) => variable.startsWith(`${SERVICE_MARK}=`));
    found.push({ ...id, command: commandLine(pid), service: mark?.slice(SERVICE_MARK.length + 1) });
  }
  return found;
}
