import type { SkyfleetConfig } from './schema';

/**
 * What a change of an input does to the nodes that run:
 *
 * - `none`: nothing runs on a node.
 * - `refresh`: nodes are brought up to date on the same machines; only services whose files changed restart.
 * - `scale`: places, or nodes of a place, are added or removed; every other node stays undisturbed.
 * - `rebuild-workers`: a cluster with fewer nodes; SkyPilot ends all of its workers to shrink it, and makes them anew.
 * - `replace`: a new incarnation takes the place, and the old one ends.
 */
export type ChangeClass = 'none' | 'refresh' | 'scale' | 'rebuild-workers' | 'replace';

/** From the mildest to the hardest: a place whose inputs change in several ways is changed in the hardest of them. */
export const changeClasses: readonly ChangeClass[] = [
  'none',
  'refresh',
  'scale',
  'rebuild-workers',
  'replace',
];

/** What is known of the nodes of a place, where the class depends on it. */
export interface Standing {
  /** Zones that the nodes stand in. */
  zones: readonly string[];
  /** They are a managed job, which stays what it was submitted as. */
  managed: boolean;
}

/** The class of each change of an input, and what decides where it is not always the same. */
export type InputClass =
  | { class: ChangeClass; note?: string }
  | {
      /** The classes that a change can have, from the mildest to the hardest. */
      classes: readonly ChangeClass[];
      note: string;
      decide: (from: unknown, to: unknown, standing: Standing) => ChangeClass;
    };

const none: InputClass = { class: 'none' };
const refresh: InputClass = { class: 'refresh' };
const replace: InputClass = { class: 'replace' };
const connection: InputClass = {
  classes: ['refresh', 'replace'],
  note: 'Replaced where `recovery` is `managed`.',
  decide: (_from, _to, { managed }) => (managed ? 'replace' : 'refresh'),
};
const atNextLaunch: InputClass = { class: 'none', note: 'Counts when a node is next launched.' };

/**
 * The class of every input of a fleet: each key of the stack file once (a key stands for those below it), and the inputs
 * that are not keys below `skyfleet:`. The program, `docs/changes.md` and the tests use this one table.
 */
export const inputClasses: Readonly<Record<string, InputClass>> = {
  'aws:region': replace,
  files: { class: 'refresh', note: 'The files that are shipped to nodes (`deployment/node/`).' },
  orchestratorToken: refresh,
  skypilotToken: none,
  orchestratorApiToken: none,

  'shared.stack': { class: 'none', note: 'The values that it gives have the classes of their own keys.' },
  'network.cidr': { class: 'replace', note: 'The VPC is made anew.' },
  'network.zones': { class: 'none', note: 'What fleets use of it counts as `fleets[].zones`.' },
  'network.nat': {
    classes: ['none', 'replace'],
    note: 'Replaced where nodes get or lose public addresses; one gateway or several is none.',
    decide: (from, to) => ((from === 'none') === (to === 'none') ? 'none' : 'replace'),
  },
  'network.flowLogs': none,
  'access.cidrs': { class: 'none', note: 'The rules of the security group change in place.' },
  'access.ssm': connection,
  'access.proxy': connection,

  'fleets[].name': { class: 'scale', note: 'Places are named after it: the old ones go and new ones come.' },
  'fleets[].clusters': { class: 'scale' },
  'fleets[].nodesPerCluster': {
    classes: ['scale', 'rebuild-workers', 'replace'],
    note: 'More nodes are added beside those that are there; fewer means that all workers are made anew. Replaced where `recovery` is `managed`.',
    decide: (from, to, { managed }) => {
      if (managed) return 'replace';
      return Number(to) > Number(from) ? 'scale' : 'rebuild-workers';
    },
  },
  'fleets[].instanceType': replace,
  'fleets[].fallbackInstanceTypes': {
    class: 'none',
    note: 'Counts when a node is next launched. The type of a node that is there must stay among them.',
  },
  'fleets[].cpus': replace,
  'fleets[].memoryGiB': replace,
  'fleets[].architecture': replace,
  'fleets[].accelerators': replace,
  'fleets[].spot': replace,
  'fleets[].onDemandFallback': atNextLaunch,
  'fleets[].maxHourlyUsd': atNextLaunch,
  'fleets[].zones': {
    classes: ['none', 'replace'],
    note: 'Replaced where a node stands in a zone that is not named any more.',
    decide: (_, to, { zones }) => (zones.every((zone) => asList(to).includes(zone)) ? 'none' : 'replace'),
  },
  'fleets[].diskSizeGiB': replace,
  'fleets[].imageId': replace,
  'fleets[].ordinals': { class: 'refresh', note: 'Nodes whose ordinal changes become another sensor.' },
  'fleets[].identity': refresh,
  'fleets[].labels': refresh,
  'fleets[].tags': { class: 'refresh', note: 'Changed on instances and volumes in place.' },
  'fleets[].strategy': atNextLaunch,
  'fleets[].recovery': {
    classes: ['none', 'replace'],
    note: 'Where it is first recorded as `up`, nothing changes.',
    decide: (from = 'up', to = 'up') => (from === to ? 'none' : 'replace'),
  },
  'fleets[].drainMinutes': refresh,

  'orchestrator.endpoints': refresh,
  'orchestrator.tls': refresh,
  'orchestrator.api': none,
  'bacalhau.image': refresh,
  'bacalhau.acceptNetworkedJobs': refresh,
  'bacalhau.logLevel': refresh,
  'sensor.image': refresh,
  'buckets.onDestroy': none,
  'buckets.prefix': refresh,
  'buckets.retention': none,
  'buckets.endpointUrl': refresh,
  'skypilot.endpoint': none,
  governance: none,
  timeouts: none,
  tags: { class: 'refresh', note: 'Changed on instances and volumes in place.' },
};

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

