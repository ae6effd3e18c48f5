import { labelKeys } from './incarnation';
import { incarnationOfJob } from './managed-jobs';
import type { OrchestratorNode } from './orchestrator';
import type { ClusterStatus, ManagedJob } from './skypilot';
import type { NodeReport } from './wait';

/** Something that is wrong with what stands in a place. */
export interface Fault {
  /** The instance or the cluster is not there; it does not run; its own checks fail; the orchestrator does not hear it. */
  kind: 'gone' | 'stopped' | 'unhealthy' | 'disconnected';
  /** Name of the node. */
  node: string;
  /** What is wrong, for a person, with the node's name. */
  text: string;
}

/** What is recorded to stand in a place. */
export interface StandingPlace {
  place: string;
  /** Name of what stands there. */
  incarnation: string;
  /** It is a managed job, not a cluster. */
  managed: boolean;
  nodes: readonly NodeReport[];
}

/** What an unhealthy node says of itself (`deployment/node/scripts/health_check.py`), as far as it is read here. */
export interface HealthReport {
  instanceId: string;
  checks: { name: string; ok: boolean; detail: string }[];
}

/** What was seen of a stack at one time. */
export interface Seen {
  /** Ids of the instances that AWS runs or starts. */
  running: ReadonlySet<string>;
  /** Ids of those that are stopped or about to be. */
  stopped: ReadonlySet<string>;
  /** The clusters that SkyPilot's server knows. */
  clusters: readonly ClusterStatus[];
  /** The managed jobs of the stack that have not ended, by their incarnations. */
  jobs: ReadonlyMap<string, ManagedJob>;
  /** Reports of the nodes that have found themselves unhealthy, by node name. */
  unhealthy: ReadonlyMap<string, HealthReport>;
  /** The compute nodes that the orchestrator knows; undefined where it was not asked. */
  orchestrator: readonly OrchestratorNode[] | undefined;
}

/**
 * What is wrong with each place, by its name; places where nothing is are left out.
 *
 * AWS tells whether an instance is there. What SkyPilot believes of a cluster is a memory: UP proves no instance, and
 * INIT or STOPPED is no fault where all instances run. A cluster that it does not know is one, because nothing can be
 * launched into it or taken down with it.
 */
export function faultsOf(recorded: readonly StandingPlace[], seen: Seen): Map<string, Fault[]> {
  const known = new Set(seen.clusters.map(({ name }) => name));
  const connections = seen.orchestrator && new Map(seen.orchestrator.map((node) => [node.name, node]));
  return new Map(
    recorded
      .map(({ place, incarnation, managed, nodes }): [string, Fault[]] => {
        const away = managed ? jobAbsence(incarnation, seen) : undefined;
        if (away !== undefined) return [place, away];
        return [
          place,
          nodes.flatMap((node) => {
            const absent = managed ? undefined : absence(node, incarnation, seen, known);
            if (absent !== undefined) return [absent];
            const own = managed ? currentFault(node, seen) : ownFault(node, seen);
            return [own, connections && connectionFault(node, connections)].filter(
              (fault) => fault !== undefined,
            );
          }),
        ];
      })
      .filter(([, faults]) => faults.length > 0),
  );
}

/** Why there is no node to speak of. */
function absence(
  { nodeName, instanceId }: NodeReport,
  incarnation: string,
  { running, stopped }: Seen,
  known: ReadonlySet<string>,
): Fault | undefined {
  const fault = (kind: Fault['kind'], text: string): Fault => ({ kind, node: nodeName, text });
  if (stopped.has(instanceId)) {
    return fault('stopped', `${nodeName} is stopped (instance ${instanceId})`);
  }
  if (!running.has(instanceId)) {
    return fault('gone', `${nodeName} is gone (AWS has no instance ${instanceId} any more)`);
  }
  if (!known.has(incarnation)) {
    return fault('gone', `${nodeName} is gone from SkyPilot, which does not know cluster ${incarnation}`);
  }
  return undefined;
}

/** What is wrong with a managed job as a whole; nothing but that where there is. Undefined where its nodes are to be looked at. */
function jobAbsence(incarnation: string, { jobs }: Seen): Fault[] | undefined {
  const job = jobs.get(incarnation);
  if (job === undefined) {
    const text = `${incarnation} is gone from SkyPilot, which has no managed job of it any more`;
    return [{ kind: 'gone', node: incarnation, text }];
  }
  // What SkyPilot is about to bring back is for nobody else to repair.
  return job.status === 'RUNNING' ? undefined : [];
}

