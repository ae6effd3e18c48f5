import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, tryRun } from '../command';
import { cached, inputsHash } from './cache';
import { ensureOnHost, type HostRequirement } from './host';
import { reportStep } from './progress';

const LOCK = join(__dirname, 'requirements.lock');
/** What requirements.lock was resolved for. */
const OLDEST_MINOR = 11;
const NEWEST_MINOR = 13;

/** A Python that the lock file was resolved for and that can make virtual environments, or undefined. */
async function findPython(): Promise<string | undefined> {
  const probe = 'import sys, ensurepip; print(*sys.version_info[:2])';
  for (const python of ['python3', 'python3.11', 'python3.12', 'python3.13', '/usr/bin/python3']) {
    const result = await tryRun([python, '-c', probe]).catch(() => undefined);
    const [major, minor] = result?.code === 0 ? result.stdout.split(' ').map(Number) : [];
    if (major !== 3 || minor === undefined) continue;
    if (minor >= OLDEST_MINOR && minor <= NEWEST_MINOR) return python;
  }
  return undefined;
}

const PYTHON: HostRequirement = {
  name: `Python from 3.${OLDEST_MINOR} to 3.${NEWEST_MINOR} with ensurepip`,
  package: 'python3-venv',
  present: async () => (await findPython()) !== undefined,
};

/** pip writes the folder's absolute path into the scripts of bin/; the folder is renamed when it is complete. */
async function rewritePaths(folder: string, from: string, to: string): Promise<void> {
  const bin = join(folder, 'bin');
  for (const entry of await readdir(bin, { withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(bin, entry.name);
    const text = await readFile(file, 'latin1');
    if (text.includes(from)) await writeFile(file, text.replaceAll(from, to), 'latin1');
  }
}

/** The virtual environment with SkyPilot, moto and the AWS CLI, of the exact versions and hashes of the lock file. */
export async function ensurePythonEnvironment(root: string): Promise<string> {
  return cached(root, `python-${inputsHash([LOCK])}`, (partial, final) =>
    reportStep('installing SkyPilot and moto', async () => {
      await ensureOnHost([PYTHON]);
      await run([(await findPython()) ?? 'python3', '-m', 'venv', partial]);
      const python = join(partial, 'bin', 'python');
      // pip and not a quicker installer: it is the one that the machine's own package settings are made for.
      await run([
        python,
        '-m',
        'pip',
        'install',
        '--quiet',
        '--require-hashes',
        '--no-deps',
        '--requirement',
        LOCK,
      ]);
      await rewritePaths(partial, partial, final);
    }),
  );
}
