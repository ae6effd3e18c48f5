import { createHash, randomInt } from 'node:crypto';
import type { ClusterStatus } from './skypilot';

/** Labels (AWS tags on every instance and volume) by which a cluster is known to belong to a place of a stack. */
export const labelKeys = {
  stack: 'skyfleet-stack',
  place: 'skyfleet-place',
  incarnation: 'skyfleet-incarnation',
  machine: 'skyfleet-machine',
} as const;

/** A short mark of a stack: hexadecimal, as SkyPilot's ids of users are. */
export const stackMark = (stack: string): string =>
  createHash('sha256').update(stack).digest('hex').slice(0, 8);

/** What was submitted, which later steps go by. */
export interface Submission {
  /** Name of the SkyPilot cluster that stands, or is to stand, in the place. */
  incarnation: string;
  /** Request under which SkyPilot launches it; empty where nodes that are there are ordered to do something. */
  requestId: string;
  /** Incarnations of the same place that must go once the new one is ready. */
  retiring: string[];
  /** The generation of the place that this is: the same one is submitted once. */
  generation: number;
  /** Which of these incarnations are managed jobs; none where absent. */
  managed?: string[];
  /** Where the incarnation is a managed job: the order that its nodes carry out (`orders.ts`). */
  order?: string;
}

/** An incarnation, and what carries it: a managed job, or a cluster. */
export interface Carried {
  incarnation: string;
  managed: boolean;
}

/** An incarnation of a submission with what carries it. */
export function carriedBy({ managed = [] }: Pick<Submission, 'managed'>, incarnation: string): Carried {
  return { incarnation, managed: managed.includes(incarnation) };
}

/** What the submit command prints: the submission, and the program that the place is deleted by (`stored-program.ts`). */
export type SubmitOutput = Submission & { program?: string };

/** Reads the submission in what an earlier submit command printed; undefined where there was none. */
export function parseSubmission(stdout: string | undefined): Submission | undefined {
  if (stdout === undefined || stdout === '') return undefined;
  const printed = JSON.parse(stdout) as SubmitOutput;
  delete printed.program;
  return printed;
}

/** The submission alone in what a submit command printed, as later steps are told it. */
export const submissionText = (stdout: string): string => JSON.stringify(parseSubmission(stdout));

/** Letters and digits that are hard to mistake for one another. */
const alphabet = 'abcdefghjkmnpqrstuvwxyz23456789';

/** A fresh name for what is to stand in a place: `local-0` becomes `local-0-k3f9`. */
export function newIncarnation(place: string, taken: ReadonlySet<string>): string {
  for (;;) {
    const suffix = Array.from({ length: 4 }, () => alphabet.charAt(randomInt(alphabet.length))).join('');
    const name = `${place}-${suffix}`;
    if (!taken.has(name)) return name;
  }
}

/** Whether a name is one of the incarnations of a place. */
export function isIncarnationOf(place: string, name: string): boolean {
  return name.startsWith(`${place}-`) && new RegExp(`^[${alphabet}]{4}$`).test(name.slice(place.length + 1));
}

/** What is to stand in a place. */
export interface WantedPlace {
  /** Full name of the stack. */
  stack: string;
  place: string;
  /** Key of the machines. */
  machine: string;
}

const isOfPlace = ({ labels }: ClusterStatus, { stack, place }: WantedPlace): boolean =>
  labels?.[labelKeys.stack] === stack && labels[labelKeys.place] === place;

/** Whether a cluster stands in the place with the wanted machines. */
export function isFitting(cluster: ClusterStatus, wanted: WantedPlace): boolean {
  return isOfPlace(cluster, wanted) && cluster.labels?.[labelKeys.machine] === wanted.machine;
}

/**
 * Decides which cluster is to stand in a place: one that is there with the wanted machines (the recorded one first),
 * or a new one under a name of its own. All others of the place retire once it is ready.
 *
 * Because nothing that runs is ever renamed or reused for other machines, a change that fails and is taken back finds
 * the old cluster still there and simply keeps it.
 */
export function chooseIncarnation(
  clusters: readonly ClusterStatus[],
  wanted: WantedPlace,
  recorded: string | undefined,
  fresh: (place: string, taken: ReadonlySet<string>) => string = newIncarnation,
): { incarnation: string; retiring: string[] } {
  const ofPlace = clusters.filter((cluster) => isOfPlace(cluster, wanted));
  const fitting = ofPlace
    .filter((cluster) => isFitting(cluster, wanted))
    .sort(
      (a, b) => Number(b.name === recorded) - Number(a.name === recorded) || b.launched_at - a.launched_at,
    );
  const incarnation = fitting[0]?.name ?? fresh(wanted.place, new Set(clusters.map(({ name }) => name)));
  return { incarnation, retiring: ofPlace.map(({ name }) => name).filter((name) => name !== incarnation) };
}
