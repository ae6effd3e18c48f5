import { setTimeout as sleep } from 'node:timers/promises';
import { orchestratorOf, required, type CommandEnvironment } from './command-environment';
import { standDown } from './hand-over';
import { remainingInstances } from './instances';
import { carriedBy, labelKeys, parseSubmission, type Carried } from './incarnation';
import { jobOfIncarnation } from './managed-jobs';
import { withdrawOrders } from './orders';
import { ownServer } from './server-identity';
import { hasEnded, type SkyPilot } from './skypilot';

/**
 * Waits until AWS has terminated the instances with a label: SkyPilot returns earlier, and AWS refuses to delete a subnet
 * or a security group that a terminating instance still uses.
 *
 * @param what whose instances they are, for the message.
 * @throws Error naming the instances that are left at the time limit.
 */
export async function untilTerminated(
  what: string,
  [key, value]: [key: string, value: string],
  environment: CommandEnvironment,
): Promise<void> {
  const region = required(environment, 'SKYFLEET_REGION');
  const minutes = Number(required(environment, 'SKYFLEET_DELETE_MINUTES'));
  const deadline = Date.now() + minutes * 60_000;
  for (;;) {
    const instances = await remainingInstances(environment, [key, value]);
    if (instances.length === 0) return;
    if (Date.now() > deadline) {
      throw new Error(
        `${what} is down, but after ${minutes} minutes its instances ${instances.join(', ')} are not terminated. ` +
          `Look at them with: aws ec2 describe-instances --region ${region} --instance-ids ${instances.join(' ')}; then run pulumi destroy again`,
      );
    }
    await sleep(2000);
  }
}

/**
 * Takes clusters and managed jobs down, waits until their instances are terminated, and takes their nodes off the orchestrator's list.
 *
 * @throws Error naming the instances that are left at the time limit.
 */
export async function takeDown(
  sky: SkyPilot,
  incarnations: readonly Carried[],
  environment: CommandEnvironment,
): Promise<void> {
  await Promise.all(
    incarnations.map(async ({ incarnation, managed }) => {
      await (managed ? endManagedJob(sky, incarnation, environment) : sky.down(incarnation));
      await untilTerminated(`cluster ${incarnation}`, [labelKeys.incarnation, incarnation], environment);
      if (managed) await withdrawOrders(incarnation, environment);
      await leaveOrchestrator(incarnation, environment);
    }),
  );
}

/** Ends the managed job of an incarnation; one that does not exist counts as ended. SkyPilot then ends its instances. */
async function endManagedJob(
  sky: SkyPilot,
  incarnation: string,
  environment: CommandEnvironment,
): Promise<void> {
  const job = await jobOfIncarnation(sky, incarnation, required(environment, 'SKYFLEET_STACK'));
  if (job !== undefined && !hasEnded(job)) await sky.cancelManagedJobs([job]);
}

/** Takes the nodes of a cluster off the orchestrator's list, where its API is configured. */
async function leaveOrchestrator(incarnation: string, environment: CommandEnvironment): Promise<void> {
  const orchestrator = orchestratorOf(environment);
  if (orchestrator === undefined) return;
  const nodes = (await orchestrator.computeNodes()).map(({ name }) => name);
  await orchestrator.deleteNodes(
    // A cluster of several nodes numbers them (`claim_member.py`).
    nodes.filter((name) => name === incarnation || new RegExp(`^${incarnation}-\\d+$`).test(name)),
  );
}

/**
 * Ends what a submit command has recorded: its incarnation, and those that it was to replace. Where the fleet drains its
 * nodes, running jobs may end first; a node that cannot be drained any more does not keep the place from being deleted.
 */
export async function deletePlace(environment: CommandEnvironment): Promise<void> {
  const submission = parseSubmission(environment['PULUMI_COMMAND_STDOUT']);
  if (submission === undefined) return;
  const sky = await ownServer(environment);
  const { incarnation, retiring } = submission;
  if (Number(environment['SKYFLEET_DRAIN_MINUTES'] ?? 0) > 0) {
    await standDown(sky, carriedBy(submission, incarnation), environment).catch((error: unknown) => {
      process.stderr.write(`cluster ${incarnation} goes without being drained: ${String(error)}\n`);
    });
  }
  const all = [incarnation, ...retiring].map((name) => carriedBy(submission, name));
  await takeDown(sky, all, environment);
}
