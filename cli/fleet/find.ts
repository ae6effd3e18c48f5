import type { FleetNode } from './nodes';

/** The names by which a node may be called. */
const namesOf = ({ place, incarnation, node, sensorId, instanceId }: FleetNode): (string | null)[] => [
  place,
  incarnation,
  node,
  sensorId,
  instanceId,
];

const told = (nodes: readonly FleetNode[]): string =>
  nodes
    .map(({ place, node, sensorId, instanceId }) =>
      [place, node, sensorId, instanceId].filter((name) => name !== null && name !== '').join(' · '),
    )
    .map((line) => `  ${line}`)
    .join('\n');

/**
 * The nodes that names mean: a place or an incarnation means all of its nodes; a Bacalhau node, a sensor and an instance
 * mean one. No name means all nodes.
 *
 * @throws Error that lists what there is, for a name that means none.
 */
export function findNodes(nodes: readonly FleetNode[], names: readonly string[]): FleetNode[] {
  if (names.length === 0) return [...nodes];
  const unknown = names.filter((name) => !nodes.some((node) => namesOf(node).includes(name)));
  if (unknown.length > 0) {
    throw new Error(
      `no node is called ${unknown.join(', ')}; a node goes by its place, incarnation, Bacalhau node, sensor or instance:\n${told(nodes)}`,
    );
  }
  return nodes.filter((node) => names.some((name) => namesOf(node).includes(name)));
}

/**
 * The one node that a name means.
 *
 * @throws Error where it means none, or several.
 */
export function findNode(nodes: readonly FleetNode[], name: string): FleetNode {
  const found = findNodes(nodes, [name]);
  const [node] = found;
  if (node === undefined || found.length > 1) {
    throw new Error(`${name} means ${found.length} nodes; name one of them:\n${told(found)}`);
  }
  return node;
}
