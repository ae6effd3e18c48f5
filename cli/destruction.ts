import { standingPlaces, parseRecordedStack } from '../deployment/operator/recorded-state';
import { nameOf } from '../deployment/operator/preview';

/** What a `destroy` of a stack ends, and what it leaves. */
export interface Destruction {
  places: number;
  /** Names of the nodes that end. */
  nodes: string[];
  /** How many resources Pulumi deletes. */
  resources: number;
  /** What stays at AWS: type and name. */
  kept: string[];
}

/** Reads what a `destroy` comes to from `pulumi stack export --show-secrets`. */
export function destructionOf(exported: string): Destruction {
  const { deployment } = JSON.parse(exported) as {
    deployment?: { resources?: { urn: string; type: string; custom: boolean; retainOnDelete?: boolean }[] };
  };
  const resources = (deployment?.resources ?? []).filter(
    ({ custom, type }) => custom && !type.startsWith('pulumi:'),
  );
  const places = standingPlaces(parseRecordedStack(exported).places.values());
  return {
    places: places.length,
    nodes: places.flatMap(({ nodes }) => nodes.map(({ nodeName }) => nodeName)),
    resources: resources.filter(({ retainOnDelete }) => retainOnDelete !== true).length,
    kept: resources
      .filter(({ retainOnDelete }) => retainOnDelete === true)
      .map(({ type, urn }) => `${type} ${nameOf(urn)}`),
  };
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** What a `destroy` comes to, in words. */
export function destructionText(stack: string, { places, nodes, resources, kept }: Destruction): string {
  const named = nodes.length === 0 ? '' : `: ${nodes.join(', ')}`;
  const lines = [
    `${stack}: ${counted(resources, 'resource')} ${resources === 1 ? 'is' : 'are'} deleted; ${counted(places, 'place')} ` +
      `${places === 1 ? 'ends' : 'end'}, with ${counted(nodes.length, 'node')}${named}`,
    ...kept.map((one) => `  stays: ${one}`),
  ];
  return `${lines.join('\n')}\n`;
}
