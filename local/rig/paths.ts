import { createHash } from 'node:crypto';
import { realpathSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The checkout that this file is part of. */
export const CHECKOUT = realpathSync(resolve(__dirname, '..', '..'));

/** Where everything of one rig is. */
export interface RigPaths {
  name: string;
  /** The network namespace, podman network and runtime folder are named so: from the state folder's path. */
  id: string;
  namespaceFile: string;
  /**
   * Holds what is lost at a reboot. podman refuses a run root of more than 50 characters, and sockets have an upper
   * length too, so that it cannot be below the state folder.
   */
  runtime: string;
  /** Says whose runtime folder this is. It is made first and removed last, so that nothing of a rig is ever unowned. */
  owner: string;
  lock: string;
  state: string;
  record: string;
  logs: string;
  aws: string;
  sky: string;
  orchestrator: string;
  pulumi: string;
  containers: string;
  containersConf: string;
  storageConf: string;
}

const NAME = /^[a-z][a-z0-9-]{0,30}$/;

export const isRigName = (name: string) => NAME.test(name);

export function rigPaths(name: string, checkout: string = CHECKOUT): RigPaths {
  if (!isRigName(name)) {
    throw new Error(
      `rig name ${JSON.stringify(name)}: a name has 1 to 31 lower-case letters, digits or "-" and begins with a letter`,
    );
  }
  const rigs = join(checkout, '.local');
  const state = join(rigs, name);
  const id = `skyfleet-${createHash('sha256').update(state).digest('hex').slice(0, 8)}`;
  const runtime = join('/run', id);
  const containers = join(state, 'containers');
  return {
    name,
    id,
    namespaceFile: join('/run/netns', id),
    runtime,
    owner: join(runtime, 'owner'),
    lock: join(rigs, `${name}.lock`),
    state,
    record: join(state, 'rig.json'),
    logs: join(state, 'logs'),
    aws: join(state, 'aws'),
    sky: join(state, 'sky'),
    orchestrator: join(state, 'orchestrator'),
    pulumi: join(state, 'pulumi'),
    containers,
    containersConf: join(containers, 'containers.conf'),
    storageConf: join(containers, 'storage.conf'),
  };
}
