import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { cached, cacheRoot, inputsHash } from '../../../local/tools/cache';

let root: string;
beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'skyfleet-cache-'))));
afterEach(() => rmSync(root, { recursive: true }));

const writeTool = (folder: string) => {
  writeFileSync(join(folder, 'tool'), 'made');
  return Promise.resolve();
};
const folders = () => readdirSync(root).filter((name) => !name.endsWith('.lock'));

test('an entry is made once and found afterwards', async () => {
  const build = jest.fn(writeTool);
  const first = await cached(root, 'tool-1', build);
  expect(await cached(root, 'tool-1', build)).toBe(first);
  expect(build).toHaveBeenCalledTimes(1);
  expect(readFileSync(join(root, 'tool-1', 'tool'), 'utf8')).toBe('made');
});

test('two runs at once wait for each other, and only one builds', async () => {
  const build = jest.fn(writeTool);
  const paths = await Promise.all([cached(root, 'tool-1', build), cached(root, 'tool-1', build)]);
  expect(paths).toEqual([join(root, 'tool-1'), join(root, 'tool-1')]);
  expect(build).toHaveBeenCalledTimes(1);
});

test('a build that fails leaves nothing that looks finished, and the next one starts anew', async () => {
  const fail = (folder: string) => {
    writeFileSync(join(folder, 'half'), '');
    return Promise.reject(new Error('no compiler'));
  };
  await expect(cached(root, 'tool-1', fail)).rejects.toThrow('no compiler');
  expect(existsSync(join(root, 'tool-1'))).toBe(false);
  await cached(root, 'tool-1', writeTool);
  expect(readdirSync(join(root, 'tool-1'))).toEqual(['tool']);
  expect(folders()).toEqual(['tool-1']);
});

test('what a killed run left half-made is removed, also where it was the run of another process', async () => {
  mkdirSync(join(root, 'tool-1.partial-4711'));
  await cached(root, 'tool-1', writeTool);
  expect(folders()).toEqual(['tool-1']);
});

test('the build is told where its folder will be', async () => {
  const build = jest.fn<Promise<void>, [string, string]>(writeTool);
  await cached(root, 'tool-1', build);
  expect(build).toHaveBeenCalledWith(expect.stringContaining('tool-1.partial-'), join(root, 'tool-1'));
});

test('the hash of the inputs tells contents and their borders apart', () => {
  const file = (name: string, content: string) => {
    writeFileSync(join(root, name), content);
    return join(root, name);
  };
  const [a, b] = [file('a', 'one'), file('b', 'two')];
  expect(inputsHash([a, b])).toBe(inputsHash([a], 'two'));
  expect(inputsHash([a, b])).not.toBe(inputsHash([b, a]));
  expect(inputsHash([], 'ab', 'c')).not.toBe(inputsHash([], 'a', 'bc'));
});

test.each([
  [{ SKYFLEET_CACHE: '/big/cache', XDG_CACHE_HOME: '/xdg' }, '/big/cache'],
  [{ XDG_CACHE_HOME: '/xdg' }, '/xdg/skyfleet'],
  [{ XDG_CACHE_HOME: '' }, join(homedir(), '.cache', 'skyfleet')],
])('with %j the cache is %s', (env, expected) => {
  expect(cacheRoot(env)).toBe(expected);
});
