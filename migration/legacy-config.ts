import {
  legacyDefaults,
  legacySchema,
  takenOver,
  type LegacyConfig,
  type LegacyRegion,
} from './legacy-schema';
import { regionSettings } from './legacy-region';
import { problemsOf, refused, spread, type Entry, type Reading } from './reading';
import { translateTags } from './tags';
import { awsWithoutCounterpart } from './without-counterpart';

const unknownWhy = 'no earlier tool reads this key; it is not taken over';

/** Whether a parsed file is such a `config.yaml`, right or wrong. */
export function isLegacyConfig(document: unknown): boolean {
  return typeof document === 'object' && document !== null && ('aws' in document || 'regions' in document);
}

/** Reads `config.yaml` of aws-spot-deployer or amauo, already parsed. */
export function readLegacyConfig(document: unknown): Reading {
  const { data, error } = legacySchema.safeParse(document);
  if (data === undefined) return refused(problemsOf(error, document));
  const aws = data.aws ?? {};
  const named = data.regions.flatMap((entry, index) =>
    Object.entries(entry).map(([region, settings]) => ({
      region,
      key: `regions[${index}].${region}`,
      settings: settings ?? {},
    })),
  );
  const nodes = aws.total_instances ?? legacyDefaults.nodes;
  const shares = spread(nodes, named.length);
  const tags = translateTags(aws.tags ?? {}, 'aws.tags', 'skyfleet:tags');
  const regions = named.map(({ region, key, settings }, index) => {
    const share = shares[index] ?? 0;
    const read = regionSettings(key, settings, aws);
    return {
      fleet: { region, nodes: share, settings: read.settings },
      entries: share === 0 ? [leftOut(key, nodes)] : read.entries,
    };
  });
  return {
    fleets: regions.map(({ fleet }) => fleet),
    tags: tags.tags,
    entries: [
      {
        key: 'aws.total_instances',
        value: nodes,
        outcome: 'changed',
        to: 'skyfleet:fleets[0].clusters',
        why:
          (aws.total_instances === undefined ? 'is not written, and the earlier tools take 3; ' : '') +
          `shared out as they do, evenly and the rest to the first regions: ${named
            .map(({ region }, index) => `${region} ${shares[index] ?? 0}`)
            .join(', ')}; each node is a place of its own`,
      },
      ...tags.entries,
      ...(aws.files_directory === undefined ? [] : [filesDirectory(aws.files_directory)]),
      ...otherKeys(data, named),
      ...regions.flatMap(({ entries }) => entries),
      {
        key: 'spot instances',
        outcome: 'taken',
        to: 'skyfleet:fleets[0].spot',
        value: true,
        why: 'the earlier tools launch spot instances only',
      },
    ],
    problems: [],
    files: {
      mounted: [],
      ...(aws.files_directory === undefined ? {} : { folder: aws.files_directory }),
    },
  };
}

const leftOut = (key: string, nodes: number): Entry => ({
  key,
  outcome: 'none',
  why: `gets none of the ${nodes} nodes, and so no stack, as the earlier tools deploy nothing there`,
});

const filesDirectory = (value: string): Entry => ({
  key: 'aws.files_directory',
  value,
  outcome: 'none',
  why: 'only the credentials in it are looked for; what a node runs is shipped with Skyfleet (deployment/node/)',
});

/** Keys that are not taken over, known or not; what unknown ones say is not shown. */
function otherKeys(data: LegacyConfig, named: readonly { key: string; settings: LegacyRegion }[]): Entry[] {
  const unknown = (keys: readonly string[], known: readonly string[], prefix: string): Entry[] =>
    keys
      .filter((key) => !known.includes(key))
      .map((key) => ({ key: `${prefix}${key}`, outcome: 'unknown', why: unknownWhy }));
  const aws = Object.keys(data.aws ?? {});
  return [
    ...aws
      .filter((key) => Object.hasOwn(awsWithoutCounterpart, key))
      .map((key): Entry => ({ key: `aws.${key}`, outcome: 'none', why: awsWithoutCounterpart[key] ?? '' })),
    ...unknown(Object.keys(data), takenOver.top, ''),
    ...unknown(aws, [...takenOver.aws, ...Object.keys(awsWithoutCounterpart)], 'aws.'),
    ...named.flatMap(({ key, settings }) => unknown(Object.keys(settings), takenOver.region, `${key}.`)),
  ];
}
