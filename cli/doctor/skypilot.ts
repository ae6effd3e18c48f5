import { skyPilotOf } from '../../deployment/operator/command-environment';
import { isServer, type ServerIdentity } from '../../deployment/operator/server-identity';
import type { SkyPilot } from '../../deployment/operator/skypilot';
import type { SkyfleetConfig } from '../../config/schema';
import { failed, messageOf, ok, skipped, unknown, type Check } from './check';

const names = {
  server: 'SkyPilot server',
  owner: "SkyPilot server, the stack's own",
  aws: 'SkyPilot server, AWS',
  jobs: 'SkyPilot server, managed jobs',
};

/** What the checks of a SkyPilot server go by. */
export interface ServerQuestion {
  config: SkyfleetConfig;
  token: string | undefined;
  /** Full name of the stack. */
  stack: string;
  /** The server that the stack was first brought up with; undefined before. */
  identity: ServerIdentity | undefined;
}

/** Whether a server is the one that a stack belongs to. */
export function judgeOwner(address: string, identity: ServerIdentity | undefined, isOwn: boolean): Check {
  if (identity === undefined) return ok(names.owner, `${address} will be, with the first up`);
  if (isOwn) return ok(names.owner, 'is the one that the stack was first brought up with');
  const own =
    'mark' in identity ? `the one that holds its mark ${identity.mark}` : `the one at ${identity.address}`;
  return failed(
    names.owner,
    `${address} is not the one that the stack belongs to, which is ${own}`,
    'set skyfleet:skypilot.endpoint to the server that the stack was brought up with (docs/aws.md)',
  );
}

/** Whether the server can launch on AWS. */
export function judgeClouds(address: string, clouds: readonly string[]): Check {
  return clouds.some((cloud) => cloud.toLowerCase() === 'aws')
    ? ok(names.aws, 'is enabled, as the server found when it last checked')
    : failed(
        names.aws,
        `the server at ${address} has AWS not enabled (enabled: ${clouds.join(', ') || 'nothing'})`,
        'give the server AWS credentials with docs/policies/skypilot-operator.json, and let it look again: sky check aws',
      );
}

/** Asks a server; what it does not answer cannot be told. */
async function asked(check: string, question: () => Promise<Check>): Promise<Check> {
  try {
    return await question();
  } catch (error) {
    return unknown(
      check,
      messageOf(error),
      "look into the server's log: ~/.sky/api_server/server.log on its machine",
    );
  }
}

async function checkManagedJobs(sky: SkyPilot): Promise<Check> {
  const jobs = await sky.managedJobs();
  return ok(names.jobs, `the server answers for managed jobs (${jobs.length} have not ended)`);
}

/** Whether the SkyPilot server can be used, and for this stack. */
export async function checkSkyPilot({ config, token, stack, identity }: ServerQuestion): Promise<Check[]> {
  const managed = config.fleets.some(({ recovery }) => recovery === 'managed');
  const sky = skyPilotOf({
    SKYFLEET_STACK: stack,
    SKYFLEET_SKYPILOT_ENDPOINT: config.skypilot.endpoint,
    SKYFLEET_SKYPILOT_TOKEN: token,
  });
  try {
    await sky.checkServer();
  } catch (error) {
    const reason = 'the server cannot be used';
    return [
      failed(names.server, messageOf(error), 'docs/aws.md tells how to run one, and who may use it'),
      ...[names.owner, names.aws, ...(managed ? [names.jobs] : [])].map((check) => skipped(check, reason)),
    ];
  }
  const own = identity === undefined ? Promise.resolve(false) : isServer(sky, identity);
  const checks = await Promise.all([
    asked(names.owner, async () => judgeOwner(sky.address, identity, await own)),
    asked(names.aws, async () => judgeClouds(sky.address, await sky.enabledClouds())),
    ...(managed
      ? [
          asked(names.jobs, async () =>
            // A server keeps whoever asks for managed jobs among its users.
            (await own)
              ? checkManagedJobs(sky)
              : skipped(names.jobs, "is only asked of the stack's own server, which keeps who asked"),
          ),
        ]
      : []),
  ]);
  return [ok(names.server, `${sky.address} is new enough and accepts the login`), ...checks];
}
