import type { StandingPlace } from '../../deployment/operator/observation';
import type { OrchestratorNode } from '../../deployment/operator/orchestrator';
import { failingChecks, type HealthReport } from './health-reports';
import type { Instance } from './instances';

/** A node of a fleet: what Pulumi has recorded of it, joined with what AWS, SkyPilot and the orchestrator say. */
export interface FleetNode {
  /** Full name of the stack. */
  stack: string;
  place: string;
  /** Name of what stands in the place: a SkyPilot cluster, or the mark of a managed job. */
  incarnation: string;
  managed: boolean;
  /** Name of the Bacalhau node; null for an instance that nobody has recorded. */
  node: string | null;
  sensorId: string | null;
  instanceId: string;
  /** EC2's state of the instance; `gone` where AWS does not know it any more. */
  state: string;
  /** Type of the instance; null where it is gone. */
  type: string | null;
  spot: boolean | null;
  zone: string;
  /** Address by which it is reached from where SkyPilot is. */
  address: string | null;
  /** When the instance was launched, in ISO 8601; null where it is gone. */
  since: string | null;
  /** SkyPilot's status of the cluster or of the managed job; null where it knows none, or was not asked. */
  skypilot: string | null;
  /** How the orchestrator stands to it; null where it is not on its list, or there was nobody to ask. */
  orchestrator: { membership: string; connection: string } | null;
  /** Its newest report; null where this instance has made none. */
  health: { healthy: boolean; time: string; failing: string[] } | null;
}

/** What was seen of a stack; what could not be asked is undefined. */
export interface SeenFleet {
  instances: readonly Instance[];
  /** Statuses of clusters and managed jobs, by incarnation. */
  skypilot: ReadonlyMap<string, string> | undefined;
  orchestrator: readonly OrchestratorNode[] | undefined;
  reports: readonly HealthReport[] | undefined;
}

const names = new Intl.Collator('en', { numeric: true });

/** The order of places: `s-2` before `s-10`. */
export const byPlace = (a: { place: string }, b: { place: string }): number =>
  names.compare(a.place, b.place);

const ended = ['terminated', 'shutting-down'];

/** The instance that a node is on: where SkyPilot has brought it back, that is another one than the recorded. */
function instanceOfNode(
  { nodeName, instanceId }: StandingPlace['nodes'][number],
  managed: boolean,
  { instances, reports }: SeenFleet,
): Instance | undefined {
  const byId = (id: string | undefined): Instance | undefined =>
    instances.find((instance) => instance.instanceId === id);
  const recorded = byId(instanceId);
  if (!managed || (recorded !== undefined && !ended.includes(recorded.state))) return recorded;
  return byId(reports?.find((report) => report.nodeName === nodeName)?.instanceId) ?? recorded;
}

function ofInstance(instance: Instance | undefined): Pick<FleetNode, 'state' | 'type' | 'spot' | 'since'> {
  if (instance === undefined) return { state: 'gone', type: null, spot: null, since: null };
  const { state, type, spot, launchedAt: since } = instance;
  return { state, type, spot, since };
}

function healthOf(
  node: string,
  instanceId: string,
  reports: SeenFleet['reports'],
): Pick<FleetNode, 'health'> {
  const report = reports?.find((one) => one.nodeName === node && one.instanceId === instanceId);
  if (report === undefined) return { health: null };
  return { health: { healthy: report.healthy, time: report.time, failing: failingChecks(report) } };
}

/**
 * The nodes of a stack, by place and ordinal, and behind them the instances that carry its tag and that nobody has
 * recorded, such as those of a launch under way.
 */
export function joinNodes(stack: string, recorded: readonly StandingPlace[], seen: SeenFleet): FleetNode[] {
  const ordered = [...recorded].sort(byPlace);
  const nodes = ordered.flatMap(({ place, incarnation, managed, nodes: ofPlace }) =>
    ofPlace.map((node): FleetNode => {
      const instance = instanceOfNode(node, managed, seen);
      const instanceId = instance?.instanceId ?? node.instanceId;
      const listed = seen.orchestrator?.find(({ name }) => name === node.nodeName);
      return {
        ...{ stack, place, incarnation, managed, node: node.nodeName, sensorId: node.sensorId, instanceId },
        ...ofInstance(instance),
        zone: instance?.zone ?? node.zone,
        address: instance?.publicIp ?? instance?.privateIp ?? node.publicIp ?? node.privateIp,
        skypilot: seen.skypilot?.get(incarnation) ?? null,
        orchestrator:
          listed === undefined ? null : { membership: listed.membership, connection: listed.connection },
        ...healthOf(node.nodeName, instanceId, seen.reports),
      };
    }),
  );
  const known = new Set(nodes.map(({ instanceId }) => instanceId));
  const others = seen.instances
    .filter(({ instanceId, state }) => !known.has(instanceId) && !ended.includes(state))
    .map((instance): FleetNode => {
      const incarnation = instance.incarnation ?? '';
      return {
        ...{ stack, place: instance.place ?? '', incarnation, managed: false, node: null, sensorId: null },
        instanceId: instance.instanceId,
        ...ofInstance(instance),
        zone: instance.zone,
        address: instance.publicIp ?? instance.privateIp,
        skypilot: seen.skypilot?.get(incarnation) ?? null,
        orchestrator: null,
        health: null,
      };
    });
  return [...nodes, ...others];
}

/** Whether a node is what it should be, as far as it was asked. */
export function isWell({ node, state, orchestrator, health }: FleetNode): boolean {
  return (
    node !== null &&
    state === 'running' &&
    (orchestrator === null || orchestrator.connection === 'CONNECTED') &&
    health?.healthy !== false
  );
}
