import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { abandonedBuilds, processesOfBuilds } from './builds';
import { processPlaces, stored } from './containers';
import { mountsBelow } from '../mounts';
import { connectedNamespaces } from './namespace';
import { CHECKOUT, isRigName, rigPaths, type RigPaths } from './paths';
import { processesOf, type RigProcess } from './processes';

/** Something of a rig that is on the machine. */
export interface Leftover {
  kind: 'process' | 'namespace' | 'container' | 'volume' | 'network' | 'mount' | 'folder';
  what: string;
}

const all = (kind: Leftover['kind'], found: readonly string[]): Leftover[] =>
  found.map((what) => ({ kind, what }));

const ofProcesses = (found: readonly RigProcess[]): Leftover[] =>
  all(
    'process',
    found.map(({ pid, command }) => `${pid} ${command.slice(0, 120)}`),
  );

/**
 * Everything of one rig that is on the machine now; nothing of it is, once the rig is stopped. The kernel and the disk
 * are asked, below the paths that follow from the rig's name, and none of what the rig or podman noted: a record that is
 * broken or lost hides nothing.
 */
export async function leftoversOf(paths: RigPaths): Promise<Leftover[]> {
  return [
    ...ofProcesses(processesOf(processPlaces(paths))),
    ...all('namespace', await connectedNamespaces(paths)),
    ...all('namespace', existsSync(paths.namespaceFile) ? [paths.id] : []),
    ...all('container', stored.containers(paths)),
    ...all('volume', stored.volumes(paths)),
    ...all('network', stored.networks(paths)),
    ...all('mount', mountsBelow([paths.state, paths.runtime])),
    ...all(
      'folder',
      [paths.state, paths.runtime].filter((folder) => existsSync(folder)),
    ),
  ];
}

/** The same of the cache that all rigs share: what builds of tools and images have left that were killed. */
export async function leftoversOfBuilds(root?: string): Promise<Leftover[]> {
  const folders = await abandonedBuilds(root);
  const processes = folders.length === 0 ? [] : processesOfBuilds(folders);
  return [...ofProcesses(processes), ...all('mount', mountsBelow(folders)), ...all('folder', folders)];
}

/**
 * The names of the rigs of a checkout of which anything may be on the machine. A rig's lock stays where it was, so that
 * a rig is known by name also when nothing but a process of it is left.
 */
export function rigNames(checkout: string = CHECKOUT): string[] {
  const rigs = join(checkout, '.local');
  const withState = existsSync(rigs) ? readdirSync(rigs).map((name) => basename(name, '.lock')) : [];
  const withRuntime = readdirSync('/run')
    .map((name) => join('/run', name, 'owner'))
    .filter((owner) => basename(dirname(owner)).startsWith('skyfleet-') && existsSync(owner))
    .map((owner) => readFileSync(owner, 'utf8').trim())
    .filter((state) => dirname(state) === rigs)
    .map((state) => basename(state));
  return [...new Set([...withState, ...withRuntime])].filter(isRigName).sort();
}

export const allRigPaths = (checkout: string = CHECKOUT) =>
  rigNames(checkout).map((name) => rigPaths(name, checkout));
