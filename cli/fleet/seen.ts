import { jobsByIncarnation } from '../../deployment/operator/observation';
import { standingPlaces } from '../../deployment/operator/recorded-state';
import { exitCodes } from '../exit-codes';
import { valuesOf, type Outcome } from '../side-by-side';
import type { Fleet } from './fleet';
import { healthReports } from './health-reports';
import { instancesOf } from './instances';
import { joinNodes, type FleetNode, type SeenFleet } from './nodes';

/** The nodes of a fleet, and what could not be asked, each with the reason. */
export interface SeenNodes {
  nodes: FleetNode[];
  unseen: string[];
}

/** SkyPilot's statuses, by incarnation. */
async function statusesOf(fleet: Fleet): Promise<Map<string, string>> {
  const sky = await fleet.server();
  const managed = standingPlaces(fleet.places).some((place) => place.managed);
  const [clusters, jobs] = await Promise.all([sky.status(), managed ? sky.managedJobs() : []]);
  return new Map([
    ...clusters.map(({ name, status }): [string, string] => [name, status]),
    ...[...jobsByIncarnation(jobs, fleet.stack)].map(([incarnation, { status }]): [string, string] => [
      incarnation,
      status,
    ]),
  ]);
}

/**
 * Looks at the nodes of a fleet, at all sources at once.
 *
 * @throws AwsCliError where AWS does not tell the instances: without them there is nothing to say.
 */
export async function seeNodes(fleet: Fleet): Promise<SeenNodes> {
  const unseen: string[] = [];
  const orUndefined = async <T>(what: string, asked: Promise<T>): Promise<T | undefined> => {
    try {
      return await asked;
    } catch (error) {
      unseen.push(`${what} cannot be told: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const [instances, skypilot, orchestrator, reports] = await Promise.all([
    instancesOf(fleet.aws, fleet.stack),
    orUndefined("SkyPilot's status", statusesOf(fleet)),
    orUndefined(
      'whether nodes are connected to the orchestrator',
      fleet.orchestrator?.computeNodes() ?? Promise.resolve(undefined),
    ),
    orUndefined('what nodes report of their health', healthReports(fleet.aws, fleet.bucket, fleet.folders)),
  ]);
  const seen: SeenFleet = { instances, skypilot, orchestrator, reports };
  return { nodes: joinNodes(fleet.stack, standingPlaces(fleet.places), seen), unseen };
}

/** Says on standard error what could not be asked of each stack. */
export function tellUnseen(outcomes: readonly Outcome<Pick<SeenNodes, 'unseen'>>[]): void {
  for (const { stack, value } of valuesOf(outcomes)) {
    for (const what of value.unseen) process.stderr.write(`${stack}: ${what}\n`);
  }
}

/** What could not be asked is a failure, whatever else is told. */
export const codeOfSeen = ({ unseen }: Pick<SeenNodes, 'unseen'>): number =>
  unseen.length > 0 ? exitCodes.failed : exitCodes.done;
