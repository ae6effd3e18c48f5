import { AwsCliError } from './aws-cli';
import { capacityFailure } from './capacity';
import { takeDown } from './delete';
import { lastLines, required, type CommandEnvironment } from './command-environment';
import { runOnNodes, standDown } from './hand-over';
import { carriedBy, labelKeys, parseSubmission, type Carried, type Submission } from './incarnation';
import { standingOf } from './instances';
import { finishedJob, jobFailure } from './job';
import { LossWatch, type InstanceStanding } from './losses';
import { carriedOut, EndedJobError } from './orders';
import { retag } from './retag';
import { ownServer } from './server-identity';
import { SkyRequestError, type SkyPilot } from './skypilot';

/** What a node says of itself at the end of its run part (`deployment/node/scripts/run.sh`). */
export interface NodeReport {
  /** Id of its EC2 instance. */
  instanceId: string;
  /** Availability zone that it stands in. */
  zone: string;
  /** AWS region. */
  region: string;
  /** Address within the VPC. */
  privateIp: string;
  /** Public address; null where nodes have private addresses only. */
  publicIp: string | null;
  /** Name of the Bacalhau node, as the orchestrator lists it. */
  nodeName: string;
  /** Its sensor ordinal. */
  ordinal: number;
  /** Identity of its sensor, such as `SENSOR_CA_SFO_0000`. */
  sensorId: string;
}

/** What the wait command prints. */
export interface ReadyCluster {
  incarnation: string;
  /** The generation of the place that was followed to its end. */
  generation: number;
  nodes: NodeReport[];
  /** Keys of the AWS tags that the configuration has set on them. */
  tags: string[];
}

const reportMark = 'SKYFLEET_NODE ';
const standbyMark = 'SKYFLEET_STANDBY ';

/** The JSON behind a mark in a job's log, one for each node. A line may carry SkyPilot's prefix for its worker. */
function marked(log: string, mark: string): unknown[] {
  return log.split('\n').flatMap((line) => {
    const start = line.indexOf(mark);
    return start === -1 ? [] : [JSON.parse(line.slice(start + mark.length)) as unknown];
  });
}

/** The reports in a job's log, one per node, by ordinal. */
export function nodeReports(log: string): NodeReport[] {
  return (marked(log, reportMark) as NodeReport[]).sort((a, b) => a.ordinal - b.ordinal);
}

/** What SkyPilot said of a launch that failed, and where to read more. */
async function launchFailure(
  sky: SkyPilot,
  { incarnation, requestId }: Submission,
  error: SkyRequestError,
): Promise<Error> {
  const log = error.type === 'RequestNotFound' ? '' : await sky.requestLog(requestId);
  const where = `See the whole log with: sky api logs ${requestId}`;
  const noCapacity = capacityFailure(error.type, log);
  return new Error(
    noCapacity === undefined
      ? `launching cluster ${incarnation} failed (${error.type}): ${error.message}\n${lastLines(log, 15)}\n${where}; then run pulumi up again`
      : `launching cluster ${incarnation} failed: ${noCapacity}\n${where}`,
  );
}

/** Follows the submission of a managed job, and the order that goes with it, to the end. Gives back what nodes have printed. */
async function orderedLog(
  sky: SkyPilot,
  { incarnation, requestId, order }: Submission & { order: string },
  nodes: number,
  environment: CommandEnvironment,
  deadline: number,
): Promise<string> {
  try {
    if (requestId !== '') await sky.result(requestId, deadline);
    return await carriedOut(sky, { incarnation, order, part: 'run', nodes }, environment, deadline);
  } catch (error) {
    const noCapacity =
      error instanceof EndedJobError ? capacityFailure('ResourcesUnavailableError', error.log) : undefined;
    throw noCapacity === undefined
      ? error
      : new Error(`launching managed job ${incarnation} failed: ${noCapacity}`, { cause: error });
  }
}

/** Seconds between two looks at the instances of a launch. */
const usualLookSeconds = 30;

/**
 * Looks whether AWS takes an instance of a launch that is under way. SkyPilot would go on to connect to it for a quarter
 * of an hour: the launch is ended, so that the next `up` launches again.
 */
async function lossesOf(
  sky: SkyPilot,
  { incarnation, requestId, generation }: Submission,
  environment: CommandEnvironment,
): Promise<{ seconds: number; look: () => Promise<void> }> {
  // The first launch of a place has no instances but its own.
  const isFirst = generation === 1;
  let watch = isFirst ? new LossWatch() : undefined;
  const look = async (): Promise<void> => {
    let standing: InstanceStanding[];
    try {
      standing = await standingOf(environment, [labelKeys.incarnation, incarnation]);
    } catch (error) {
      // What cannot be seen is no loss: the launch itself is followed all the same.
      if (error instanceof AwsCliError) return;
      throw error;
    }
    watch ??= new LossWatch(standing);
    const lost = watch.look(standing);
    if (lost.length === 0) return;
    await sky.cancelRequest(requestId);
    throw new Error(
      `AWS has taken ${lost.join(', ')} of cluster ${incarnation} while it was being brought up; run pulumi up again, which launches it again`,
    );
  };
  // At once, before SkyPilot has begun: what runs now and has ended by the next look is lost.
  if (!isFirst) await look();
  return { seconds: Number(environment['SKYFLEET_LOOK_SECONDS'] ?? usualLookSeconds), look };
}

