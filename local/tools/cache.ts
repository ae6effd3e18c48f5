import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { withLock } from '../lock';
import { unmountBelow } from '../mounts';

/** Where tools are kept, outside the checkout, so that every checkout and every rig shares them. */
export function cacheRoot(env: NodeJS.ProcessEnv = process.env): string {
  if (env.SKYFLEET_CACHE) return env.SKYFLEET_CACHE;
  return join(env.XDG_CACHE_HOME ? env.XDG_CACHE_HOME : join(homedir(), '.cache'), 'skyfleet');
}

/** The first 12 hex digits of a hash over the files' contents and the other inputs, in the order given. */
export function inputsHash(files: readonly string[], ...others: readonly string[]): string {
  const hash = createHash('sha256');
  for (const part of [...files.map((file) => readFileSync(file, 'utf8')), ...others]) {
    hash.update(`${part.length}:`).update(part);
  }
  return hash.digest('hex').slice(0, 12);
}

/**
 * The folder `<root>/<key>`, made by `build` where it is not there yet.
 *
 * `build` fills a folder of another name, which is renamed when it is done: a folder that has the right name is
 * complete, also after a killed run. Two runs at once wait for each other, and the second finds the work done.
 * `build` gets the folder to fill and the path that this will have afterwards.
 */
export async function cached(
  root: string,
  key: string,
  build: (folder: string, finalFolder: string) => Promise<void>,
): Promise<string> {
  const final = join(root, key);
  if (existsSync(final)) return final;
  await mkdir(root, { recursive: true });
  await withLock(
    join(root, `${key}.lock`),
    () => console.error(`waiting for another run that makes ${final}`),
    async () => {
      if (existsSync(final)) return;
      for (const name of readdirSync(root).filter((other) => other.startsWith(`${key}.partial-`))) {
        // A killed build of an image leaves mounts, and nothing must be removed through them.
        await unmountBelow([join(root, name)]);
        await rm(join(root, name), { recursive: true, force: true });
      }
      // A child of a killed run may still write into that run's folder, so each run has one of its own.
      const partial = join(root, `${key}.partial-${process.pid}`);
      await mkdir(partial);
      await build(partial, final);
      await rename(partial, final);
    },
  );
  return final;
}
