import { keyAt, problemsOf, refused, spread, type Entry, type Reading, type RegionFleet } from './reading';
import { imageOf, machineOf, termsOf } from './sky-machine';
import { taskKeys, taskSchema, type SkyResources, type SkyTaskFile } from './sky-schema';
import { mountEntries } from './sky-mounts';
import { placeOf, placeProblems } from './sky-place';
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
  const misplaced = placeProblems(place, asked);
  if (misplaced.length > 0) return refused(misplaced);
  const nodes = data.num_nodes ?? resources.num_nodes ?? 1;
  const shares = spread(nodes, place.regions.length);
  const [machine, terms] = [machineOf(resources), termsOf(resources)];
  const tags = translateTags(resources.labels ?? {}, 'resources.labels', 'skyfleet:tags');
  const images = place.regions.map((one) => imageOf(resources.image_id, one));
  const mounts = mountEntries(data.file_mounts ?? {});
  return {
    fleets: place.regions.map((one, index): RegionFleet => ({
      region: one,
      nodes: shares[index] ?? 0,
      ...(place.zone?.slice(0, -1) === one ? { zone: place.zone } : {}),
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
        ? [`shared out evenly: ${regions.map((one, index) => `${one} ${shares[index] ?? 0}`).join(', ')}`]
        : []),
    ].join('; '),
  };
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
