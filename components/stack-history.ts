import * as pulumi from '@pulumi/pulumi';
import type { StackConfig } from '../config/load';
import { launchState } from '../deployment/operator/job';
import { foreignClaims, type Fault } from '../deployment/operator/observation';
import { observe, type Observation } from '../deployment/operator/observe';
import { Orchestrator } from '../deployment/operator/orchestrator';
import { reportFolder, type OrderReport } from '../deployment/operator/orders';
import type { LaunchState, PlaceFacts } from '../deployment/operator/place-plan';
import {
  standingPlaces,
  type RecordedPlace,
  type RecordedStack,
} from '../deployment/operator/recorded-state';
import { ownServer } from '../deployment/operator/server-identity';
import type { SkyPilot } from '../deployment/operator/skypilot';
import { awsSources, type AwsSources, type AwsSourcesArgs } from './observer';
import { recordedStack, stackName } from './recorded-stack';

/** What came before: what Pulumi has recorded of the places of a stack, and what is really there. */
export class StackHistory {
  /** @internal */
  constructor(
    private readonly past: {
      recorded: ReadonlyMap<string, RecordedPlace>;
      faults: ReadonlyMap<string, readonly Fault[]>;
      /** How launches stand that were not followed to their end. */
      launches: ReadonlyMap<string, LaunchState>;
      /** The orchestrator's token, in plain; only compared. */
      token: string;
    },
  ) {}

  /**
   * The places that are recorded.
   *
   * @internal
   */
  get places(): RecordedPlace[] {
    return [...this.past.recorded.values()];
  }

  /**
   * What is known of one place.
   *
   * @internal
   */
  of(place: string): Omit<PlaceFacts, 'nodes' | 'wanted'> {
    const { recorded, faults, launches, token } = this.past;
    return {
      token,
      recorded: recorded.get(place),
      faults: faults.get(place) ?? [],
      launch: launches.get(place),
    };
  }
}

/**
 * Reads what came before, once for the whole stack. What cannot be seen is told; nothing is repaired by guess.
 *
 * @throws RunError in an `up` where SkyPilot cannot be asked or is not the stack's own server, and where another stack
 *   has a place of this one.
 * @param aws whom to ask what AWS has of the stack.
 */
export async function readHistory(
  config: StackConfig,
  aws: (args: AwsSourcesArgs) => AwsSources = awsSources,
): Promise<StackHistory> {
  const stack = stackName();
  const recorded = await recordedStack();
  const { plain } = config;
  const past = { recorded: recorded.places, token: plain.orchestratorToken };
  if (recorded.server === undefined)
    return new StackHistory({ ...past, faults: new Map(), launches: new Map() });

  // One connection for all questions.
  let asked: Promise<SkyPilot> | undefined;
  const server = (): Promise<SkyPilot> =>
    (asked ??= ownServer({
      SKYFLEET_STACK: stack,
      SKYFLEET_SKYPILOT_ENDPOINT: config.skypilot.endpoint,
      SKYFLEET_SKYPILOT_TOKEN: plain.skypilotToken,
      SKYFLEET_SERVER: recorded.server,
    }));
  const sources = aws({ stack, region: config.region, bucket: recorded.dataBucket ?? '' });
  const seen = await observe(standingPlaces(past.recorded.values()), {
    stack,
    server,
    ...sources,
    folders: config.fleets.map(({ name }) => `${config.buckets.prefix}${name}/`),
    orchestrator:
      config.orchestrator.api === undefined
        ? undefined
        : new Orchestrator(config.orchestrator.api, plain.orchestratorApiToken),
  });
  if ('unknown' in seen) {
    refuseToGuess(seen);
    return new StackHistory({ ...past, faults: new Map(), launches: new Map() });
  }
  for (const what of seen.unseen) void pulumi.log.warn(what);
  for (const what of seen.recovering) void pulumi.log.info(what);
  const claims = foreignClaims(seen.statuses, stack, declaredPlaces(config));
  if (claims.length > 0) throw new pulumi.RunError(claims.join('\n'));
  return new StackHistory({
    ...past,
    faults: seen.faults,
    launches: await unfinishedLaunches(await server(), stack, recorded, (place, ...order) =>
      orderReports(`${config.buckets.prefix}${fleetOf(place)}/${reportFolder(...order)}`, sources),
    ),
  });
}

/** Name of the fleet that a place belongs to. */
const fleetOf = (place: string): string => place.replace(/-\d+$/, '');

/** What the nodes of a managed job say of an order. */
async function orderReports(folder: string, { bucket }: AwsSources): Promise<OrderReport[]> {
  const keys = await bucket.list(folder);
  return Promise.all(keys.map(async (key) => JSON.parse(await bucket.read(key)) as OrderReport));
}

function declaredPlaces({ fleets }: StackConfig): string[] {
  return fleets.flatMap(({ name, clusters }) =>
    Array.from({ length: clusters }, (_, index) => `${name}-${index}`),
  );
}

/** What is there is not known: a preview says so, and an `up` would have to guess. */
function refuseToGuess({ unknown }: Extract<Observation, { unknown: string }>): void {
  const message = `What is really there is not known: ${unknown}`;
  if (!pulumi.runtime.isDryRun()) {
    throw new pulumi.RunError(`${message}\nNothing was changed, because it would be by guess.`);
  }
  void pulumi.log.warn(
    `${message}\nThis preview shows changes of the configuration only; pulumi up will refuse.`,
  );
}

/** How the launches stand that were not followed to their end. */
async function unfinishedLaunches(
  sky: SkyPilot,
  stack: string,
  { places }: RecordedStack,
  reports: (place: string, incarnation: string, order: string) => Promise<OrderReport[]>,
): Promise<Map<string, LaunchState>> {
  const unfinished = [...places.values()].filter(({ finished }) => !finished);
  return new Map(
    await Promise.all(
      unfinished.map(async ({ place, submitted }): Promise<[string, LaunchState]> => [
        place,
        await launchState(sky, submitted.submission, {
          stack,
          reports: (...order) => reports(place, ...order),
        }),
      ]),
    ),
  );
}
