import { exitCodes } from '../exit-codes';
import { readFleet } from '../fleet/fleet';
import { isWell, type FleetNode } from '../fleet/nodes';
import { codeOfSeen, seeNodes, tellUnseen } from '../fleet/seen';
import { ageText, jsonText, tableText } from '../output';
import { concluded, sideBySide, valuesOf } from '../side-by-side';
import { whileSpinning } from '../spinner';
import { stacksOf, type StackChoice } from '../stacks';

export interface NodesOptions extends StackChoice {
  json: boolean;
}

function healthText({ health }: FleetNode, now: number): string {
  if (health === null) return 'no report';
  const age = `${ageText(health.time, now)} ago`;
  return health.healthy ? `healthy, ${age}` : `UNHEALTHY, ${age}: ${health.failing.join('; ')}`;
}

/** The nodes as a table: who is where, since when, and how each source sees it. */
export function nodesText(nodes: readonly FleetNode[], now: number): string {
  if (nodes.length === 0) return 'no nodes\n';
  const head = [
    'node',
    'sensor',
    'instance',
    'type',
    'zone',
    'since',
    'aws',
    'skypilot',
    'orchestrator',
    'health',
  ];
  const rows = nodes.map((node) => [
    node.node ?? `(${node.incarnation || node.place || 'no name'}, not recorded)`,
    node.sensorId ?? '',
    node.instanceId,
    `${node.type ?? ''}${node.spot === true ? ' spot' : ''}`,
    node.zone,
    ageText(node.since ?? undefined, now),
    node.state,
    node.skypilot ?? '-',
    node.orchestrator?.connection ?? '-',
    healthText(node, now),
  ]);
  return tableText(head, rows);
}

/** Lists the nodes of stacks: what is recorded, joined with what AWS, SkyPilot and the orchestrator say. */
export async function nodes(options: NodesOptions): Promise<number> {
  const stacks = await stacksOf(options);
  const outcomes = await whileSpinning(`looking at the nodes of ${stacks.join(', ')}`, () =>
    sideBySide(stacks, async (stack) => seeNodes(await readFleet(stack))),
  );
  tellUnseen(outcomes);
  const all = valuesOf(outcomes).flatMap(({ value }) => value.nodes);
  process.stdout.write(options.json ? jsonText(all) : nodesText(all, Date.now()));
  return concluded(outcomes, (seen) =>
    seen.nodes.every(isWell) || codeOfSeen(seen) !== 0 ? codeOfSeen(seen) : exitCodes.found,
  );
}
