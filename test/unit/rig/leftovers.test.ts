import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { abandonedBuilds, removeAbandonedBuilds } from '../../../local/rig/builds';
import { leftoversOf, leftoversOfBuilds, rigNames } from '../../../local/rig/leftovers';
import { isNamespace } from '../../../local/rig/namespace';
import { rigPaths, type RigPaths } from '../../../local/rig/paths';

let checkout: string;
let paths: RigPaths;
const children: ChildProcess[] = [];
beforeEach(() => {
  checkout = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-leftovers-'));
  paths = rigPaths('main', checkout);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  fs.rmSync(checkout, { recursive: true });
});

function write(file: string, text = ''): void {
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}

function root(...command: [string, ...string[]]): void {
  const [file, ...args] = command;
  const { status, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
}

test('of a rig that is gone nothing is found', async () => {
  expect(await leftoversOf(paths)).toEqual([]);
});

test('containers, volumes and networks are found on the disk, without podman and its configuration', async () => {
  const id = 'a'.repeat(64);
  fs.mkdirSync(path.join(paths.containers, 'storage/overlay-containers', id), { recursive: true });
  fs.mkdirSync(path.join(paths.containers, 'storage/volumes/data'), { recursive: true });
  write(path.join(paths.containers, 'networks/skyfleet-1.json'), '{');
  expect(await leftoversOf(paths)).toEqual([
    { kind: 'container', what: id },
    { kind: 'volume', what: 'data' },
    { kind: 'network', what: 'skyfleet-1' },
    { kind: 'folder', what: paths.state },
  ]);
});

test('a process is found by the home folder that the rig gave it, whatever was recorded', async () => {
  const child = spawn('sleep', ['60'], { env: { ...process.env, HOME: paths.pulumi } });
  children.push(child);
  await once(child, 'spawn');
  const [found, ...others] = await leftoversOf(paths);
  expect(found).toEqual({ kind: 'process', what: `${child.pid ?? 0} sleep 60` });
  expect(others).toEqual([]);
  expect(await leftoversOf(rigPaths('other', checkout))).toEqual([]);
});

test('a mount below a folder of the rig is found, and so is its namespace with what runs in it', async () => {
  const mounted = path.join(paths.state, 'mounted');
  fs.mkdirSync(mounted, { recursive: true });
  root('mount', '-t', 'tmpfs', 'tmpfs', mounted);
  root('ip', 'netns', 'add', paths.id);
  try {
    const child = spawn('nsenter', [
      `--net=${paths.namespaceFile}`,
      '--',
      'sh',
      '-c',
      'echo there; exec sleep 60',
    ]);
    children.push(child);
    await once(child.stdout, 'data');
    expect((await leftoversOf(paths)).map(({ kind }) => kind)).toEqual([
      'process',
      'namespace',
      'mount',
      'folder',
    ]);
  } finally {
    root('ip', 'netns', 'delete', paths.id);
    root('umount', mounted);
  }
});

test('the file of a namespace that was never put there is found, and is not taken for one', async () => {
  write(paths.namespaceFile);
  try {
    expect(isNamespace(paths.namespaceFile)).toBe(false);
    expect(await leftoversOf(paths)).toEqual([{ kind: 'namespace', what: paths.id }]);
  } finally {
    fs.rmSync(paths.namespaceFile);
  }
});

test('a rig is known by its state folder without a record, by its lock, or by whose the runtime folder is', () => {
  fs.mkdirSync(path.join(checkout, '.local', 'half'), { recursive: true });
  write(path.join(checkout, '.local', 'killed.lock'));
  const gone = rigPaths('gone', checkout);
  write(gone.owner, `${gone.state}\n`);
  try {
    expect(rigNames(checkout)).toEqual(['gone', 'half', 'killed']);
  } finally {
    fs.rmSync(gone.runtime, { recursive: true });
  }
});

describe('builds that were killed', () => {
  let cache: string;
  let runs: string;
  beforeEach(() => {
    [cache, runs] = [path.join(checkout, 'cache'), path.join(checkout, 'run')];
    write(path.join(cache, 'image-1.partial-17', 'file'));
    write(path.join(cache, 'image-1.lock'));
    write(path.join(cache, 'image-2', 'file'));
    for (const [run, build] of [
      ['abc', `${cache}/image-1.partial-17`],
      ['def', checkout],
    ]) {
      const text = `[storage]\ndriver = "overlay"\ngraphroot = "${build ?? ''}/store"\n`;
      write(path.join(runs, `skyfleet-build-${run ?? ''}`, 'storage.conf'), text);
    }
    fs.mkdirSync(path.join(runs, 'skyfleet-1234abcd'));
  });

  test('are found and removed, with what runs and what is mounted; finished work and rigs stay', async () => {
    const env = { ...process.env, CONTAINERS_CONF: path.join(runs, 'skyfleet-build-abc', 'containers.conf') };
    const child = spawn('sleep', ['60'], { env });
    children.push(child);
    await once(child, 'spawn');
    const ended = once(child, 'exit');
    const mounted = path.join(cache, 'image-1.partial-17', 'mounted');
    fs.mkdirSync(mounted);
    root('mount', '-t', 'tmpfs', 'tmpfs', mounted);
    fs.writeFileSync(path.join(mounted, 'file'), '');
    expect(await leftoversOfBuilds(cache)).toContainEqual({ kind: 'mount', what: mounted });
    await removeAbandonedBuilds(cache, runs);
    expect((await ended)[1]).toBe('SIGKILL');
    expect(fs.readdirSync(cache).sort()).toEqual(['image-1.lock', 'image-2']);
    // The other podman builds for another cache.
    expect(fs.readdirSync(runs)).toEqual(['skyfleet-1234abcd', 'skyfleet-build-def']);
  });

  test('are told from one that goes on: it holds its lock', async () => {
    const holder = spawn('flock', [path.join(cache, 'image-1.lock'), 'sh', '-c', 'echo held; exec cat']);
    children.push(holder);
    await once(holder.stdout, 'data');
    write(path.join(cache, 'image-3.partial-18', 'file'));
    expect(await abandonedBuilds(cache, runs)).toEqual([path.join(cache, 'image-3.partial-18')]);
    // flock's own child ends with its input.
    holder.stdin.end();
    await once(holder, 'close');
  });
});