/** Follows a launch and its job to the end. Gives back what the job has printed. */
async function launchedLog(
  sky: SkyPilot,
  submission: Submission,
  environment: CommandEnvironment,
  deadline: number,
): Promise<string> {
  const { incarnation, requestId } = submission;
  const losses = await lossesOf(sky, submission, environment);
  const { job_id: job } = (await sky.result(requestId, deadline, losses).catch(async (error: unknown) => {
    throw error instanceof SkyRequestError ? await launchFailure(sky, submission, error) : error;
  })) as { job_id: number };
  const status = await finishedJob(sky, incarnation, job, deadline);
  const log = await sky.jobLog(incarnation, job);
  if (status !== 'SUCCEEDED') throw jobFailure('setting up', incarnation, job, status, log);
  return log;
}

/** Fails where not every node has reported. */
function complete<Report>(incarnation: string, reports: Report[], expected: number): Report[] {
  if (reports.length === expected) return reports;
  throw new Error(
    `cluster ${incarnation} reported ${reports.length} nodes instead of ${expected}; see: sky logs ${incarnation}`,
  );
}

/**
 * Waits until the nodes of a submitted cluster are ready. Where it replaces others, the new nodes stand by until the old
 * ones have given up their identity, and the old ones end once the new ones are ready.
 */
export async function wait(environment: CommandEnvironment): Promise<ReadyCluster> {
  const submission = parseSubmission(required(environment, 'SKYFLEET_SUBMISSION'));
  if (submission === undefined) throw new Error('SKYFLEET_SUBMISSION is empty');
  const { incarnation, retiring, generation } = submission;
  const sky = await ownServer(environment);
  const before = earlierOutput(environment);
  if (before?.incarnation === incarnation && before.generation === generation) {
    // It was followed to its end before, and runs again for another time limit, address or version alone. SkyPilot
    // forgets its requests after a day, and nothing is to run on nodes a second time.
    return { ...before, tags: await tagsInPlace(incarnation, environment) };
  }
  const minutes = Number(required(environment, 'SKYFLEET_LAUNCH_MINUTES'));
  const expected = Number(required(environment, 'SKYFLEET_NODES'));

  const deadline = Date.now() + minutes * 60_000;
  const { order } = submission;
  const launched =
    order === undefined
      ? await launchedLog(sky, submission, environment, deadline)
      : await orderedLog(sky, { ...submission, order }, expected, environment, deadline);
  let log = launched;
  if (retiring.length > 0) {
    complete(incarnation, marked(launched, standbyMark), expected);
    log = await takeOver(sky, submission, environment, minutes);
  }
  const nodes = complete(incarnation, nodeReports(log), expected);
  await takeDown(
    sky,
    retiring.map((name) => carriedBy(submission, name)),
    environment,
  );
  return { incarnation, generation, nodes, tags: await tagsInPlace(incarnation, environment) };
}

/** What this command printed before; undefined where it runs for the first time. */
function earlierOutput(environment: CommandEnvironment): ReadyCluster | undefined {
  const stdout = environment['PULUMI_COMMAND_STDOUT'] ?? '';
  return stdout === '' ? undefined : (JSON.parse(stdout) as ReadyCluster);
}

/** Changes the AWS tags of what was there before the configuration's tags changed. Gives back the keys of those it has. */
async function tagsInPlace(incarnation: string, environment: CommandEnvironment): Promise<string[]> {
  const wanted = JSON.parse(required(environment, 'SKYFLEET_TAGS')) as Record<string, string>;
  const before = earlierOutput(environment);
  // A new machine was launched with the tags that it is to have.
  if (before?.incarnation === incarnation)
    await retag(incarnation, { wanted, previous: before.tags }, environment);
  return Object.keys(wanted).sort();
}

/** Lets the old nodes stand down and the new ones take over; where that fails, the old ones serve again. */
async function takeOver(
  sky: SkyPilot,
  submission: Submission,
  environment: CommandEnvironment,
  minutes: number,
): Promise<string> {
  const retiring = submission.retiring.map((name) => carriedBy(submission, name));
  for (const old of retiring) await standDown(sky, old, environment);
  try {
    const fresh = carriedBy(submission, submission.incarnation);
    return await runOnNodes(sky, fresh, 'run', environment, minutes);
  } catch (error) {
    const [old] = retiring;
    if (old !== undefined) await serveAgain(sky, old, environment, minutes, error as Error);
    throw error;
  }
}

/** Brings nodes that have stood down back into service, because what was to replace them has failed. */
async function serveAgain(
  sky: SkyPilot,
  old: Carried,
  environment: CommandEnvironment,
  minutes: number,
  cause: Error,
): Promise<void> {
  try {
    await runOnNodes(sky, old, 'run', environment, minutes);
  } catch (error) {
    throw new Error(
      `${cause.message}\nAnd ${old.incarnation}, which was to be replaced, does not serve again: ${String(error)}`,
      {
        cause,
      },
    );
  }
}
