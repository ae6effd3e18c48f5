import { isIncarnationOf, labelKeys, stackMark, type WantedPlace } from './incarnation';
import type { ClusterStatus, ManagedJob, SkyPilot } from './skypilot';

/*
 * Where a fleet's nodes are recovered unattended, a managed job of SkyPilot's stands in each place instead of a cluster.
 * Managed jobs carry no labels, so that the name says what they are: the incarnation, a mark of the stack, and the key of
 * the machines.
 */

const nameForm = /^(.+)-([0-9a-f]{8})-([0-9a-f]{16})$/;

/** Name of the managed job of an incarnation. */
export function managedJobName(incarnation: string, { stack, machine }: Omit<WantedPlace, 'place'>): string {
  return `${incarnation}-${stackMark(stack)}-${machine}`;
}

/** What the name of a managed job says; undefined for a job that is no fleet's. */
function partsOf({ name }: ManagedJob): { incarnation: string; mark: string; machine: string } | undefined {
  const [, incarnation, mark, machine] = nameForm.exec(name) ?? [];
  return incarnation === undefined || mark === undefined || machine === undefined
    ? undefined
    : { incarnation, mark, machine };
}

/** The incarnation that a managed job carries, as far as it is the stack's. */
export function incarnationOfJob(job: ManagedJob, stack: string): string | undefined {
  const parts = partsOf(job);
  return parts?.mark === stackMark(stack) ? parts.incarnation : undefined;
}

/** Whether a managed job is the stack's. */
export const isJobOf = (job: ManagedJob, stack: string): boolean =>
  incarnationOfJob(job, stack) !== undefined;

/** The newest managed job of an incarnation, ended or not; undefined where there was none. */
export async function jobOfIncarnation(
  sky: SkyPilot,
  incarnation: string,
  stack: string,
): Promise<ManagedJob | undefined> {
  const jobs = await sky.managedJobsNamed(`${incarnation}-${stackMark(stack)}-`);
  return jobs.filter((job) => incarnationOfJob(job, stack) === incarnation).sort((a, b) => b.id - a.id)[0];
}

/** The stack's managed jobs in a place, in the form of clusters. */
export function jobsAsClusters(
  jobs: readonly ManagedJob[],
  { stack, place }: Pick<WantedPlace, 'stack' | 'place'>,
): ClusterStatus[] {
  return jobs.flatMap((job) => {
    const parts = partsOf(job);
    if (parts === undefined || !isJobOf(job, stack) || !isIncarnationOf(place, parts.incarnation)) return [];
    const labels = {
      [labelKeys.stack]: stack,
      [labelKeys.place]: place,
      [labelKeys.machine]: parts.machine,
    };
    return [{ name: parts.incarnation, status: job.status, labels, launched_at: job.id, nodes: 0 }];
  });
}

/**
 * Managed jobs that another stack has in a place of that name: both stacks' nodes would take the same names.
 *
 * @returns a sentence for each, with what to do.
 */
export function foreignJobs(jobs: readonly ManagedJob[], stack: string, places: readonly string[]): string[] {
  return jobs.flatMap((job) => {
    const { incarnation = '' } = partsOf(job) ?? {};
    const place = places.find((one) => isIncarnationOf(one, incarnation));
    return place === undefined || isJobOf(job, stack)
      ? []
      : [
          `place ${place} is claimed by another stack on the same SkyPilot server, with managed job ${job.name}: ` +
            'rename the fleet in one of the two stacks, or take the other one down with: pulumi destroy',
        ];
  });
}
