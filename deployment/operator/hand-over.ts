import { required, type CommandEnvironment } from './command-environment';
import { runningInstances } from './instances';
import { finishedJob, jobFailure } from './job';
import { labelKeys, type Carried } from './incarnation';
import type { SkyPilot } from './skypilot';
import { nodeTask, runEnvironment, type NodePart } from './node-task';
import { carriedOut, giveOrder, newOrderId } from './orders';

/**
 * Runs a part of the node's scripts on every node of a cluster or managed job that is up.
 *
 * @returns what it printed.
 * @throws Error with the last lines of its log where it fails.
 */
export async function runOnNodes(
  sky: SkyPilot,
  { incarnation, managed }: Carried,
  part: NodePart,
  environment: CommandEnvironment,
  minutes: number,
): Promise<string> {
  const deadline = Date.now() + minutes * 60_000;
  if (managed) {
    const order = newOrderId();
    await giveOrder(incarnation, { order, part, phase: 'full', files: {} }, environment);
    return carriedOut(sky, { incarnation, order, part }, environment, deadline);
  }
  const nodes = (await runningInstances(environment, [labelKeys.incarnation, incarnation])).length;
  const envs = runEnvironment({ incarnation, standby: false, repair: true });
  const { job_id: job } = await sky.exec(incarnation, nodeTask(part, nodes, envs), deadline);
  const status = await finishedJob(sky, incarnation, job, deadline);
  const log = await sky.jobLog(incarnation, job);
  if (status !== 'SUCCEEDED') throw jobFailure(part, incarnation, job, status, log);
  return log;
}

/**
 * Lets the nodes of a cluster give up the identity of their place: they drain where that is asked for, and stop their
 * services. Where no instance runs any more, there is nothing to give up.
 *
 * @throws Error where an instance runs and does not stand down: its identity must not be taken then.
 */
export async function standDown(
  sky: SkyPilot,
  carried: Carried,
  environment: CommandEnvironment,
): Promise<void> {
  const running = await runningInstances(environment, [labelKeys.incarnation, carried.incarnation]);
  if (running.length === 0) return;
  const minutes = Number(required(environment, 'SKYFLEET_DRAIN_MINUTES')) + standDownMinutes;
  await runOnNodes(sky, carried, 'stand-down', environment, minutes);
}

/** What standing down may take beside the draining. */
const standDownMinutes = 5;
