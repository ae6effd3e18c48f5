import { setTimeout as sleep } from 'node:timers/promises';
import {
  confirmed,
  doubtfulClusters,
  faultsOf,
  jobsByIncarnation,
  recoveringJobs,
  type Fault,
  type HealthReport,
  type Seen,
  type StandingPlace,
} from './observation';
import type { Orchestrator } from './orchestrator';
import { SkyRequestError, SkyServerError, type ClusterStatus, type SkyPilot } from './skypilot';

/** Whom to ask for what is really there. */
export interface Sources {
  /** Full name of the stack. */
  stack: string;
  /**
   * The stack's own SkyPilot server.
   *
   * @throws SkyServerError where it cannot be used, or is another one.
   */
  server: () => Promise<SkyPilot>;
  /** Ids of the stack's instances in some of EC2's states. */
  instances: (states: readonly string[]) => Promise<string[]>;
  /** The data bucket. */
  bucket: {
    /** All keys below a prefix. */
    list: (prefix: string) => Promise<string[]>;
    /** Text of an object. */
    read: (key: string) => Promise<string>;
  };
  /** Folder of each fleet in the bucket, with a slash at its end. */
  folders: readonly string[];
  /** The orchestrator's API, where it is configured. */
  orchestrator?: Orchestrator;
  /** Time that AWS and the orchestrator get to settle before the second look. */
  settleSeconds?: number;
}

/** What is really there; or why that is unknown, in words. */
export type Observation =
  | {
      /** What is wrong with each place, by its name. */
      faults: Map<string, Fault[]>;
      /** The clusters that the server knows. */
      statuses: ClusterStatus[];
      /** What SkyPilot is bringing back by itself. */
      recovering: string[];
      /** What could not be looked at, each with the reason. */
      unseen: string[];
    }
  | { unknown: string };

/** States of instances that are there, by EC2's names; in all others they have ended or are about to. */
const states = { running: ['pending', 'running'], stopped: ['stopping', 'stopped'] } as const;

/** Time that SkyPilot's server gets to ask AWS for the clusters in doubt. */
const refreshSeconds = 120;

/** Folder, below that of a fleet, in which unhealthy nodes leave their report (`deployment/node/scripts/fault_marker.py`). */
const faultFolder = 'health/faults/';

/**
 * Looks at everything that is recorded, with one request of a kind for the whole stack. Where something seems wrong it
 * looks again, and tells what both looks agree on.
 */
export async function observe(recorded: readonly StandingPlace[], sources: Sources): Promise<Observation> {
  try {
    const sky = await sources.server();
    const first = await look(recorded, sources, sky, () => sky.status());
    const suspected = faultsOf(recorded, first);
    if (suspected.size === 0) {
      const recovering = recoveringJobs(recorded, first);
      return { faults: suspected, statuses: first.clusters, recovering, unseen: first.unseen };
    }

    await sleep((sources.settleSeconds ?? 5) * 1000);
    const second = await look(recorded, sources, sky, async () => {
      const doubtful = doubtfulClusters(recorded, suspected);
      const refreshed = await sky.refreshedStatus(doubtful, Date.now() + refreshSeconds * 1000);
      return [...first.clusters.filter(({ name }) => !doubtful.includes(name)), ...refreshed];
    });
    return {
      faults: confirmed(suspected, faultsOf(recorded, second)),
      statuses: second.clusters,
      recovering: recoveringJobs(recorded, second),
      unseen: [...new Set([...first.unseen, ...second.unseen])],
    };
  } catch (error) {
    if (error instanceof SkyServerError || error instanceof NoAnswer) return { unknown: error.message };
    if (error instanceof SkyRequestError) {
      return {
        unknown: `SkyPilot does not tell the status of its clusters (${error.type}): ${error.message}`,
      };
    }
    throw error;
  }
}

/** What nothing can be said without was not to be had. */
class NoAnswer extends Error {}

