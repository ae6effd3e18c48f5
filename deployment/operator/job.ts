import { setTimeout as sleep } from 'node:timers/promises';
import { lastLines } from './command-environment';
import type { Submission } from './incarnation';
import { jobOfIncarnation } from './managed-jobs';
import type { OrderReport } from './orders';
import type { LaunchState } from './place-plan';
import { hasEnded, SkyRequestError, type SkyPilot } from './skypilot';

const runningStates = new Set(['INIT', 'PENDING', 'SETTING_UP', 'RUNNING']);

/**
 * Follows a job of a cluster to its end. At the deadline the job is ended: the next run would follow it again, and one
 * that hangs would hang for ever.
 *
 * @returns SkyPilot's status of the job, or what it was at the deadline.
 */
export async function finishedJob(
  sky: SkyPilot,
  incarnation: string,
  job: number,
  deadline: number,
): Promise<string> {
  for (;;) {
    const status = (await sky.jobStatus(incarnation, job)) ?? 'unknown to the cluster';
    if (!runningStates.has(status)) return status;
    if (Date.now() > deadline) {
      await sky.cancelJob(incarnation, job);
      return `still ${status} at the time limit`;
    }
    await sleep(2000);
  }
}

/** What a job said at its end that was not the wanted one, and where to read more. */
export function jobFailure(
  step: string,
  incarnation: string,
  job: number,
  status: string,
  log: string,
): Error {
  return new Error(
    `${step} on the nodes of cluster ${incarnation} ended as ${status}. The last lines of its log:\n${lastLines(log, 20)}\n` +
      `See the whole log with: sky logs ${incarnation} ${job}; then run pulumi up again`,
  );
}

/** What a node says of an order, as far as it is read here. */
type Reports = (incarnation: string, order: string) => Promise<Pick<OrderReport, 'exitCode'>[]>;

/** How the submission of a managed job stands, and the order that goes with it. */
async function orderState(
  sky: SkyPilot,
  { incarnation, requestId }: Submission,
  { order, stack, reports }: { order: string; stack: string; reports: Reports },
): Promise<LaunchState> {
  if (requestId !== '' && (await sky.resultSoFar(requestId)) === undefined) return 'under way';
  const job = await jobOfIncarnation(sky, incarnation, stack);
  if (job === undefined || hasEnded(job)) return 'failed';
  const said = await reports(incarnation, order);
  return said.some(({ exitCode }) => exitCode !== 0) ? 'failed' : 'under way';
}

/**
 * How a launch stands that was submitted before; one that the server has forgotten counts as failed.
 *
 * @param reports reads what the nodes of a managed job say of an order.
 */
export async function launchState(
  sky: SkyPilot,
  submission: Submission,
  { stack, reports }: { stack: string; reports: Reports },
): Promise<LaunchState> {
  const { incarnation, requestId, order } = submission;
  try {
    if (order !== undefined) return await orderState(sky, submission, { order, stack, reports });
    const launched = (await sky.resultSoFar(requestId)) as { job_id: number } | undefined;
    if (launched === undefined) return 'under way';
    const status = await sky.jobStatus(incarnation, launched.job_id);
    if (status === 'SUCCEEDED') return 'succeeded';
    return status !== undefined && runningStates.has(status) ? 'under way' : 'failed';
  } catch (error) {
    if (error instanceof SkyRequestError) return 'failed';
    throw error;
  }
}
