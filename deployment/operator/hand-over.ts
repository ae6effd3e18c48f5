import { required, type CommandEnvironment } from './command-environment';
import { runningInstances } from './instances';
import { finishedJob, jobFailure } from './job';
import { labelKeys } from './incarnation';
import type { SkyPilot } from './skypilot';
import { nodeTask, runEnvironment, type NodePart } from './node-task';

/**
 * Runs a part of the node's scripts on every node of a cluster that is up.
 *
 * @returns what it printed.
 * @throws Error with the last lines of its log where it fails.
 */
export async function runOnNodes(
  sky: SkyPilot,
  incarnation: string,
  part: NodePart,
  environment: CommandEnvironment,
  minutes: number,
): Promise<string> {
  const deadline = Date.now() + minutes * 60_000;
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
  incarnation: string,
  environment: CommandEnvironment,
): Promise<void> {
  const running = await runningInstances(environment, [labelKeys.incarnation, incarnation]);
  if (running.length === 0) return;
  const minutes = Number(required(environment, 'SKYFLEET_DRAIN_MINUTES')) + standDownMinutes;
  await runOnNodes(sky, incarnation, 'stand-down', environment, minutes);
}

/** What standing down may take beside the draining. */
const standDownMinutes = 5;
