import { required, skyPilotOf, type CommandEnvironment } from './command-environment';
import { untilTerminated } from './delete';
import { labelKeys } from './incarnation';
import { isJobOf } from './managed-jobs';
import { isServer, type ServerIdentity } from './server-identity';
import type { SkyPilot } from './skypilot';

/**
 * The last that is done on the SkyPilot server when a stack is destroyed: takes down whatever still carries the stack's
 * label, such as a launch that Pulumi was killed too early to record, and takes the stack off the list of users.
 *
 * @throws Error naming the instances that are left at the time limit.
 */
export async function release(environment: CommandEnvironment): Promise<void> {
  const identity = JSON.parse(required(environment, 'PULUMI_COMMAND_STDOUT')) as ServerIdentity;
  const stack = required(environment, 'SKYFLEET_STACK');
  const sky = skyPilotOf(environment);
  await sky.checkServer();
  // Without its mark the stack was released before.
  if (!(await isServer(sky, identity))) return;
  const left = (await sky.status()).filter(({ labels }) => labels?.[labelKeys.stack] === stack);
  await Promise.all(left.map(({ name }) => sky.down(name)));
  await submissionsRecorded(sky, Number(required(environment, 'SKYFLEET_DELETE_MINUTES')));
  await sky.cancelManagedJobs((await sky.managedJobs()).filter((job) => isJobOf(job, stack)));
  await untilTerminated(`stack ${stack}`, [labelKeys.stack, stack], environment);
  if (!('mark' in identity)) return;
  await sky.removeUser(sky.user.id);
  await sky.removeUser(identity.mark);
}

/** Waits until managed jobs that are being submitted are in SkyPilot's list; whether they get there is seen there. */
async function submissionsRecorded(sky: SkyPilot, minutes: number): Promise<void> {
  const deadline = Date.now() + minutes * 60_000;
  const submissions = (await sky.launchesUnderWay()).filter(({ cluster }) => cluster === undefined);
  await Promise.allSettled(submissions.map(({ requestId }) => sky.result(requestId, deadline)));
}
