import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { isAlive, seeProcess, type ProcessId } from '../../../deployment/operator/processes';
import { listRunning, recordRunning, runningFolder } from '../../../deployment/operator/running';

let folder: string;
let running: string;
beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-life-'));
  running = runningFolder({ XDG_STATE_HOME: folder });
});
afterEach(() => fs.rmSync(folder, { recursive: true }));

const operator = path.join(__dirname, '../../../deployment/operator');

/** A command whose program starts another, which starts a third; each prints its number, and none ends by itself. */
const program = (minutes: number): string => `
import { liveAsCommand } from '${operator}/command-life';
import { runChild } from '${operator}/child-process';
liveAsCommand({ command: 'wait', stack: 'o/p/s', place: 'sensors-0' }, ${minutes}, (reason) => console.error(reason));
void runChild(['sh', '-c', 'echo $$ > ${folder}/child; sleep 600 & echo $! > ${folder}/grandchild; wait'], { minutes: 60 });
`;

interface Command {
  shell: ChildProcess;
  stderr: () => string;
  /** The command itself and the programs below it. */
  family: ProcessId[];
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look();
    if (found !== undefined) return found;
    await sleep(50);
  }
}

/** Starts the command as Pulumi does: below a shell that waits for it. */
async function start(minutes = 60): Promise<Command> {
  const file = path.join(folder, 'command.ts');
  fs.writeFileSync(file, program(minutes));
  const shell = spawn('/bin/sh', ['-c', `node --import tsx ${file}; exit $?`], {
    env: { PATH: process.env['PATH'], XDG_STATE_HOME: folder },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  createInterface({ input: shell.stderr as NodeJS.ReadableStream }).on('line', (line) => (stderr += line));
  const started = await until(() => {
    const [command] = listRunning(running);
    const pids = ['child', 'grandchild'].map((name) => path.join(folder, name));
    if (command === undefined || !pids.every((pid) => fs.existsSync(pid) && fs.readFileSync(pid).length > 0))
      return undefined;
    return [command, ...pids.map((pid) => seeProcess(Number(fs.readFileSync(pid, 'utf8'))) as ProcessId)];
  });
  return { shell, stderr: () => stderr, family: started };
}

const allGone = (family: ProcessId[]): Promise<true> =>
  until(() => (family.some(isAlive) ? undefined : (true as const)));

test('a command that runs is recorded, for its user alone, and no more when it was told to end', async () => {
  const { shell, family } = await start();
  expect(listRunning(running)).toMatchObject([{ command: 'wait', stack: 'o/p/s', place: 'sensors-0' }]);
  expect(fs.statSync(running).mode & 0o777).toBe(0o700);
  process.kill(family[0]?.pid ?? 0, 'SIGTERM');
  expect(await once(shell, 'exit')).toEqual([1, null]);
  await allGone(family);
  expect(fs.readdirSync(running)).toEqual([]);
});

test('a command ends when the shell that runs it is killed, with all that it has started', async () => {
  const { shell, stderr, family } = await start();
  shell.kill('SIGKILL');
  await allGone(family);
  expect(fs.readdirSync(running)).toEqual([]);
  await until(() => (stderr() === '' ? undefined : true));
  expect(stderr()).toContain('wait ended with the Pulumi that it ran for');
});

test('a command ends at its time limit, with all that it has started', async () => {
  const { shell, stderr, family } = await start(0.25);
  if (shell.exitCode === null) await once(shell, 'exit');
  expect(shell.exitCode).toBe(1);
  await allGone(family);
  await until(() => (stderr() === '' ? undefined : true));
  expect(stderr()).toContain('wait took longer than the 0.25 minutes that its steps may take together');
});

test('the record of a command that was killed is taken away by whoever looks', () => {
  const self = seeProcess(process.pid) as ProcessId;
  const ended = { ...self, pid: self.pid, started: 'before', command: 'submit', stack: 'o/p/s' };
  recordRunning(ended, running);
  expect(listRunning(running)).toEqual([]);
  expect(fs.readdirSync(running)).toEqual([]);
  expect(listRunning(path.join(folder, 'nowhere'))).toEqual([]);
});
