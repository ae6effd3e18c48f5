import type { StackConfig } from '../config/load';
import type { Fault } from '../deployment/operator/observation';
import type { LaunchState, PlaceFacts } from '../deployment/operator/place-plan';
import { launchState } from '../deployment/operator/job';
import {
  readRecordedStack,
  type RecordedPlace,
  type RecordedStack,
} from '../deployment/operator/recorded-state';
import { ownServer } from '../deployment/operator/server-identity';

/** What came before: what Pulumi has recorded of the places of a stack, and what is really there. */
export class StackHistory {
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

  /** The places that are recorded. */
  get places(): RecordedPlace[] {
    return [...this.past.recorded.values()];
  }

  /** What is known of one place. */
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

/** Reads what came before, once for the whole stack. */
export async function readHistory(stack: string, config: StackConfig): Promise<StackHistory> {
  const recorded = await readRecordedStack(stack);
  const launches = await unfinishedLaunches(stack, config, recorded);
  return new StackHistory({
    recorded: recorded.places,
    faults: new Map(),
    launches,
    token: config.plain.orchestratorToken,
  });
}

/** How the launches stand that were not followed to their end. */
async function unfinishedLaunches(
  stack: string,
  { skypilot, plain }: StackConfig,
  { places, server }: RecordedStack,
): Promise<Map<string, LaunchState>> {
  const unfinished = [...places.values()].filter(({ finished }) => !finished);
  if (unfinished.length === 0) return new Map();
  const sky = await ownServer({
    SKYFLEET_STACK: stack,
    SKYFLEET_SKYPILOT_ENDPOINT: skypilot.endpoint,
    SKYFLEET_SKYPILOT_TOKEN: plain.skypilotToken,
    SKYFLEET_SERVER: server,
  });
  return new Map(
    await Promise.all(
      unfinished.map(async ({ place, submitted }): Promise<[string, LaunchState]> => [
        place,
        await launchState(sky, submitted.submission),
      ]),
    ),
  );
}
