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
    resources: resources.length,
    kept: resources
      .filter(({ retainOnDelete }) => retainOnDelete === true)
      .map(({ type, urn }) => `${type} ${nameOf(urn)}`),
  };
}

/** What a `destroy` comes to, in words. */
export function destructionText(stack: string, { places, nodes, resources, kept }: Destruction): string {
  const lines = [
    `${stack}: ${resources} resources are deleted; ${places} places end, with ${nodes.length} nodes${nodes.length === 0 ? '' : `: ${nodes.join(', ')}`}`,
    ...kept.map((one) => `  stays: ${one}`),
  ];
  return `${lines.join('\n')}\n`;
}
