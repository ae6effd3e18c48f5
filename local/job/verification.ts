import Table from 'cli-table3';
import type { OrchestratorNode } from '../../deployment/operator/orchestrator';
import type { NodeReport } from '../../deployment/operator/wait';

/** What was found out about one node, each part from where it can be known for sure. */
export interface NodeEvidence {
  /** The node as the stack declares it. */
  declared: NodeReport;
  /** The node as the orchestrator lists it; undefined where it does not. */
  listed: OrchestratorNode | undefined;
  /** Sensor rows, counted twice by a Bacalhau job on the node; an error's message where the job failed. */
  rows: [number, number] | string;
  /** Key of an object that the node wrote to the data bucket with its role; undefined where there is none. */
  object: string | undefined;
}

/** What is not as promised, each with the step and the node; empty where all is well. */
export function problemsOf({ declared, listed, rows, object }: NodeEvidence): string[] {
  const at = declared.nodeName;
  if (listed === undefined) return [`connect: ${at} is not in the orchestrator's node list`];
  const problems: string[] = [];
  if (listed.membership !== 'APPROVED') problems.push(`connect: ${at} is ${listed.membership}, not APPROVED`);
  if (listed.connection !== 'CONNECTED')
    problems.push(`connect: ${at} is ${listed.connection}, not CONNECTED`);
  if (listed.labels['sensor_id'] !== declared.sensorId) {
    problems.push(
      `identity: ${at} has label sensor_id=${listed.labels['sensor_id'] ?? ''}, its place's identity is ${declared.sensorId}`,
    );
  }
  if (typeof rows === 'string') problems.push(`sensor: counting the rows on ${at} failed: ${rows}`);
  else if (rows[0] === 0 || rows[1] <= rows[0])
    problems.push(`sensor: the rows on ${at} do not grow (${rows[0]}, then ${rows[1]})`);
  if (object === undefined) problems.push(`bucket: ${at} has written no object for ${declared.sensorId}`);
  return problems;
}

/** Nodes of a fleet that the orchestrator still calls connected although the stack no longer declares them. */
export function strangers(listed: readonly OrchestratorNode[], declared: readonly NodeReport[]): string[] {
  const names = new Set(declared.map(({ nodeName }) => nodeName));
  return listed
    .filter(({ name, connection }) => connection === 'CONNECTED' && !names.has(name))
    .map(({ name }) => `connect: ${name} is connected, but no place of the stack declares it`);
}

/** The closing table of the main job. */
export function fleetTable(evidence: readonly NodeEvidence[]): string {
  const table = new Table({
    head: ['node', 'orchestrator', 'identity', 'sensor rows', 'object in the bucket', 'labels'],
    style: { head: [], border: [] },
  });
  for (const { declared, listed, rows, object } of evidence) {
    table.push([
      declared.nodeName,
      `${listed?.membership ?? 'not listed'}\n${listed?.connection ?? ''}`,
      `${declared.sensorId}\n${declared.instanceId}\n${declared.zone}`,
      typeof rows === 'string' ? 'failed' : `${rows[0]} → ${rows[1]}`,
      (object ?? 'none').replace(/\/(?=[^/]*$)/, '/\n'),
      shownLabels(listed?.labels ?? {}),
    ]);
  }
  return table.toString();
}

/** The labels that say what no other column does. */
function shownLabels(labels: Record<string, string>): string {
  const shownElsewhere = new Set([
    'sensor_id',
    'instance_id',
    'zone',
    'name',
    'region',
    'os_arch',
    'os_type',
  ]);
  return Object.entries(labels)
    .filter(([key]) => !shownElsewhere.has(key))
    .map(([key, value]) => `${key}=${value}`)
    .sort()
    .join('\n');
}
