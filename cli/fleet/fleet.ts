import type { AwsCli } from '../../deployment/operator/aws-cli';
import {
  awsCliOf,
  orchestratorOf,
  type CommandEnvironment,
} from '../../deployment/operator/command-environment';
import type { Orchestrator } from '../../deployment/operator/orchestrator';
import {
  parseRecordedStack,
  type RecordedPlace,
  type RecordedStack,
} from '../../deployment/operator/recorded-state';
import { ownServer } from '../../deployment/operator/server-identity';
import type { SkyPilot } from '../../deployment/operator/skypilot';
import { currentProject } from '../stacks';

/** What stands of a stack, and whom to ask about it, as the last `up` has recorded both. */
export interface Fleet {
  /** Full name of the stack. */
  stack: string;
  places: RecordedPlace[];
  /** Name of the data bucket. */
  bucket: string;
  /** Folder of each fleet in it, with a slash at its end. */
  folders: string[];
  region: string;
  aws: AwsCli;
  /** The orchestrator's API; undefined where none is configured. */
  orchestrator: Orchestrator | undefined;
  /**
   * The stack's own SkyPilot server.
   *
   * @throws SkyServerError where it cannot be used, or is another one.
   */
  server: () => Promise<SkyPilot>;
}

/**
 * What a recorded state tells of a fleet; undefined where no place was ever launched.
 *
 * Every place was told whom to ask, and one is as good as another.
 */
export function fleetOf({ places, dataBucket }: RecordedStack): Fleet | undefined {
  const [first] = places.values();
  if (first === undefined) return undefined;
  const all = [...places.values()];
  const environment: CommandEnvironment = first.environment;
  let asked: Promise<SkyPilot> | undefined;
  return {
    stack: environment['SKYFLEET_STACK'] ?? '',
    places: all,
    bucket: dataBucket ?? environment['SKYFLEET_BUCKET'] ?? '',
    folders: [...new Set(all.map((place) => place.environment['SKYFLEET_BUCKET_PREFIX'] ?? ''))].sort(),
    region: environment['SKYFLEET_REGION'] ?? '',
    aws: awsCliOf(environment),
    orchestrator: orchestratorOf(environment),
    server: () => (asked ??= ownServer(environment)),
  };
}

/**
 * Reads what Pulumi has recorded of a stack.
 *
 * @throws Error where nothing is.
 */
export async function readFleet(stack: string): Promise<Fleet> {
  const exported = await (await currentProject()).exportStack(stack);
  const fleet = fleetOf(parseRecordedStack(JSON.stringify(exported)));
  if (fleet === undefined) {
    throw new Error(
      `nothing of ${stack} is deployed; bring it up with: npx skyfleet create --stack ${stack}`,
    );
  }
  return fleet;
}