/** The classes that a change of an input can have. */
export function classesOf(input: InputClass): readonly ChangeClass[] {
  return 'class' in input ? [input.class] : input.classes;
}

/** The inputs of one place that can change something on its nodes, by their names in the table. */
export type PlaceInputs = Record<string, unknown>;

/** The value at a dotted path; undefined where there is none. */
function valueAt(value: unknown, path: string): unknown {
  return path
    .split('.')
    .reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], value);
}

/** Inputs that decide which places there are, and nothing about any one of them. */
const ofNoPlace = ['fleets[].name', 'fleets[].clusters'];

/**
 * What a fleet's places are made from, of all inputs that can change something on a node.
 *
 * @param config the configuration of the whole stack.
 * @param region AWS region.
 * @param fleet one of its fleets.
 * @returns the values by their names in the table of change classes (docs/changes.md).
 */
export function fleetInputs(
  config: Pick<SkyfleetConfig, 'network' | 'fleets'> & Partial<SkyfleetConfig>,
  region: string,
  fleet: SkyfleetConfig['fleets'][number],
): PlaceInputs {
  const values: PlaceInputs = {};
  for (const [input, entry] of Object.entries(inputClasses)) {
    if (ofNoPlace.includes(input) || classesOf(entry).every((one) => one === 'none')) continue;
    const [, ofFleet] = /^fleets\[\]\.(.+)$/.exec(input) ?? [];
    const value = ofFleet === undefined ? valueAt(config, input) : valueAt(fleet, ofFleet);
    if (value !== undefined) values[input] = value;
  }
  values['aws:region'] = region;
  values['fleets[].zones'] = fleet.zones ?? config.network.zones;
  return values;
}

/** One input that differs from what was last applied. */
export interface InputChange {
  input: string;
  from: unknown;
  to: unknown;
  class: ChangeClass;
}

/** The order of the keys of a map says nothing. */
function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== 'object' || value === null) return value;
  const sorted = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(sorted.map(([key, inner]) => [key, canonical(inner)]));
}

/** A text that is the same exactly for equal values. */
export const canonicalText = (value: unknown): string =>
  value === undefined ? '' : JSON.stringify(canonical(value));

/**
 * The inputs that differ, each with the class of its change, those of which nothing follows among them.
 *
 * @param from what was last applied.
 * @throws Error for an input that the table does not know.
 */
export function differingInputs(from: PlaceInputs, to: PlaceInputs, standing: Standing): InputChange[] {
  const inputs = [...new Set([...Object.keys(from), ...Object.keys(to)])];
  return inputs
    .filter((input) => canonicalText(from[input]) !== canonicalText(to[input]))
    .map((input) => {
      const entry = inputClasses[input];
      if (entry === undefined) throw new Error(`${input} is not in the table of change classes`);
      const [before, after] = [from[input], to[input]];
      return {
        input,
        from: before,
        to: after,
        class: 'class' in entry ? entry.class : entry.decide(before, after, standing),
      };
    });
}

/** The inputs that differ and of which something follows. */
export const changedInputs = (from: PlaceInputs, to: PlaceInputs, standing: Standing): InputChange[] =>
  differingInputs(from, to, standing).filter((change) => change.class !== 'none');

/** The hardest class of several changes. */
export function hardest(classes: readonly ChangeClass[]): ChangeClass {
  return changeClasses[Math.max(0, ...classes.map((one) => changeClasses.indexOf(one)))] ?? 'none';
}
