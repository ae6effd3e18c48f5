import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { labelKeys } from '../../deployment/operator/incarnation';
import { stateFolder } from '../../deployment/operator/running';
import type { SshAccess } from '../../deployment/operator/skypilot';
import { interrupted } from '../exit-codes';
import type { Fleet } from './fleet';
import type { FleetNode } from './nodes';

/** What `ssh` is called with to reach a node. */
export interface SshTarget {
  node: FleetNode;
  access: Pick<SshAccess, 'user' | 'proxyCommand'>;
  /** File of the private key. */
  keyFile: string;
  /** File of the keys by which nodes were known before. */
  knownHosts: string;
}

/**
 * Arguments of `ssh` for a node.
 *
 * The key of a host is taken at the first connection and held to afterwards, by the id of the instance: addresses come back
 * with other machines.
 *
 * @throws Error where the node has no address.
 */
export function sshArguments({ node, access, keyFile, knownHosts }: SshTarget): string[] {
  if (node.address === null) throw new Error(`${node.instanceId} has no address: it is ${node.state}`);
  const options = [
    'StrictHostKeyChecking=accept-new',
    `UserKnownHostsFile=${knownHosts}`,
    `HostKeyAlias=${node.instanceId}`,
    'HashKnownHosts=no',
    'IdentitiesOnly=yes',
    'ConnectTimeout=15',
    'ServerAliveInterval=15',
    'LogLevel=ERROR',
    ...(access.proxyCommand === undefined ? [] : [`ProxyCommand=${access.proxyCommand}`]),
  ];
  return ['-i', keyFile, ...options.flatMap((option) => ['-o', option]), `${access.user}@${node.address}`];
}

/** The line for the shell of a node: one word is such a line, of several the shell sees each as it is. */
export function remoteCommand(words: readonly string[]): string {
  const [first = '', ...others] = words;
  if (others.length === 0) return first;
  const quoted = (word: string): string =>
    /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
  return words.map(quoted).join(' ');
}

/** How nodes are reached: the keys of their clusters, in files of this process alone. */
export class SshKeys {
  private readonly folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-ssh-'));
  private readonly accesses = new Map<string, Promise<{ access: SshAccess; keyFile: string }>>();

  constructor(private readonly fleet: Fleet) {
    // Also where the process is ended while a session runs: a signal alone would leave the keys behind.
    process.on('exit', () => this.remove());
    for (const [signal, code] of Object.entries(interrupted)) process.once(signal, () => process.exit(code));
  }

  /** @throws Error where SkyPilot does not know the cluster of the node. */
  async target(node: FleetNode): Promise<SshTarget> {
    const known = this.accesses.get(node.incarnation) ?? this.accessTo(node.incarnation);
    this.accesses.set(node.incarnation, known);
    const knownHosts = path.join(stateFolder(), 'known_hosts');
    fs.mkdirSync(path.dirname(knownHosts), { recursive: true, mode: 0o700 });
    return { node, ...(await known), knownHosts };
  }

  /** Takes the files away. */
  remove(): void {
    fs.rmSync(this.folder, { recursive: true, force: true });
  }

  private async accessTo(incarnation: string): Promise<{ access: SshAccess; keyFile: string }> {
    const sky = await this.fleet.server();
    const [access] = await sky.sshAccess([labelKeys.incarnation, incarnation]);
    if (access === undefined) {
      throw new Error(
        `the SkyPilot server at ${sky.address} does not know ${incarnation}, and so not how to log in; ` +
          'npx skyfleet drift tells what is wrong with it',
      );
    }
    const keyFile = path.join(this.folder, incarnation);
    fs.writeFileSync(keyFile, access.privateKey, { mode: 0o600 });
    return { access, keyFile };
  }
}
