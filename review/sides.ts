import { parse } from 'yaml';
import { nameOf, placeOfSubmit, type Preview, type PreviewState } from '../deployment/operator/preview';
import type { SkyTask } from '../deployment/operator/task';
import { environmentOf, isOfPlace } from './places';

/** A place as the state or the plan holds it. */
export interface SidePlace {
  place: string;
  task: SkyTask;
  /** Its SkyPilot configuration. */
  skypilot: SkyConfig;
  /** Text of `node.json`; what stands for an unknown value where it is known only after the `up`. */
  node: unknown;
}

/** A SkyPilot configuration, as far as it is read here (`renderSkyConfig`). */
export interface SkyConfig {
  aws: { use_internal_ips: boolean; disk_encrypted?: boolean };
}

/** A stack as it is recorded, or as it is to be. */
export interface Side {
  resources: PreviewState[];
  places: SidePlace[];
}

function placeOf(state: PreviewState): SidePlace[] {
  const place = placeOfSubmit(nameOf(state.urn));
  if (!isOfPlace(state) || place === undefined) return [];
  const environment = environmentOf(state);
  const [task, config] = [environment['SKYFLEET_TASK'], environment['SKYFLEET_SKYPILOT_CONFIG']];
  if (typeof task !== 'string' || typeof config !== 'string') return [];
  return [
    {
      place,
      task: parse(task) as SkyTask,
      skypilot: parse(config) as SkyConfig,
      node: environment['SKYFLEET_NODE'],
    },
  ];
}

function side(states: readonly (PreviewState | undefined)[]): Side {
  const resources = [
    ...new Map(states.flatMap((state) => (state === undefined ? [] : [[state.urn, state]]))).values(),
  ];
  return { resources, places: resources.flatMap(placeOf) };
}

/**
 * Both sides of a preview that shows unchanged resources too: what Pulumi has recorded, and what is to be. A replacement
 * is several steps of one resource, each of which has its part of it.
 */
export function sidesOf({ steps }: Preview): { before: Side; after: Side } {
  const ends = new Set(['delete', 'delete-replaced', 'remove', 'discard']);
  return {
    before: side(steps.map(({ op, oldState }) => (op === 'create' ? undefined : oldState))),
    after: side(steps.map(({ op, newState }) => (ends.has(op) ? undefined : newState))),
  };
}
