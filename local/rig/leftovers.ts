import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { graphRoot, listContainers } from './containers';
import { mountsBelow } from '../mounts';
import { connectedNamespaces } from './namespace';
import { CHECKOUT, rigPaths, type RigPaths } from './paths';
import { processesOf } from './processes';

/** Something of a rig that is on the machine. */
export interface Leftover {
  kind: 'process' | 'container' | 'namespace' | 'mount' | 'folder';
  what: string;
}

/** Everything of one rig that is on the machine now; nothing of it is, once the rig is stopped. */
export async function leftoversOf(paths: RigPaths): Promise<Leftover[]> {
  const found: Leftover[] = [];
  for (const { pid, command } of processesOf(paths.namespaceFile, graphRoot(paths))) {
    found.push({ kind: 'process', what: `${pid} ${command.slice(0, 120)}` });
  }
  for (const { name, state } of await listContainers(paths)) {
    found.push({ kind: 'container', what: `${name} (${state})` });
  }
  for (const name of await connectedNamespaces(paths)) found.push({ kind: 'namespace', what: name });
  if (existsSync(paths.namespaceFile)) found.push({ kind: 'namespace', what: paths.id });
  for (const point of mountsBelow([paths.state, paths.runtime])) found.push({ kind: 'mount', what: point });
  for (const folder of [paths.state, paths.runtime]) {
    if (existsSync(folder)) found.push({ kind: 'folder', what: folder });
  }
  return found;
}

/** The names of the rigs of a checkout of which anything is on the machine. */
export function rigNames(checkout: string = CHECKOUT): string[] {
  const rigs = join(checkout, '.local');
  const withState = existsSync(rigs)
    ? readdirSync(rigs).filter((name) => existsSync(join(rigs, name, 'rig.json')))
    : [];
  const withRuntime = readdirSync('/run')
    .map((name) => join('/run', name, 'owner'))
    .filter((owner) => basename(dirname(owner)).startsWith('skyfleet-') && existsSync(owner))
    .map((owner) => readFileSync(owner, 'utf8').trim())
    .filter((state) => dirname(state) === rigs)
    .map((state) => basename(state));
  return [...new Set([...withState, ...withRuntime])].sort();
}

export const allRigPaths = (checkout: string = CHECKOUT) =>
  rigNames(checkout).map((name) => rigPaths(name, checkout));
