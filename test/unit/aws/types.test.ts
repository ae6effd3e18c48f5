import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryRun } from '../../../local/command';
import { CHECKOUT } from '../../../local/rig/paths';
import { cacheRoot } from '../../../local/tools/cache';
import { ensurePythonEnvironment } from '../../../local/tools/python';

// The first run on a machine installs mypy, and each reads moto's types.
jest.setTimeout(400_000);

test('the launcher passes mypy, which moto too has types for', async () => {
  const mypy = `${await ensurePythonEnvironment(cacheRoot())}/bin/mypy`;
  const cache = mkdtempSync(join(tmpdir(), 'skyfleet-mypy-'));
  try {
    const { code, stdout, stderr } = await tryRun(
      [mypy, '--strict', '--cache-dir', cache, '--package', 'skyfleet_aws'],
      { cwd: join(CHECKOUT, 'local', 'aws') },
    );
    expect({ code, said: code === 0 ? '' : stdout + stderr }).toEqual({ code: 0, said: '' });
  } finally {
    rmSync(cache, { recursive: true });
  }
});
