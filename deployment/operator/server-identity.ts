import { randomBytes } from 'node:crypto';
import { required, skyPilotOf, type CommandEnvironment } from './command-environment';
import { labelKeys } from './incarnation';
import { SkyServerError, type SkyPilot } from './skypilot';

/**
 * The SkyPilot server that a stack belongs to. A server without a login is known by a mark that the stack left in its
 * list of users: its address says nothing, since every operator's own server has the same. A server with a login is
 * shared by its operators and known by its address.
 */
export type ServerIdentity = { mark: string } | { address: string };

/**
 * Records the server that the environment names: as the stack's own where there was none before, else only if it is the
 * same server, maybe under another address.
 *
 * @throws SkyServerError where the stack belongs to another server.
 */
export async function claimServer(environment: CommandEnvironment): Promise<ServerIdentity> {
  const stack = required(environment, 'SKYFLEET_STACK');
  const stdout = environment['PULUMI_COMMAND_STDOUT'] ?? '';
  const recorded = stdout === '' ? undefined : (JSON.parse(stdout) as ServerIdentity);
  const sky = skyPilotOf(environment);
  const { login } = await sky.checkServer();
  if (recorded === undefined) return login ? { address: sky.address } : leaveMark(sky, stack);
  if (await isServer(sky, recorded)) return recorded;
  // A server with a login may move: then it still has the stack's clusters.
  const moved = login && (await sky.status()).some(({ labels }) => labels?.[labelKeys.stack] === stack);
  if (!moved) throw otherServer(sky, recorded, stack);
  return { address: sky.address };
}

/**
 * The server that the environment names, once it is known to be the one that the stack belongs to. Until then nothing is
 * asked of it that it would keep.
 *
 * @throws SkyServerError saying why it cannot be used and what to do.
 */
export async function ownServer(environment: CommandEnvironment): Promise<SkyPilot> {
  const sky = skyPilotOf(environment);
  await sky.checkServer();
  const identity = JSON.parse(required(environment, 'SKYFLEET_SERVER')) as ServerIdentity;
  if (!(await isServer(sky, identity))) {
    throw otherServer(sky, identity, required(environment, 'SKYFLEET_STACK'));
  }
  return sky;
}

async function leaveMark(sky: SkyPilot, stack: string): Promise<ServerIdentity> {
  // The form of SkyPilot's own user ids.
  const mark = randomBytes(4).toString('hex');
  await sky.addUser({ id: mark, name: `skyfleet:${stack}` });
  return { mark };
}

/** Whether a server is the one that was recorded. */
export async function isServer(sky: SkyPilot, identity: ServerIdentity): Promise<boolean> {
  return 'mark' in identity
    ? (await sky.userIds()).includes(identity.mark)
    : identity.address === sky.address;
}

function otherServer(sky: SkyPilot, identity: ServerIdentity, stack: string): SkyServerError {
  const own =
    'mark' in identity ? `the one that holds its mark ${identity.mark}` : `the one at ${identity.address}`;
  return new SkyServerError(
    `The SkyPilot server at ${sky.address} is not the one that stack ${stack} belongs to, which is ${own}. ` +
      'A server knows only the clusters that it launched itself, so this one would build a second fleet beside the first. ' +
      'Set skyfleet:skypilot.endpoint to the server that the stack was brought up with, and run the command again',
  );
}