/** The managed jobs that SkyPilot is bringing up or back by itself, for a person. */
export function recoveringJobs(recorded: readonly StandingPlace[], { jobs }: Pick<Seen, 'jobs'>): string[] {
  return recorded.flatMap(({ place, incarnation, managed }) => {
    const status = managed ? jobs.get(incarnation)?.status : undefined;
    return status === undefined || status === 'RUNNING'
      ? []
      : [
          `${place}: SkyPilot is bringing ${incarnation} back by itself (${status}); there is nothing to do for up`,
        ];
  });
}

/** The managed jobs of a stack by their incarnations. */
export function jobsByIncarnation(
  jobs: readonly ManagedJob[],
  stack: string,
): ReadonlyMap<string, ManagedJob> {
  return new Map(
    jobs.flatMap((job) => {
      const incarnation = incarnationOfJob(job, stack);
      return incarnation === undefined ? [] : [[incarnation, job] as const];
    }),
  );
}

/** A node of a managed job keeps its name on another instance, so that the one which reported must only be there. */
function currentFault(node: NodeReport, seen: Seen): Fault | undefined {
  const instanceId = seen.unhealthy.get(node.nodeName)?.instanceId ?? '';
  return seen.running.has(instanceId) ? ownFault({ ...node, instanceId }, seen) : undefined;
}

function ownFault({ nodeName, instanceId }: NodeReport, { unhealthy }: Seen): Fault | undefined {
  const report = unhealthy.get(nodeName);
  // What an earlier instance of that name has left says nothing of this one.
  if (report === undefined || report.instanceId !== instanceId) return undefined;
  const failing = report.checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);
  return { kind: 'unhealthy', node: nodeName, text: `${nodeName} is unhealthy (${failing.join('; ')})` };
}

function connectionFault(
  { nodeName }: NodeReport,
  connections: ReadonlyMap<string, OrchestratorNode>,
): Fault | undefined {
  const found = connections.get(nodeName);
  if (found?.connection === 'CONNECTED') return undefined;
  const why =
    found === undefined ? 'it is not on its list' : `it is ${found.membership} and ${found.connection}`;
  return {
    kind: 'disconnected',
    node: nodeName,
    text: `${nodeName} is disconnected from the orchestrator (${why})`,
  };
}

/** The clusters of those places whose instances or cluster are in doubt. */
export function doubtfulClusters(
  recorded: readonly StandingPlace[],
  faults: ReadonlyMap<string, readonly Fault[]>,
): string[] {
  return recorded
    .filter(({ place, managed }) => !managed && faults.get(place)?.some((fault) => !isThere(fault)))
    .map(({ incarnation }) => incarnation);
}

const isThere = ({ kind }: Fault): boolean => kind === 'unhealthy' || kind === 'disconnected';

/**
 * What two looks agree on, in the words of the second: the same node with the same kind of fault. One that was stopped
 * and is gone by then is agreed to be no node, too.
 *
 * One stale answer can thus cause no repair. Nor can it hide a loss for long: what only one of them has seen is looked
 * for again by the next preview.
 */
export function confirmed(
  first: ReadonlyMap<string, readonly Fault[]>,
  second: ReadonlyMap<string, readonly Fault[]>,
): Map<string, Fault[]> {
  const claim = (fault: Fault): string => `${isThere(fault) ? fault.kind : 'not there'} ${fault.node}`;
  return new Map(
    [...second]
      .map(([place, faults]): [string, Fault[]] => {
        const before = new Set((first.get(place) ?? []).map(claim));
        return [place, faults.filter((fault) => before.has(claim(fault)))];
      })
      .filter(([, faults]) => faults.length > 0),
  );
}

/**
 * Clusters on the server that stand in a place of that name for another stack. Both stacks' nodes would take the same
 * names.
 *
 * @param stack full name of this stack.
 * @returns a sentence for each such cluster, with what to do.
 */
export function foreignClaims(
  clusters: readonly ClusterStatus[],
  stack: string,
  places: readonly string[],
): string[] {
  const own = new Set(places);
  const claims = clusters.flatMap(({ name, labels }) => {
    const [other, place] = [labels?.[labelKeys.stack], labels?.[labelKeys.place]];
    return other === undefined || place === undefined || other === stack || !own.has(place)
      ? []
      : [
          `place ${place} is claimed by stack ${other} on the same SkyPilot server, with cluster ${name}: ` +
            `rename the fleet in one of the two stacks, or take the other one down with: pulumi destroy --stack ${other}`,
        ];
  });
  return claims.sort();
}
