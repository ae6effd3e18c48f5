import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import {
  allEnded,
  identify,
  isAlive,
  parseStat,
  rootIsBelow,
  send,
  type ProcessId,
} from '../../../local/rig/processes';

const children: ChildProcess[] = [];
afterEach(() => {
  for (const child of children.splice(0)) if (child.exitCode === null) child.kill('SIGKILL');
});

function startSleep(command = 'exec sleep 60'): { child: ChildProcess; id: ProcessId } {
  const child = spawn('sh', ['-c', command], { detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const id = identify(child.pid ?? 0);
  if (id === undefined) throw new Error('sleep did not start');
  return { child, id };
}

test('a process is alive until it has ended', async () => {
  const { child, id } = startSleep();
  expect(isAlive(id)).toBe(true);
  send(id, 'SIGTERM', 'process');
  await once(child, 'exit');
  expect(await allEnded([id], 1000)).toBe(true);
});

test('another process that got the same pid later is neither taken for it nor ended', async () => {
  const { id } = startSleep();
  const before: ProcessId = { ...id, startTime: id.startTime - 1 };
  expect(isAlive(before)).toBe(false);
  send(before, 'SIGKILL', 'process');
  send(before, 'SIGKILL', 'group');
  expect(await allEnded([id], 200)).toBe(false);
});

test('a process of before the last boot is not alive, whatever runs under its pid now', () => {
  const { id } = startSleep();
  expect(isAlive({ ...id, bootId: 'another boot' })).toBe(false);
});

test('a whole group is ended by the id of the process that leads it', async () => {
  const { child, id } = startSleep('sleep 60 & echo $!; wait');
  const [chunk] = (await once(child.stdout ?? child, 'data')) as [Buffer];
  const grandchild = identify(Number(chunk.toString()));
  if (grandchild === undefined) throw new Error('the grandchild did not start');
  send(id, 'SIGKILL', 'group');
  expect(await allEnded([id, grandchild], 5000)).toBe(true);
});

test('the state and start time are read behind a command name of any form', () => {
  const numbers = Array.from({ length: 49 }, (_, index) => index + 4).join(' ');
  expect(parseStat(`4711 (a) b (c) S ${numbers}`)).toEqual({ state: 'S', startTime: 22 });
});

test('a process runs in a container of a storage when its root is an overlay that writes below it', () => {
  const root = (options: string) =>
    `292 259 0:61 / / rw,relatime - overlay overlay rw,lowerdir=/x/l/A,${options},workdir=/x/w\n` +
    '293 292 0:62 / /proc rw - proc proc rw\n';
  expect(rootIsBelow(root('upperdir=/state/a/storage/overlay/1/diff'), '/state/a/storage')).toBe(true);
  expect(rootIsBelow(root('upperdir=/state/a/storage2/overlay/1/diff'), '/state/a/storage')).toBe(false);
  expect(rootIsBelow(root('upperdir=/my\\040state/storage/overlay/1/diff'), '/my state/storage')).toBe(true);
  expect(rootIsBelow('23 1 254:0 / / rw - ext4 /dev/vda rw\n', '/state/a/storage')).toBe(false);
});
