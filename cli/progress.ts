import type { EngineEvent } from '@pulumi/pulumi/automation';
import { nameOf, placeOfSubmit, placeOfWait } from '../deployment/operator/preview';

/** What is being done to a place. */
export type PlaceState = 'scheduling' | 'coming up' | 'ready' | 'going' | 'gone' | 'failed';

/** How far a place has come. */
export interface PlaceProgress {
  state: PlaceState;
  /** When the first thing was done to it, in milliseconds since the epoch. */
  since: number;
  /** When it reached its state. */
  at: number;
}

/** How far Pulumi has come with a stack. */
export interface StackProgress {
  places: ReadonlyMap<string, PlaceProgress>;
  /** Other resources that are being changed, and that have been. */
  begun: number;
  ended: number;
  /** What Pulumi calls errors, each once. */
  errors: readonly string[];
  /** Requests of SkyPilot's, by the place that they are for. */
  requests: ReadonlyMap<string, string>;
}

export const noProgress: StackProgress = {
  places: new Map(),
  begun: 0,
  ended: 0,
  errors: [],
  requests: new Map(),
};

/** The place that a command is of, and which one it is. */
function placeOf(urn: string): { place: string; command: 'submit' | 'wait' } | undefined {
  if (!urn.includes('skyfleet:sky:SkyCluster$')) return undefined;
  const name = nameOf(urn);
  const [submitted, waited] = [placeOfSubmit(name), placeOfWait(name)];
  if (submitted !== undefined) return { place: submitted, command: 'submit' };
  return waited === undefined ? undefined : { place: waited, command: 'wait' };
}

/** What a step of Pulumi's means for its place; undefined where it says nothing new. */
function stateAfter(command: 'submit' | 'wait', op: string, ended: boolean): PlaceState | undefined {
  if (op.startsWith('delete') || op.startsWith('discard')) {
    // The submit command is the one that takes a place down.
    return command === 'submit' ? (ended ? 'gone' : 'going') : undefined;
  }
  if (command === 'submit') return ended ? 'coming up' : 'scheduling';
  return ended ? 'ready' : 'coming up';
}

/** The request under which SkyPilot launches what a submit command has scheduled. */
function requestOf(stdout: unknown): string | undefined {
  if (typeof stdout !== 'string' || !stdout.startsWith('{')) return undefined;
  const { requestId } = JSON.parse(stdout) as { requestId?: string };
  return requestId === '' ? undefined : requestId;
}

function withPlace(progress: StackProgress, place: string, state: PlaceState, now: number): StackProgress {
  const { since = now } = progress.places.get(place) ?? {};
  return { ...progress, places: new Map(progress.places).set(place, { state, since, at: now }) };
}

/**
 * Where a stack stands after an event of Pulumi's.
 *
 * @param now milliseconds since the epoch.
 */
export function advance(progress: StackProgress, event: EngineEvent, now: number): StackProgress {
  const { diagnosticEvent, resourcePreEvent, resOutputsEvent, resOpFailedEvent } = event;
  if (diagnosticEvent?.severity === 'error') {
    const message = diagnosticEvent.message.trim();
    return progress.errors.includes(message)
      ? progress
      : { ...progress, errors: [...progress.errors, message] };
  }
  const step = resourcePreEvent ?? resOutputsEvent ?? resOpFailedEvent;
  if (step === undefined) return progress;
  const { urn, op, new: state } = step.metadata;
  if (op === 'same' || op === 'read' || state?.custom === false) return progress;
  const ended = resourcePreEvent === undefined;
  const of = placeOf(urn);
  if (of === undefined) {
    return { ...progress, begun: progress.begun + (ended ? 0 : 1), ended: progress.ended + (ended ? 1 : 0) };
  }
  if (resOpFailedEvent !== undefined) return withPlace(progress, of.place, 'failed', now);
  const next = stateAfter(of.command, op, ended);
  const request = ended && of.command === 'submit' ? requestOf(state?.outputs['stdout']) : undefined;
  const told =
    request === undefined
      ? progress
      : { ...progress, requests: new Map(progress.requests).set(of.place, request) };
  return next === undefined ? told : withPlace(told, of.place, next, now);
}

const seconds = (from: number, to: number): string => `${Math.round((to - from) / 1000)} s`;

const endStates: readonly PlaceState[] = ['ready', 'gone', 'failed'];

const placeLine = (place: string, { state, since, at }: PlaceProgress, now: number): string =>
  endStates.includes(state)
    ? `${place}: ${state} after ${seconds(since, at)}`
    : `${place}: ${state}, ${seconds(since, now)}`;

/** More places than these are counted and not named. */
const mostNamed = 12;

/** Where a stack stands, as lines for a terminal. */
export function progressLines({ places, begun, ended }: StackProgress, now: number): string[] {
  const others = begun === 0 ? [] : [`other resources: ${ended} of ${begun}`];
  if (places.size <= mostNamed) {
    return [...others, ...[...places].map(([place, one]) => placeLine(place, one, now))];
  }
  const counts = new Map<PlaceState, number>();
  for (const { state } of places.values()) counts.set(state, (counts.get(state) ?? 0) + 1);
  return [...others, `places: ${[...counts].map(([state, count]) => `${count} ${state}`).join(', ')}`];
}

/** What is new since an earlier state, as lines for a log: places that came to an end. */
export function newLines(before: StackProgress, after: StackProgress, now: number): string[] {
  return [...after.places]
    .filter(([place, { state }]) => endStates.includes(state) && before.places.get(place)?.state !== state)
    .map(([place, one]) => placeLine(place, one, now));
}
