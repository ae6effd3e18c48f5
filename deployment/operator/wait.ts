import { setTimeout as sleep } from 'node:timers/promises';
import { takeDown } from './delete';
import { lastLines, required, type CommandEnvironment } from './command-environment';
import { parseSubmission, type Submission } from './incarnation';
import { launch } from './launch';
import { ownServer } from './server-identity';
import { SkyRequestError, type SkyPilot } from './skypilot';

/** What a node says of itself at the end of its run part (`deployment/node/scripts/run.sh`). */
export interface NodeReport {
  instanceId: string;
  zone: string;
  region: string;
  privateIp: string;
  /** Null where nodes have private addresses only. */
  publicIp: string | null;
  nodeName: string;
  ordinal: number;
  sensorId: string;
}

/** What the wait command prints. */
export interface ReadyCluster {
  incarnation: string;
  nodes: NodeReport[];
}

const reportMark = 'SKYFLEET_NODE ';
const runningStates = new Set(['INIT', 'PENDING', 'SETTING_UP', 'RUNNING']);

/** The reports in a job's log, one per node, by ordinal. A line may carry SkyPilot's prefix for its worker. */
export function nodeReports(log: string): NodeReport[] {
  const reports = log.split('\n').flatMap((line) => {
    const start = line.indexOf(reportMark);
    return start === -1 ? [] : [JSON.parse(line.slice(start + reportMark.length)) as NodeReport];
  });
  return reports.sort((a, b) => a.ordinal - b.ordinal);
}

/** How the job of a launch ended. */
interface FinishedJob {
  job: number;
  status: string;
}

/** Follows a launch and its job to the end. */
async function finishedJob(sky: SkyPilot, launched: LaunchedCluster, deadline: number): Promise<FinishedJob> {
  const { incarnation, requestId } = launched;
  const { job_id: job } = (await sky.result(requestId, deadline)) as { job_id: number };
  for (;;) {
    const status = (await sky.jobStatus(incarnation, job)) ?? 'unknown to the cluster';
    if (!runningStates.has(status)) return { job, status };
    if (Date.now() > deadline) return { job, status: `still ${status} at the time limit` };
    await sleep(2000);
  }
}

/** A cluster and the request under which SkyPilot launches it. */
type LaunchedCluster = Pick<Submission, 'incarnation' | 'requestId'>;

/**
 * The launch to wait for. One that had failed, or that the server had forgotten, before this wait began was reported by
 * an earlier run; asking for the same again means another try, so it is launched again under the same name.
 */
async function launchToFollow(
  sky: SkyPilot,
  submitted: LaunchedCluster,
  variables: CommandEnvironment,
): Promise<LaunchedCluster> {
  if (!(await hasFailed(sky, submitted))) return submitted;
  return { ...submitted, requestId: await launch(sky, variables, submitted.incarnation) };
}

async function hasFailed(sky: SkyPilot, { incarnation, requestId }: LaunchedCluster): Promise<boolean> {
  try {
    const launched = (await sky.resultSoFar(requestId)) as { job_id: number } | undefined;
    if (launched === undefined) return false;
    const status = await sky.jobStatus(incarnation, launched.job_id);
    return status === undefined || !(runningStates.has(status) || status === 'SUCCEEDED');
  } catch (error) {
    if (error instanceof SkyRequestError) return true;
    throw error;
  }
}

/** What SkyPilot said of a launch that failed, and where to read more. */
async function launchFailure(
  sky: SkyPilot,
  launched: LaunchedCluster,
  error: SkyRequestError,
): Promise<Error> {
  const { incarnation, requestId } = launched;
  const log = error.type === 'RequestNotFound' ? '' : lastLines(await sky.requestLog(requestId), 15);
  return new Error(
    `launching cluster ${incarnation} failed (${error.type}): ${error.message}\n${log}\n` +
      `See the whole log with: sky api logs ${requestId}; then run pulumi up again`,
  );
}

/**
 * Waits until the nodes of a submitted cluster are ready, then ends what they replace.
 *
 * @param launchText JSON of the variables that describe the launch, for another try after a failure.
 */
export async function wait(environment: CommandEnvironment, launchText: string): Promise<ReadyCluster> {
  const submission = parseSubmission(required(environment, 'SKYFLEET_SUBMISSION'));
  if (submission === undefined) throw new Error('SKYFLEET_SUBMISSION is empty');
  const { incarnation } = submission;
  const deadline = Date.now() + Number(required(environment, 'SKYFLEET_LAUNCH_MINUTES')) * 60_000;
  const sky = await ownServer(environment);

  const launched = await launchToFollow(sky, submission, JSON.parse(launchText) as CommandEnvironment);
  const { job, status } = await finishedJob(sky, launched, deadline).catch(async (error: unknown) => {
    throw error instanceof SkyRequestError ? await launchFailure(sky, launched, error) : error;
  });
  const log = await sky.jobLog(incarnation, job);
  if (status !== 'SUCCEEDED') {
    throw new Error(
      `setting up the nodes of cluster ${incarnation} ended as ${status}. The last lines of its log:\n${lastLines(log, 20)}\n` +
        `See the whole log with: sky logs ${incarnation} ${job}; then run pulumi up again`,
    );
  }
  const nodes = nodeReports(log);
  const expected = Number(required(environment, 'SKYFLEET_NODES'));
  if (nodes.length !== expected) {
    throw new Error(
      `cluster ${incarnation} reported ${nodes.length} nodes instead of ${expected}; see: sky logs ${incarnation} ${job}`,
    );
  }
  await takeDown(sky, submission.retiring, environment);
  return { incarnation, nodes };
}
