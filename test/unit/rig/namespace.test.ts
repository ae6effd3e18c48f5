import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tryRun } from '../../../local/command';
import { SKY_ENDPOINT, SKY_PORT } from '../../../local/rig/addresses';
import { createNamespace, deleteNamespace, inNamespace, isNamespace } from '../../../local/rig/namespace';
import { rigPaths, type RigPaths } from '../../../local/rig/paths';

let folder: string;
let paths: RigPaths;

beforeEach(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'skyfleet-namespace-')));
  paths = rigPaths('test', folder);
  await createNamespace(paths);
});
afterEach(async () => {
  await deleteNamespace(paths);
  expect(isNamespace(paths.namespaceFile)).toBe(false);
  rmSync(folder, { recursive: true });
});

/** Runs a shell script in the namespace and gives its exit code. */
const codeOf = async (script: string): Promise<number | null> =>
  (await tryRun(inNamespace(paths, ['sh', '-c', script]))).code;

/** What curl ends with where nobody listens. */
const refused = 7;

test("no connection goes out from SkyPilot's port, not even one to it", async () => {
  // The kernel has no other port left.
  expect(await codeOf(`echo ${SKY_PORT} ${SKY_PORT + 1} >/proc/sys/net/ipv4/ip_local_port_range`)).toBe(0);
  const ask = `curl --silent --max-time 3 ${SKY_ENDPOINT}`;
  expect(await codeOf(ask)).toBe(refused);
  expect(await codeOf('echo >/proc/sys/net/ipv4/ip_local_reserved_ports')).toBe(0);
  expect(await codeOf(ask)).not.toBe(refused);
});

test('a namespace that is there is left as it is', async () => {
  await createNamespace(paths);
  expect(await codeOf('ip link show up | grep --quiet lo:')).toBe(0);
});
