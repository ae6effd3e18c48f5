import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { required, type CommandEnvironment } from './command-environment';
import { keptBundle } from './bundles';
import { takeDown } from './delete';
import {
  carriedBy,
  chooseIncarnation,
  isFitting,
  isIncarnationOf,
  labelKeys,
  parseSubmission,
  type Submission,
  type SubmitOutput,
  type WantedPlace,
} from './incarnation';
import { zonesOfInstances } from './instances';
import { launch, shippedFiles, shrink } from './launch';
import { foreignJobs, jobsAsClusters } from './managed-jobs';
import { readNodeFiles } from './node-files';
import type { RunWay } from './node-task';
import { foreignClaims } from './observation';
import { giveOrder, newOrderId } from './orders';
import { ownServer } from './server-identity';
import { filesFingerprint, fingerprint } from './shipped-files';
import type { ClusterStatus, SkyPilot } from './skypilot';
import { zonesOf, type SkyTask } from './task';

/** Submits what is to stand in a place, and gives it back with the program that the place is deleted by. */
export async function submit(environment: CommandEnvironment): Promise<SubmitOutput> {
  const program = keptBundle('delete');
  const reviewed = required(environment, 'SKYFLEET_DELETE_PROGRAM');
  holdToReviewed('the programs below deployment/operator/', fingerprint(program), reviewed);
  return { ...(await submitPlace(environment)), program };
}

/**
 * Schedules the launch of what is to stand in a place, and returns at once. What was submitted for this generation before
 * is not submitted again.
 */
async function submitPlace(environment: CommandEnvironment): Promise<Submission> {
  const recorded = parseSubmission(environment['PULUMI_COMMAND_STDOUT']);
  const generation = Number(required(environment, 'SKYFLEET_GENERATION'));
  if (recorded?.generation === generation) return recorded;

  const sky = await ownServer(environment);
  const files = reviewedFiles(environment);
  const wanted = {
    stack: required(environment, 'SKYFLEET_STACK'),
    place: required(environment, 'SKYFLEET_PLACE'),
    machine: required(environment, 'SKYFLEET_MACHINE'),
  };
  await untilNothingIsUnderWay(sky, wanted.place, Number(required(environment, 'SKYFLEET_LAUNCH_MINUTES')));
  const managed = required(environment, 'SKYFLEET_RECOVERY') === 'managed';
  const standing = await whatStands(sky, wanted, environment, managed || recorded?.managed !== undefined);
  const { incarnation, retiring: others } = chooseIncarnation(
    standing.clusters,
    wanted,
    recorded?.incarnation,
  );
  const jobs = [...standing.jobs, ...(managed ? [incarnation] : [])];
  // Whoever serves goes last; others are what is left of tries that failed, and may hold what the place needs.
  const serving = environment['SKYFLEET_SERVING'];
  const deleteFirst = required(environment, 'SKYFLEET_STRATEGY') === 'delete-first';
  const retiring = others.filter((name) => name === serving && !deleteFirst);
  const failed = others.filter((name) => !retiring.includes(name));
  await takeDown(
    sky,
    failed.map((name) => carriedBy({ managed: jobs }, name)),
    environment,
  );

  const there = standing.clusters.find(({ name }) => name === incarnation);
  const way = { incarnation, standby: retiring.length > 0, repair: true };
  const begun = managed
    ? await beginManaged(sky, environment, files, { way, isThere: there !== undefined })
    : await beginCluster(sky, environment, files, { way, nodes: there?.nodes });
  const ofJobs = [incarnation, ...retiring].filter((name) => jobs.includes(name));
  return { incarnation, retiring, generation, ...begun, ...(ofJobs.length > 0 ? { managed: ofJobs } : {}) };
}

/**
 * The clusters of the server, and the managed jobs of the place beside them in the same form.
 *
 * @param withJobs whether there may be managed jobs; the list of them is expensive for the server.
 * @throws Error where another stack has the place.
 */
async function whatStands(
  sky: SkyPilot,
  wanted: WantedPlace,
  environment: CommandEnvironment,
  withJobs: boolean,
): Promise<{ clusters: ClusterStatus[]; jobs: string[] }> {
  const known = await sky.status();
  const jobs = withJobs ? await sky.managedJobs() : [];
  const [claim] = [
    ...foreignClaims(known, wanted.stack, [wanted.place]),
    ...foreignJobs(jobs, wanted.stack, [wanted.place]),
  ];
  if (claim !== undefined) throw new Error(claim);
  const ofPlace = jobsAsClusters(jobs, wanted);
  return {
    clusters: await withoutMisplaced([...known, ...ofPlace], wanted, environment),
    jobs: ofPlace.map(({ name }) => name),
  };
}

