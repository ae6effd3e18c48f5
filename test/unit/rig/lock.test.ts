import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { withLock } from '../../../local/lock';
import { CHECKOUT } from '../../../local/rig/paths';

let folder: string;
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'skyfleet-lock-'))));
afterEach(() => rmSync(folder, { recursive: true }));

const unexpectedWait = () => {
  throw new Error('waited');
};

test('work under one lock never overlaps', async () => {
  const events: string[] = [];
  const work = (name: string) => async () => {
    events.push(`${name} begins`);
    await sleep(100);
    events.push(`${name} ends`);
  };
  const lock = join(folder, 'lock');
  await Promise.all(['a', 'b'].map((name) => withLock(lock, unexpectedWait, work(name))));
  const [first, second] = events[0] === 'a begins' ? ['a', 'b'] : ['b', 'a'];
  expect(events).toEqual([`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`]);
});

test('a failure is passed on and frees the lock', async () => {
  const lock = join(folder, 'lock');
  await expect(withLock(lock, unexpectedWait, () => Promise.reject(new Error('broken')))).rejects.toThrow(
    'broken',
  );
  await expect(withLock(lock, unexpectedWait, () => Promise.resolve('free'))).resolves.toBe('free');
});

test('a holder that is killed frees the lock, and whoever waits for it is told so first', async () => {
  const lock = join(folder, 'lock');
  const hold = `
    const { withLock } = require(${JSON.stringify(join(CHECKOUT, 'local', 'lock.ts'))});
    withLock(${JSON.stringify(lock)}, () => {}, () => { console.log('held'); return new Promise((resolve) => setTimeout(resolve, 60000)); });`;
  const holder = spawn(process.execPath, ['--require', 'tsx/cjs', '--eval', hold], {
    cwd: CHECKOUT,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(holder.stdout, 'data');
  const onWait = jest.fn(() => holder.kill('SIGKILL'));
  await expect(withLock(lock, onWait, () => Promise.resolve('mine'))).resolves.toBe('mine');
  expect(onWait).toHaveBeenCalledTimes(1);
});
