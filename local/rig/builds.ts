import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { tryRun } from '../command';
import { unmountBelow } from '../mounts';
import { cacheRoot } from '../tools/cache';
import { endAll, processesWhere, type RigProcess } from './processes';

/** Whether no process holds the lock on a file. */
async function isFree(lock: string): Promise<boolean> {
  return (await tryRun(['flock', '--exclusive', '--nonblock', lock, 'true'])).code === 0;
}

/** Where the podman that builds in a folder keeps its images; undefined where it has not come to say so. */
function storageOf(folder: string): string | undefined {
  const file = join(folder, 'storage.conf');
  return existsSync(file) ? /^graphroot = "(.*)"$/m.exec(readFileSync(file, 'utf8'))?.[1] : undefined;
}

/**
 * Folders of builds of tools and images that were killed: those in the cache whose lock nobody holds, and those of the
 * podman that builds images in one of them.
 *
 * @param runs folder of what is lost at a reboot.
 */
export async function abandonedBuilds(root: string = cacheRoot(), runs = '/run'): Promise<string[]> {
  const names = existsSync(root) ? readdirSync(root) : [];
  // Images of nodes are built beside the folder that they end in (`<folder>.work`).
  const keys = names.map((name) => ({ name, key: /^(.+)\.partial-\d+(\.work)?$/.exec(name)?.[1] }));
  const abandoned: string[] = [];
  for (const { name, key } of keys) {
    if (key !== undefined && (await isFree(join(root, `${key}.lock`)))) abandoned.push(join(root, name));
  }
  const podman = readdirSync(runs)
    .map((name) => join(runs, name))
    .filter((folder) => basename(folder).startsWith('skyfleet-build-'))
    .filter((folder) => {
      const storage = storageOf(folder);
      // One that does not say so yet is about to; other caches may have builds that go on.
      if (storage === undefined) return Date.now() - statSync(folder).mtimeMs > 60_000;
      return abandoned.some((build) => storage.startsWith(`${build}/`)) || !existsSync(dirname(storage));
    });
  return [...abandoned, ...podman];
}

/** What goes on of builds, by their folders: the podman that builds images, and what runs in its containers. */
export function processesOfBuilds(folders: readonly string[]): RigProcess[] {
  return processesWhere(({ valueOf, isContainedIn }) =>
    folders.some(
      (folder) => valueOf('CONTAINERS_CONF')?.startsWith(`${folder}/`) === true || isContainedIn(folder),
    ),
  );
}

/** Ends and removes what killed builds have left. */
export async function removeAbandonedBuilds(root?: string, runs?: string): Promise<void> {
  const folders = await abandonedBuilds(root, runs);
  if (folders.length > 0) await endAll(() => processesOfBuilds(folders));
  // Nothing must be removed through a mount.
  await unmountBelow(folders);
  for (const folder of folders) await rm(folder, { recursive: true, force: true });
}
