import { region } from '../config/atoms';
import type { ConfigProblem } from '../config/problem';
import type { Entry } from './reading';
import type { SkyResources } from './sky-schema';

/** Where a task runs. */
export interface SkyPlace {
  /** The regions, each of which becomes a stack; none where the task leaves the choice to SkyPilot. */
  regions: string[];
  /** The zone that it is held to. */
  zone: string | undefined;
  entries: Entry[];
}

/**
 * Where a task runs: in its `region` or `infra`, unless the user names regions.
 *
 * @param asked regions that the user names.
 */
export function placeOf(resources: SkyResources, asked: readonly string[]): SkyPlace {
  const [, infraRegion, infraZone] = (resources.infra ?? '')
    .split('/')
    .map((part) => (part === '*' ? undefined : part));
  const zone = resources.zone ?? infraZone;
  const written = resources.region ?? infraRegion ?? zone?.slice(0, -1) ?? [];
  const own = typeof written === 'string' ? [written] : written;
  const regions = [...new Set(asked.length > 0 ? asked : own)];
  const held = zone !== undefined && (asked.length === 0 || regions.includes(zone.slice(0, -1)));
  const entries = (['infra', 'cloud', 'region', 'zone'] as const).flatMap((part): Entry[] => {
    const value = resources[part];
    if (value == null) return [];
    const entry = { key: `resources.${part}`, value: String(value) };
    const said = `--region says ${regions.join(', ')}`;
    if (part === 'cloud') return [{ ...entry, outcome: 'taken', why: 'Skyfleet knows AWS alone' }];
    if (part === 'zone') {
      return [
        held
          ? { ...entry, outcome: 'taken', to: 'skyfleet:fleets[0].zones' }
          : { ...entry, outcome: 'none', why: said },
      ];
    }
    if (asked.length > 0) return [{ ...entry, outcome: 'changed', to: 'aws:region', why: said }];
    return [
      own.length > 1
        ? { ...entry, outcome: 'changed', to: 'aws:region', why: 'each region is a stack of its own' }
        : { ...entry, outcome: 'taken', to: 'aws:region' },
    ];
  });
  return { regions, zone: held ? zone : undefined, entries };
}

/** What is wrong with a place. */
export function placeProblems({ regions, zone }: SkyPlace, asked: readonly string[]): ConfigProblem[] {
  if (regions.length === 0) {
    const message =
      'names no region, and each stack is one; name one or several with --region, such as --region us-west-2';
    return [{ key: 'resources', value: undefined, message }];
  }
  const key = asked.length > 0 ? '--region' : 'resources.region';
  return [
    ...regions
      .filter((one) => !region.safeParse(one).success)
      .map((value) => ({ key, value, message: 'must be a region such as us-west-2; correct it' })),
    ...(zone === undefined || regions.includes(zone.slice(0, -1))
      ? []
      : [
          {
            key: 'resources.zone',
            value: zone,
            message: `must be a zone of ${regions.join(', ')}; correct it, or leave it out`,
          },
        ]),
  ];
}
