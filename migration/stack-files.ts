import { stringify } from 'yaml';
import type { Claim } from '../config/claims';
import { checkConfig } from '../config/parse';
import type { ConfigProblem } from '../config/problem';
import { neededChoices, saidAs, type Choices } from './choices';
import { freeRanges, type Ranges } from './ranges';
import type { Entry, Reading, RegionFleet } from './reading';

/** A stack file that is to be written. */
export interface PlannedStack {
  stack: string;
  region: string;
  nodes: number;
  text: string;
}

/** The stack files of what was read, what stands in them that nobody had written, and what is wrong with them. */
export function stackFiles(
  reading: Reading,
  choices: Choices,
  claimed: readonly Claim[],
  source: string,
): { stacks: PlannedStack[]; entries: Entry[]; problems: ConfigProblem[] } {
  const fleets = reading.fleets.filter(({ nodes }) => nodes > 0);
  const nameOf = (region: string): string =>
    choices.prefix === undefined ? region : `${choices.prefix}-${region}`;
  const ranges = freeRanges(
    fleets.map(({ region }) => nameOf(region)),
    claimed,
  );
  const open = neededChoices(choices).map(({ key }) => key);
  const planned = fleets.map((fleet, index) => {
    const stack = nameOf(fleet.region);
    const zones = zonesOf(fleet, choices.zones);
    const values = valuesOf(stack, fleet, zones.zones, ranges[index] as Ranges, reading.tags, choices);
    const { problems } = checkConfig(values, {
      region: fleet.region,
      skypilotToken: false,
      orchestratorApiToken: false,
    });
    return {
      stack: { stack, region: fleet.region, nodes: fleet.nodes, text: textOf(fleet.region, values, source) },
      entries: [...zones.entries, ...rangeEntries(stack, ranges[index] as Ranges)],
      problems: problems
        .filter(({ key }) => !open.some((section) => key.startsWith(section)))
        .map((problem) => ({ ...problem, key: saidAs(problem.key, stack) })),
    };
  });
  const stray = choices.zones.filter((zone) => !fleets.some(({ region }) => zone.slice(0, -1) === region));
  return {
    stacks: planned.map(({ stack }) => stack),
    entries: planned.flatMap(({ entries }) => entries),
    problems: [
      // What an option says is wrong with every stack, and told once.
      ...new Map(
        planned.flatMap(({ problems }) => problems).map((one) => [JSON.stringify(one), one]),
      ).values(),
      ...stray.map((zone) => ({
        key: '--zone',
        value: zone,
        message: `must be a zone of ${fleets.map(({ region }) => region).join(', ')}; correct it`,
      })),
    ],
  };
}

/** The zones of a region: those that the user names, or its first two, the one that a task was held to before the other. */
function zonesOf(
  { region, zone }: RegionFleet,
  chosen: readonly string[],
): { zones: string[]; entries: Entry[] } {
  const own = chosen.filter((one) => one.slice(0, -1) === region);
  if (own.length > 0) return { zones: own, entries: [] };
  const usual = [`${region}a`, `${region}b`];
  const zones = zone === undefined ? usual : [...new Set([zone, ...usual])].slice(0, 2);
  return {
    zones,
    entries: [
      {
        key: `zones of ${region}`,
        outcome: 'changed',
        value: zones.join(', '),
        to: 'skyfleet:network.zones',
        why: `two are needed, and these are a guess; aws ec2 describe-availability-zones --region ${region} --query 'AvailabilityZones[].ZoneName' shows yours, --zone names them`,
      },
    ],
  };
}

function rangeEntries(stack: string, { cidr, ordinals }: Ranges): Entry[] {
  return [
    {
      key: `VPC of ${stack}`,
      outcome: 'changed',
      value: cidr,
      to: 'skyfleet:network.cidr',
      why: "a VPC of its own, which overlaps neither the other stacks' nor the 10.0.0.0/16 of the earlier tools",
    },
    {
      key: `ordinals of ${stack}`,
      outcome: 'changed',
      value: `${ordinals.first}–${ordinals.last}`,
      to: 'skyfleet:fleets[0].ordinals',
      why: "a sensor's identity is made from its ordinal and stays with its place; the earlier tools made it from the instance id",
    },
  ];
}

/** What stands below `skyfleet:`; what the user has still to say is left out. */
function valuesOf(
  stack: string,
  { nodes, zone, settings }: RegionFleet,
  zones: readonly string[],
  { cidr, ordinals }: Ranges,
  tags: Readonly<Record<string, string>>,
  { sshCidrs, ssm, sensorImage, endpoints }: Choices,
): Record<string, unknown> {
  const access = {
    ...(sshCidrs.length > 0 ? { cidrs: sshCidrs } : {}),
    ...(ssm ? { ssm: true } : {}),
  };
  return {
    network: { cidr, zones },
    ...(Object.keys(access).length === 0 ? {} : { access }),
    fleets: [
      {
        name: stack,
        clusters: nodes,
        ...settings,
        ...(zone === undefined ? {} : { zones: [zone] }),
        ordinals,
      },
    ],
    ...(endpoints.length === 0 ? {} : { orchestrator: { endpoints } }),
    ...(sensorImage === undefined ? {} : { sensor: { image: sensorImage } }),
    ...(Object.keys(tags).length === 0 ? {} : { tags }),
  };
}

function textOf(region: string, values: Record<string, unknown>, source: string): string {
  const config = {
    'aws:region': region,
    ...Object.fromEntries(Object.entries(values).map(([key, value]) => [`skyfleet:${key}`, value])),
  };
  // Lists and maps are copied into each file, and never aliases of one another.
  return `# Made from ${source} by \`skyfleet migrate\` (docs/migration.md).\n${stringify({ config }, { lineWidth: 0, aliasDuplicateObjects: false })}`;
}
