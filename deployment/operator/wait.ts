import { setTimeout as sleep } from 'node:timers/promises';
import { takeDown } from './delete';
import { lastLines, required, skyPilotOf, type CommandEnvironment } from './command-environment';
import { parseSubmission, type Submission } from './incarnation';
import { SkyRequestError, type SkyPilot } from './skypilot';
import { runEnvironment } from './submit';
import { renderRetry, toYaml } from './task';

/** What a node says of itself at the end of its run part (`deployment/node/scripts/run.sh`). */
export interface NodeReport {
  instanceId: string;
  zone: string;
  region: string;
  privateIp: string;
  publicIp: string;
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

/** The job that a launch has started; a failure says what SkyPilot said last. */
async function launchedJob(
  sky: SkyPilot,
  submission: Pick<Submission, 'incarnation' | 'requestId'>,
  deadline: number,
): Promise<number> {
  try {
    const launched = (await sky.result(submission.requestId, deadline)) as { job_id: number };
    return launched.job_id;
  } catch (error) {
    if (!(error instanceof SkyRequestError)) throw error;
    const log =
      error.type === 'RequestNotFound' ? '' : lastLines(await sky.requestLog(submission.requestId), 15);
    throw new Error(
      `launching cluster ${submission.incarnation} failed (${error.type}): ${error.message}\n${log}\n` +
        `See the whole log with: sky api logs ${submission.requestId}; then run pulumi up again`,
    );
  }
}

async function jobEnd(sky: SkyPilot, cluster: string, job: number, deadline: number): Promise<string> {
  for (;;) {
    const status = await sky.jobStatus(cluster, job);
    if (status === undefined || !runningStates.has(status)) return status ?? 'unknown to the cluster';
    if (Date.now() > deadline) return `still ${status} at the time limit`;
    await sleep(2000);
  }
}

/**
 * Follows the job of a launch to its end. One that had failed before this wait began was reported by an earlier run;
 * asking for the same again means another try, so its parts are run again on the nodes that are there.
 */
async function finishedJob(
  sky: SkyPilot,
  { incarnation, requestId }: Submission,
  environment: CommandEnvironment,
  deadline: number,
): Promise<{ job: number; status: string }> {
  const launched = await launchedJob(sky, { incarnation, requestId }, deadline);
  const found = await sky.jobStatus(incarnation, launched);
  if (found === undefined || runningStates.has(found) || found === 'SUCCEEDED') {
    return { job: launched, status: await jobEnd(sky, incarnation, launched, deadline) };
  }
  const task = {
    ...renderRetry(required(environment, 'SKYFLEET_PLACE'), Number(required(environment, 'SKYFLEET_NODES'))),
    ...runEnvironment(incarnation, required(environment, 'BACALHAU_COMPUTE_AUTH_TOKEN')),
  };
  const job = await sky.exec(incarnation, toYaml(task));
  return { job, status: await jobEnd(sky, incarnation, job, deadline) };
}

/** Waits until the nodes of a submitted cluster are ready, then ends what they replace. */
export async function wait(environment: CommandEnvironment): Promise<ReadyCluster> {
  const submission = parseSubmission(required(environment, 'SKYFLEET_SUBMISSION'));
  if (submission === undefined) throw new Error('SKYFLEET_SUBMISSION is empty');
  const { incarnation } = submission;
  const deadline = Date.now() + Number(required(environment, 'SKYFLEET_LAUNCH_MINUTES')) * 60_000;
  const sky = skyPilotOf(environment);

  const { job, status } = await finishedJob(sky, submission, environment, deadline);
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
