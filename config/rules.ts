import { gravitonTypes, isGraviton } from './graviton';
import { mostZones, vpcPrefixes } from './subnet-plan';
import { problemAt, type ConfigProblem } from './problem';
import type { FleetConfig, SkyfleetConfig } from './schema';

/** What the rules know besides the values below `skyfleet:`. */
export interface Surroundings {
  /** `aws:region`. */
  region: string;
  /** Whether there is a `skyfleet:skypilotToken`. */
  skypilotToken: boolean;
  /** Whether there is a `skyfleet:orchestratorApiToken`. */
  orchestratorApiToken: boolean;
}

/** A rule that looks at more than one value. It is asked once the keys that it `needs` are right in themselves. */
export interface Rule {
  name: string;
  needs: readonly (keyof SkyfleetConfig)[];
  problems: (config: SkyfleetConfig, surroundings: Surroundings) => ConfigProblem[];
}

/** A rule for each fleet; `check` gives what is wrong with the value of `key`, or nothing. */
function ofEachFleet(
  name: string,
  key: keyof FleetConfig,
  check: (fleet: FleetConfig, config: SkyfleetConfig) => string | undefined,
  needs: Rule['needs'] = [],
): Rule {
  return {
    name,
    needs: ['fleets', ...needs],
    problems: (config) =>
      config.fleets.flatMap((fleet, index) => {
        const message = check(fleet, config);
        return message === undefined ? [] : [problemAt(['fleets', index, key], fleet[key], message)];
      }),
  };
}

/** What `found` is said of, where it is said at all. */
const when = <Found>(wrong: boolean, found: Found): Found[] => (wrong ? [found] : []);

const network: Rule[] = [
  {
    name: 'the VPC is as large as AWS allows and can be divided',
    needs: ['network'],
    problems: ({ network: { cidr, nat } }) => {
      const prefix = Number(cidr.split('/')[1]);
      const longest = nat === 'none' ? vpcPrefixes.longestWithoutNat : vpcPrefixes.longestWithNat;
      const message = `must be a /${vpcPrefixes.shortest} to /${longest}${nat === 'none' ? '' : ' with NAT gateways'}; choose another prefix length`;
      return when(
        prefix < vpcPrefixes.shortest || prefix > longest,
        problemAt(['network', 'cidr'], cidr, message),
      );
    },
  },
  {
    name: 'the VPC has room for every zone',
    needs: ['network'],
    problems: ({ network: { zones, nat } }) => {
      const most = nat === 'none' ? mostZones.withoutNat : mostZones.withNat;
      const message = `must not name more than ${most} zones${nat === 'none' ? '' : ' with NAT gateways'}; leave some out`;
      return when(zones.length > most, problemAt(['network', 'zones'], zones, message));
    },
  },
  {
    name: 'zones are named once',
    needs: ['network'],
    problems: ({ network: { zones } }) =>
      zones.flatMap((zone, index) =>
        when(
          zones.indexOf(zone) !== index,
          problemAt(['network', 'zones', index], zone, 'is named twice; remove one'),
        ),
      ),
  },
  {
    name: 'zones are of the region',
    needs: ['network'],
    problems: ({ network: { zones } }, { region }) =>
      zones.flatMap((zone, index) =>
        when(
          zone.slice(0, -1) !== region,
          problemAt(
            ['network', 'zones', index],
            zone,
            `must be a zone of aws:region ${region}, such as ${region}a`,
          ),
        ),
      ),
  },
];

const access: Rule[] = [
  {
    name: 'there is exactly one way of access',
    needs: ['access'],
    problems: ({ access: ways }) =>
      when(
        Object.keys(ways).length !== 1,
        problemAt(['access'], ways, 'must have exactly one of cidrs, ssm and proxy; keep the one you use'),
      ),
  },
  {
    name: "SkyPilot's token does not travel in plain text",
    needs: ['skypilot'],
    problems: ({ skypilot: { endpoint } }, { skypilotToken }) =>
      when(
        skypilotToken && isExposed(endpoint),
        problemAt(
          ['skypilot', 'endpoint'],
          endpoint,
          'must be https, because skyfleet:skypilotToken is sent to it; use https',
        ),
      ),
  },
];

const orchestrator: Rule[] = [
  {
    name: "the token of the orchestrator's API has somewhere to go",
    needs: ['orchestrator'],
    problems: ({ orchestrator: { api } }, { orchestratorApiToken }) =>
      when(
        orchestratorApiToken && api === undefined,
        problemAt(
          ['orchestrator', 'api'],
          undefined,
          'is missing, and skyfleet:orchestratorApiToken is for it alone; name the address, or remove the token',
        ),
      ),
  },
  {
    name: "the token of the orchestrator's API does not travel in plain text",
    needs: ['orchestrator'],
    problems: ({ orchestrator: { api } }, { orchestratorApiToken }) =>
      when(
        orchestratorApiToken && api !== undefined && isExposed(api),
        problemAt(
          ['orchestrator', 'api'],
          api,
          'must be https, because skyfleet:orchestratorApiToken is sent to it; use https',
        ),
      ),
  },
];

