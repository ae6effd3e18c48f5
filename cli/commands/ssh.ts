import { spawn } from 'node:child_process';
import { readFleet } from '../fleet/fleet';
import { findNode } from '../fleet/find';
import { seeNodes } from '../fleet/seen';
import { remoteCommand, sshArguments, SshKeys } from '../fleet/ssh';
import { oneStackOf, type StackChoice } from '../stacks';

/**
 * Opens a shell on a node, or runs a command there with this terminal.
 *
 * @returns the exit code of `ssh`, which is that of the command, or 255 where there is no connection.
 */
export async function ssh(name: string, command: readonly string[], options: StackChoice): Promise<number> {
  const fleet = await readFleet(await oneStackOf(options));
  const { nodes } = await seeNodes(fleet);
  const keys = new SshKeys(fleet);
  try {
    const target = await keys.target(findNode(nodes, name));
    const words = command.length === 0 ? [] : ['--', remoteCommand(command)];
    const child = spawn('ssh', [...sshArguments(target), ...words], { stdio: 'inherit' });
    return await new Promise<number>((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve(code ?? 1));
    });
  } finally {
    keys.remove();
  }
}
