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
  /** Its home folder, which is a folder of the rig for all that the rig starts outside of its instances. */
  home: string | undefined;
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

/** What the kernel says of a process. */
export interface SeenProcess {
  /** Its network namespace, as `/proc/<pid>/ns/net` names it. */
  namespace: string;
  /** The value of a variable of its environment. */
  valueOf: (name: string) => string | undefined;
  /** Whether it runs in a container whose storage is at or below a folder. */
  isContainedIn: (folder: string) => boolean;
}

/** The processes of the machine that `isWanted` accepts, without this one and those that it is a child of. */
export function processesWhere(isWanted: (seen: SeenProcess) => boolean): RigProcess[] {
  const skipped = ownLineage();
  const found: RigProcess[] = [];
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || skipped.has(pid)) continue;
    let namespace: string;
    try {
      namespace = readlinkSync(`/proc/${pid}/ns/net`);
    } catch {
      continue; // It has ended.
    }
    const environment = readOr(`/proc/${pid}/environ`, '').split('\0');
    const valueOf = (name: string) =>
      environment.find((variable) => variable.startsWith(`${name}=`))?.slice(name.length + 1);
    const isContainedIn = (folder: string) => rootIsBelow(readOr(`/proc/${pid}/mountinfo`, ''), folder);
    const id = isWanted({ namespace, valueOf, isContainedIn }) ? identify(pid) : undefined;
    if (id === undefined || !isAlive(id)) continue;
    found.push({ ...id, command: commandLine(pid), service: valueOf(SERVICE_MARK), home: valueOf('HOME') });
  }
  return found;
}

/** Where the processes of a rig are known by. */
export interface ProcessPlaces {
  /** The file of its network namespace. */
  namespaceFile: string;
  /** The storage of its containers. */
  graphRoot: string;
  /** The folder that holds the home folders of its programs. */
  state: string;
}

/**
 * The processes of a rig: those in its network namespace, those that run in a container of its storage, and those whose
 * home folder is the rig's. Nothing that the rig noted is asked for, and no name: a namespace and a folder have one
 * owner, so that nothing else is ever among them.
 */
export function processesOf({ namespaceFile, graphRoot, state }: ProcessPlaces): RigProcess[] {
  const own = networkNamespace(namespaceFile);
  return processesWhere(
    ({ namespace, valueOf, isContainedIn }) =>
      namespace === own || valueOf('HOME')?.startsWith(`${state}/`) === true || isContainedIn(graphRoot),
  );
}

/** Ends processes at once, and those that come to exist meanwhile. */
export async function endAll(find: () => RigProcess[]): Promise<void> {
  for (let round = 0; round < 20; round++) {
    const found = find();
    if (found.length === 0) return;
    for (const process of found) send(process, 'SIGKILL', 'process');
    await allEnded(found, 1000);
  }
}