/** Launches a cluster, or brings the one that is there up to date. */
async function beginCluster(
  sky: SkyPilot,
  environment: CommandEnvironment,
  files: Record<string, string>,
  { way, nodes }: { way: RunWay; nodes: number | undefined },
): Promise<{ requestId: string }> {
  const wanted = Number(required(environment, 'SKYFLEET_NODES'));
  if (nodes !== undefined && nodes > wanted) await shrunk(sky, environment, way.incarnation);
  const resize = nodes !== undefined && nodes < wanted;
  return { requestId: await launch(sky, environment, files, { ...way, resize, managed: false }) };
}

/** Submits a managed job, or orders the nodes of the one that is there to bring themselves up to date. */
async function beginManaged(
  sky: SkyPilot,
  environment: CommandEnvironment,
  files: Record<string, string>,
  { way, isThere }: { way: RunWay; isThere: boolean },
): Promise<{ requestId: string; order: string }> {
  const order = newOrderId();
  if (!isThere) {
    const job = { ...way, resize: false, managed: true, order };
    return { requestId: await launch(sky, environment, files, job), order };
  }
  const phase = way.standby ? 'standby' : 'full';
  const shipped = shippedFiles(environment, files);
  await giveOrder(way.incarnation, { order, part: 'run', phase, files: shipped }, environment);
  return { requestId: '', order };
}

/**
 * How long Ray may take to miss a node that has ended: it asks every 3 s, with 10 s for the answer, and gives up after 5
 * times (`health_check_*` in `src/ray/common/ray_config_def.h` of Ray 2.9). Tests wait less.
 */
const missedSeconds = 75;

/**
 * Brings a cluster to fewer nodes, without setting them up yet. SkyPilot runs the setup part on as many nodes as Ray
 * believes alive, and would wait for ever for one that has just ended (0.14.1: `sky/backends/task_codegen.py`).
 */
async function shrunk(sky: SkyPilot, environment: CommandEnvironment, incarnation: string): Promise<void> {
  const minutes = Number(required(environment, 'SKYFLEET_LAUNCH_MINUTES'));
  const requestId = await shrink(sky, environment, incarnation);
  await sky.result(requestId, Date.now() + minutes * 60_000);
  await sleep(Number(environment['SKYFLEET_MISSED_SECONDS'] ?? missedSeconds) * 1000);
}

/**
 * The files that every node of the fleet gets, which the preview has shown.
 *
 * @throws Error where the checkout holds others by now.
 */
function reviewedFiles(environment: CommandEnvironment): Record<string, string> {
  const files = readNodeFiles();
  const reviewed = required(environment, 'SKYFLEET_FILES');
  holdToReviewed('the files below deployment/node/', filesFingerprint(files), reviewed);
  return files;
}

/** @throws Error where what the checkout holds by now is not what the preview went by. */
function holdToReviewed(what: string, held: string, reviewed: string): void {
  if (held !== reviewed) {
    throw new Error(
      `${what} have changed since pulumi read them; run pulumi up again to see the changes first`,
    );
  }
}

/**
 * Waits for a launch of the place that was asked for before. Only one that Pulumi was killed too early to record is
 * found here: a second one beside it, under another name, would be a second node.
 */
async function untilNothingIsUnderWay(sky: SkyPilot, place: string, minutes: number): Promise<void> {
  const deadline = Date.now() + minutes * 60_000;
  const underWay = (await sky.launchesUnderWay()).filter(
    ({ cluster }) => cluster === undefined || isIncarnationOf(place, cluster),
  );
  // Whether it fails is seen by what stands in the place afterwards.
  await Promise.allSettled(underWay.map(({ requestId }) => sky.result(requestId, deadline)));
}

/**
 * The clusters, those with the wanted machines that stand in a zone which is not allowed any more without the mark of
 * their machines: they are to be replaced, and SkyPilot would refuse to bring them up to date.
 */
async function withoutMisplaced(
  clusters: readonly ClusterStatus[],
  wanted: WantedPlace,
  environment: CommandEnvironment,
): Promise<ClusterStatus[]> {
  const zones = zonesOf(parse(required(environment, 'SKYFLEET_TASK')) as SkyTask);
  return Promise.all(
    clusters.map(async (cluster) => {
      if (!isFitting(cluster, wanted)) return cluster;
      const standing = await zonesOfInstances(environment, [labelKeys.incarnation, cluster.name]);
      return standing.every((zone) => zones.includes(zone))
        ? cluster
        : { ...cluster, labels: { ...cluster.labels, [labelKeys.machine]: 'misplaced' } };
    }),
  );
}
