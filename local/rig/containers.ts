import { existsSync, mkdirSync, readdirSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command';
import { inNamespace, isNamespace } from './namespace';
import type { RigPaths } from './paths';
import type { ProcessPlaces } from './processes';

export const graphRoot = (paths: RigPaths) => join(paths.containers, 'storage');
const networkFolder = (paths: RigPaths) => join(paths.containers, 'networks');

/** Where the processes of the rig are known by. */
export const processPlaces = (paths: RigPaths): ProcessPlaces => ({
  namespaceFile: paths.namespaceFile,
  graphRoot: graphRoot(paths),
  state: paths.state,
});

/** podman's own configuration and storage of the rig; nothing of the machine's own podman is read or touched. */
export function containersConf(paths: RigPaths): string {
  return `[containers]
# Root without CAP_SYS_RESOURCE cannot raise the limits that podman asks for by default.
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]

[engine]
# Machines with cgroups of both versions mounted: systemd's manager and crun refuse them.
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "file"
tmp_dir = "${join(paths.runtime, 'libpod')}"
# Locks in shared memory belong to all storages of a machine, and the first start of one resets those of the others.
lock_type = "file"

[network]
network_backend = "netavark"
network_config_dir = "${networkFolder(paths)}"
# podman's default network would otherwise overlap the instances' network.
default_subnet = "192.168.255.0/24"
`;
}

export function storageConf(paths: RigPaths, imageStore: string): string {
  return `[storage]
driver = "overlay"
graphroot = "${graphRoot(paths)}"
runroot = "${join(paths.runtime, 'podman')}"

[storage.options]
additionalimagestores = ["${imageStore}"]
`;
}

export function writeContainersConfig(paths: RigPaths, imageStore: string): void {
  mkdirSync(networkFolder(paths), { recursive: true });
  writeFileSync(paths.containersConf, containersConf(paths));
  writeFileSync(paths.storageConf, storageConf(paths, imageStore));
}

/** The environment that makes podman use the rig's storage. */
export const podmanEnvironment = (paths: RigPaths) => ({
  CONTAINERS_CONF: paths.containersConf,
  CONTAINERS_STORAGE_CONF: paths.storageConf,
});

/** Runs podman on the rig's storage. It is in the rig's namespace, where the bridge of the instances is. */
export function podman(paths: RigPaths, ...args: string[]): Promise<string> {
  return run(inNamespace(paths, ['podman', ...args]), {
    env: { PATH: process.env.PATH, HOME: paths.containers, ...podmanEnvironment(paths) },
    timeoutMs: 120_000,
  });
}

const isConfigured = (paths: RigPaths) =>
  existsSync(paths.storageConf) && existsSync(paths.containersConf) && isNamespace(paths.namespaceFile);

const entriesOf = (folder: string, kind: 'isDirectory' | 'isFile'): string[] =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true }).flatMap((entry) => (entry[kind]() ? [entry.name] : []))
    : [];

/** What podman has in the rig's storage, read from its folders: also where podman itself can no longer tell. */
export const stored = {
  /** Ids of the containers. */
  containers: (paths: RigPaths): string[] =>
    entriesOf(join(graphRoot(paths), 'overlay-containers'), 'isDirectory').filter((name) =>
      /^[0-9a-f]{64}$/.test(name),
    ),
  /** Names of the volumes. */
  volumes: (paths: RigPaths): string[] => entriesOf(join(graphRoot(paths), 'volumes'), 'isDirectory'),
  /** Names of the networks. */
  networks: (paths: RigPaths): string[] =>
    entriesOf(networkFolder(paths), 'isFile').flatMap((file) => /^(.+)\.json$/.exec(file)?.[1] ?? []),
};

export interface RigContainer {
  id: string;
  name: string;
  state: string;
}

export async function listContainers(paths: RigPaths): Promise<RigContainer[]> {
  if (!isConfigured(paths)) return [];
  const listed = await podman(
    paths,
    'ps',
    '--all',
    '--no-trunc',
    '--format',
    '{{.ID}} {{.Names}} {{.State}}',
  );
  return listed
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', name = '', state = ''] = line.split(' ');
      return { id, name, state };
    });
}

/** Folders of the control groups that containers had. */
function cgroupsOf(containerIds: readonly string[]): string[] {
  const controllers = ['', ...readdirSync('/sys/fs/cgroup')];
  return containerIds
    .flatMap((id) => controllers.map((one) => join('/sys/fs/cgroup', one, 'libpod_parent', `libpod-${id}`)))
    .filter((folder) => existsSync(folder));
}

/** podman removes a container's cgroups, unless the process that watched over the container was killed. */
export function removeCgroups(containerIds: readonly string[]): void {
  const removeTree = (folder: string) => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeTree(join(folder, entry.name));
    }
    rmdirSync(folder);
  };
  for (const folder of cgroupsOf(containerIds)) removeTree(folder);
}

/** Removes every container, volume and network of the rig's storage. */
export async function removeContainers(paths: RigPaths): Promise<void> {
  if (!isConfigured(paths)) return;
  await podman(paths, 'rm', '--all', '--force', '--time', '0', '--volumes');
  // Removing a network also gives its addresses back in a database that all storages of the machine share.
  const networks = (await podman(paths, 'network', 'ls', '--quiet')).split('\n');
  if (networks.includes(paths.id)) await podman(paths, 'network', 'rm', '--force', paths.id);
}