async function instancesIn(wanted: readonly string[], sources: Sources): Promise<Set<string>> {
  try {
    return new Set(await sources.instances(wanted));
  } catch (error) {
    throw new NoAnswer(`AWS does not tell the stack's instances: ${messageOf(error)}`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** One look at everything, all at once. */
async function look(
  recorded: readonly StandingPlace[],
  sources: Sources,
  sky: SkyPilot,
  statuses: () => Promise<ClusterStatus[]>,
): Promise<Seen & { clusters: ClusterStatus[]; unseen: string[] }> {
  const unseen: string[] = [];
  /** What cannot be read is no fault of a node, and no reason to miss those that can be seen: it is told beside them. */
  const orElse = async <T>(what: string, read: Promise<T>, otherwise: T): Promise<T> => {
    try {
      return await read;
    } catch (error) {
      unseen.push(`${what} is unknown: ${messageOf(error)}`);
      return otherwise;
    }
  };
  const nodes = recorded.flatMap((place) => place.nodes);
  if (nodes.length === 0) {
    const none = new Set<string>();
    return {
      clusters: await statuses(),
      jobs: new Map(),
      running: none,
      stopped: none,
      unhealthy: new Map(),
      orchestrator: undefined,
      unseen,
    };
  }
  // The list is expensive for SkyPilot's server: it is asked for where there is anything to be on it.
  const jobs = async (): Promise<Seen['jobs']> =>
    recorded.some(({ managed }) => managed)
      ? jobsByIncarnation(await sky.managedJobs(), sources.stack)
      : new Map();
  const [clusters, jobsNow, running, stopped, unhealthy, orchestrator] = await Promise.all([
    statuses(),
    jobs(),
    instancesIn(states.running, sources),
    instancesIn(states.stopped, sources),
    orElse(
      'what nodes report of their health',
      unhealthyNodes(new Set(nodes.map(({ nodeName }) => nodeName)), sources),
      new Map<string, HealthReport>(),
    ),
    orElse('whether nodes are connected to the orchestrator', connectedNodes(sources), undefined),
  ]);
  return { clusters, jobs: jobsNow, running, stopped, unhealthy, orchestrator, unseen };
}

async function connectedNodes({ orchestrator }: Sources): Promise<Seen['orchestrator']> {
  return orchestrator?.computeNodes();
}

/** The reports of the named nodes that have found themselves unhealthy. */
async function unhealthyNodes(
  names: ReadonlySet<string>,
  { bucket, folders }: Sources,
): Promise<Map<string, HealthReport>> {
  const markers = (await Promise.all(folders.map((folder) => bucket.list(`${folder}${faultFolder}`))))
    .flat()
    .map((key) => ({ key, node: /([^/]+)\.json$/.exec(key)?.[1] ?? '' }))
    .filter(({ node }) => names.has(node));
  const reports = await Promise.all(
    markers.map(async ({ key, node }): Promise<[string, HealthReport][]> => {
      const text = await textUnlessDeleted(key, bucket);
      return text === undefined ? [] : [[node, parseReport(key, text)]];
    }),
  );
  return new Map(reports.flat());
}

/** Text of an object that was there just now; undefined where it is not any more: the node is well again. */
async function textUnlessDeleted(key: string, bucket: Sources['bucket']): Promise<string | undefined> {
  try {
    return await bucket.read(key);
  } catch (error) {
    // How a missing object is reported is the plugin's affair; the list tells it for certain.
    if ((await bucket.list(key)).includes(key)) throw error;
    return undefined;
  }
}

function parseReport(key: string, text: string): HealthReport {
  try {
    const { instanceId, checks } = JSON.parse(text) as HealthReport;
    return { instanceId, checks: checks.map(({ name, ok, detail }) => ({ name, ok, detail })) };
  } catch (error) {
    throw new Error(`${key} in the data bucket is no health report: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
