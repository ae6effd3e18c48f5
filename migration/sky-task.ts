import { keyAt, problemsOf, refused, spread, type Entry, type Reading, type RegionFleet } from './reading';
import { imageOf, machineOf, termsOf } from './sky-machine';
import { taskKeys, taskSchema, type SkyResources, type SkyTaskFile } from './sky-schema';
import { mountEntries } from './sky-mounts';
import { translateTags } from './tags';
import { resourcesWithoutCounterpart, taskWithoutCounterpart } from './without-counterpart';

const unknownWhy = 'SkyPilot does not know this key either; it is not taken over';

/** Whether a parsed file is a SkyPilot task, right or wrong. */
export function isSkyTask(document: unknown): boolean {
  const marks = ['resources', 'run', 'setup', 'num_nodes', 'file_mounts'];
  return typeof document === 'object' && document !== null && marks.some((mark) => mark in document);
}

/**
 * Reads a SkyPilot task, already parsed.
 *
 * @param asked regions that the user names, which go before those of the task; needed where it names none.
 */
export function readSkyTask(document: unknown, asked: readonly string[] = []): Reading {
  const { data, error } = taskSchema.safeParse(document);
  if (data === undefined) return refused(problemsOf(error, document));
  const resources = data.resources ?? {};
  const place = placeOf(resources, asked);
  if (place.regions.length === 0) {
    const message =
      'names no region, and each stack is one; name one or several with --region, such as --region us-west-2';
    return refused([{ key: 'resources', value: undefined, message }]);
  }
  const nodes = data.num_nodes ?? resources.num_nodes ?? 1;
  const shares = spread(nodes, place.regions.length);
  const [machine, terms] = [machineOf(resources), termsOf(resources)];
  const tags = translateTags(resources.labels ?? {}, 'resources.labels', 'skyfleet:tags');
  const images = place.regions.map((region) => imageOf(resources.image_id, region));
  const mounts = mountEntries(data.file_mounts ?? {});
  return {
    fleets: place.regions.map((region, index): RegionFleet => ({
      region,
      nodes: shares[index] ?? 0,
      ...(place.zone?.startsWith(region) === true ? { zone: place.zone } : {}),
      settings: { ...machine.settings, ...terms.settings, ...images[index]?.settings },
    })),
    tags: tags.tags,
    entries: [
      ...nameEntry(data.name),
      nodesEntry(data, nodes, place.regions, shares),
      ...place.entries,
      ...machine.entries,
      ...terms.entries,
      ...images.flatMap(({ entries }) => entries),
      ...tags.entries,
      ...mounts.entries,
      ...otherKeys(data, resources),
    ],
    problems: [],
    files: { mounted: mounts.sources },
  };
}

const nameEntry = (name: string | null | undefined): Entry[] =>
  name == null
    ? []
    : [
        {
          key: 'name',
          value: name,
          outcome: 'changed',
          to: 'skyfleet:fleets[0].name',
          why: 'fleet and places are called after the stack, so that those of two regions are not mixed up',
        },
      ];

function nodesEntry(
  data: SkyTaskFile,
  nodes: number,
  regions: readonly string[],
  shares: readonly number[],
): Entry {
  const misplaced = data.num_nodes == null && data.resources?.num_nodes != null;
  return {
    key: misplaced ? 'resources.num_nodes' : 'num_nodes',
    value: nodes,
    outcome: 'changed',
    to: 'skyfleet:fleets[0].clusters',
    why: [
      ...(misplaced ? ['SkyPilot refuses it under resources, where it stands'] : []),
      'each node is a place of its own, so that one can be replaced without the others',
      ...(regions.length > 1
        ? [
            `shared out evenly: ${regions.map((region, index) => `${region} ${shares[index] ?? 0}`).join(', ')}`,
          ]
        : []),
    ].join('; '),
  };
}

/** Where a task runs: what `--region` says, or `resources.region`, or `resources.infra`. */
function placeOf(
  resources: SkyResources,
  asked: readonly string[],
): { regions: readonly string[]; zone: string | undefined; entries: Entry[] } {
  const [, infraRegion, infraZone] = (resources.infra ?? '')
    .split('/')
    .map((part) => (part === '*' ? '' : part));
  const zone = resources.zone ?? (infraZone === '' ? undefined : infraZone);
  const written =
    resources.region ?? (infraRegion === '' ? undefined : infraRegion) ?? zone?.slice(0, -1) ?? [];
  const own = typeof written === 'string' ? [written] : written;
  const regions = [...new Set(asked.length > 0 ? asked : own)];
  const entries = (['infra', 'cloud', 'region', 'zone'] as const).flatMap((part): Entry[] => {
    const value = resources[part];
    if (value == null) return [];
    const entry = { key: `resources.${part}`, value: String(value) };
    if (part === 'cloud') return [{ ...entry, outcome: 'taken', why: 'Skyfleet knows AWS alone' }];
    if (part === 'zone') {
      return [{ ...entry, outcome: 'taken', to: 'skyfleet:fleets[0].zones' }];
    }
    if (asked.length > 0) {
      return [{ ...entry, outcome: 'changed', to: 'aws:region', why: `--region says ${regions.join(', ')}` }];
    }
    return [
      own.length > 1
        ? { ...entry, outcome: 'changed', to: 'aws:region', why: 'each region is a stack of its own' }
        : { ...entry, outcome: 'taken', to: 'aws:region' },
    ];
  });
  return { regions, zone, entries };
}

/** Keys that are not taken over, known or not. What they say may hold secrets, and is not shown. */
function otherKeys(data: SkyTaskFile, resources: SkyResources): Entry[] {
  const others = (
    keys: readonly string[],
    known: readonly string[],
    reasons: Readonly<Record<string, string>>,
    path: readonly string[],
  ): Entry[] =>
    keys
      .filter((key) => !known.includes(key))
      .map((key) => {
        const why = Object.hasOwn(reasons, key) ? reasons[key] : undefined;
        return {
          key: keyAt([...path, key]),
          outcome: why === undefined ? 'unknown' : 'none',
          why: why ?? unknownWhy,
        };
      });
  const variables: Entry[] = Object.keys(data.envs ?? {}).map((name) => ({
    key: `envs.${name}`,
    outcome: 'none',
    why: "a node's services get their settings from node.json and Bacalhau's configuration (docs/node.md)",
  }));
  return [
    ...variables,
    ...(data.secrets == null
      ? []
      : [
          {
            key: 'secrets',
            outcome: 'none' as const,
            why: "the orchestrator's token is a Pulumi secret, skyfleet:orchestratorToken; nodes need no other",
          },
        ]),
    ...others(Object.keys(data), taskKeys.top, taskWithoutCounterpart, []),
    ...others(Object.keys(resources), taskKeys.resources, resourcesWithoutCounterpart, ['resources']),
  ];
}