const fleets: Rule[] = [
  {
    name: 'fleet names are unique',
    needs: ['fleets'],
    problems: ({ fleets: all }) =>
      all.flatMap(({ name }, index) =>
        when(
          all.findIndex((other) => other.name === name) !== index,
          problemAt(['fleets', index, 'name'], name, 'must be unique in the stack; choose another name'),
        ),
      ),
  },
  ofEachFleet('an ordinal range ends behind its beginning', 'ordinals', ({ ordinals: { first, last } }) =>
    last < first ? 'last must not be below first; correct one of them' : undefined,
  ),
  ofEachFleet(
    'every node has an ordinal',
    'ordinals',
    ({ clusters, nodesPerCluster, ordinals: { first, last } }) => {
      const [needed, offered] = [clusters * nodesPerCluster, last - first + 1];
      return last >= first && needed > offered
        ? `must hold ${needed} ordinals (clusters × nodesPerCluster), holds ${offered}; raise last`
        : undefined;
    },
  ),
  ofEachFleet('the machine is chosen', 'instanceType', ({ instanceType, cpus, memoryGiB, accelerators }) =>
    [instanceType, cpus, memoryGiB, accelerators].every(isAbsent)
      ? 'is missing; name an instance type, or what a node needs: cpus, memoryGiB or accelerators'
      : undefined,
  ),
  ofEachFleet(
    'the machine is chosen in one way',
    'instanceType',
    ({ instanceType, cpus, memoryGiB, architecture }) =>
      instanceType !== undefined && ![cpus, memoryGiB, architecture].every(isAbsent)
        ? 'must not stand beside cpus, memoryGiB or architecture; keep one or the other'
        : undefined,
  ),
  ofEachFleet(
    'other types stand beside a first one',
    'fallbackInstanceTypes',
    ({ instanceType, fallbackInstanceTypes }) =>
      fallbackInstanceTypes !== undefined && instanceType === undefined
        ? 'needs instanceType, the type to try first; name it, or leave the choice to SkyPilot and remove the list'
        : undefined,
  ),
  ofEachFleet('a type is tried once', 'fallbackInstanceTypes', (fleet) => {
    const again = typesOf(fleet).find((type, index, types) => types.indexOf(type) !== index);
    return again === undefined ? undefined : `must name each type once, ${again} is there twice; remove one`;
  }),
  ofEachFleet('types are of one processor', 'fallbackInstanceTypes', (fleet) => {
    const [first = '', ...others] = typesOf(fleet);
    const other = others.find((type) => isGraviton(type) !== isGraviton(first));
    return other === undefined
      ? undefined
      : `must be of one processor: ${[first, other].map((type) => `${type} is ${isGraviton(type) ? 'arm64' : 'x86_64'}`).join(', ')}; name types of one`;
  }),
  ofEachFleet('arm64 goes with a size', 'architecture', ({ architecture, cpus, memoryGiB, accelerators }) =>
    architecture === 'arm64' && (accelerators !== undefined || cpus === undefined || memoryGiB === undefined)
      ? 'needs cpus and memoryGiB, without accelerators; give both, or name the instance type'
      : undefined,
  ),
  ofEachFleet('arm64 is to be had in that size', 'architecture', ({ architecture, cpus, memoryGiB }) =>
    architecture === 'arm64' &&
    cpus !== undefined &&
    memoryGiB !== undefined &&
    gravitonTypes(cpus, memoryGiB).length === 0
      ? 'needs 64 vCPUs and 512 GiB at most; lower cpus or memoryGiB, or name the instance type'
      : undefined,
  ),
  ofEachFleet('the price limit is held', 'maxHourlyUsd', ({ maxHourlyUsd, instanceType, architecture }) =>
    maxHourlyUsd !== undefined && (instanceType !== undefined || architecture === 'arm64')
      ? 'needs a machine that SkyPilot chooses, because it holds the limit by its choice; name cpus, memoryGiB or accelerators instead of a type'
      : undefined,
  ),
  ofEachFleet('only spot falls back to on-demand', 'onDemandFallback', ({ spot, onDemandFallback }) =>
    !spot && onDemandFallback
      ? 'must not be true without spot: the nodes are on-demand already; remove it'
      : undefined,
  ),
  {
    name: 'a fleet is in zones of the network',
    needs: ['fleets', 'network'],
    problems: ({ fleets: all, network: { zones } }) =>
      all.flatMap((fleet, index) =>
        (fleet.zones ?? []).flatMap((zone, position) =>
          when(
            !zones.includes(zone),
            problemAt(
              ['fleets', index, 'zones', position],
              zone,
              `must be one of skyfleet:network.zones (${zones.join(', ')}); add it there first`,
            ),
          ),
        ),
      ),
  },
];

const governance: Rule[] = [
  {
    name: 'the region is allowed',
    needs: ['governance'],
    problems: ({ governance: { regions } }, { region }) =>
      when(regions !== undefined && !regions.includes(region), {
        key: 'aws:region',
        value: region,
        message: `must be one of skyfleet:governance.regions (${regions?.join(', ') ?? ''}); deploy to one of these`,
      }),
  },
  ofEachFleet(
    'required tags are there',
    'tags',
    (fleet, { tags, governance: { requiredTags } }) => {
      const missing = requiredTags.filter((key) => !(key in tags) && !(key in fleet.tags));
      return missing.length > 0
        ? `must have ${missing.join(', ')}, which skyfleet:governance.requiredTags asks for; add it here or to skyfleet:tags`
        : undefined;
    },
    ['tags', 'governance'],
  ),
];

/** The instance types that a fleet names, in the order in which they are tried. */
function typesOf({ instanceType, fallbackInstanceTypes = [] }: FleetConfig): string[] {
  return [...(instanceType === undefined ? [] : [instanceType]), ...fallbackInstanceTypes];
}

function isAbsent(value: unknown): boolean {
  return value === undefined;
}

/** Whether what is sent to an address can be read on its way. */
function isExposed(address: string): boolean {
  const { protocol, hostname } = new URL(address);
  return protocol === 'http:' && !/^(localhost|127\..+|\[::1\])$/.test(hostname);
}

/** Every rule that looks at more than one value. */
export const rules: readonly Rule[] = [...network, ...access, ...orchestrator, ...fleets, ...governance];
