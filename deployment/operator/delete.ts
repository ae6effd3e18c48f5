import { execFile } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { required, type CommandEnvironment } from './command-environment';
import { labelKeys, parseSubmission } from './incarnation';
import { ownServer } from './server-identity';
import type { SkyPilot } from './skypilot';

/** Ids of the instances of one incarnation that AWS has not terminated yet. */
async function remainingInstances(region: string, incarnation: string): Promise<string[]> {
  const filters = [
    `Name=tag:${labelKeys.incarnation},Values=${incarnation}`,
    'Name=instance-state-name,Values=pending,running,shutting-down,stopping,stopped',
  ];
  const query = 'Reservations[].Instances[].InstanceId';
  const args = [
    'ec2',
    'describe-instances',
    '--region',
    region,
    '--output',
    'json',
    '--query',
    query,
    '--filters',
    ...filters,
  ];
  const { stdout } = await promisify(execFile)('aws', args);
  return JSON.parse(stdout) as string[];
}

/**
 * Takes clusters down and waits until AWS has terminated their instances: SkyPilot returns earlier, and AWS refuses
 * to delete a subnet or a security group that a terminating instance still uses.
 *
 * @throws Error naming the instances that are left at the time limit.
 */
export async function takeDown(
  sky: SkyPilot,
  incarnations: readonly string[],
  environment: CommandEnvironment,
): Promise<void> {
  const region = required(environment, 'SKYFLEET_REGION');
  const minutes = Number(required(environment, 'SKYFLEET_DELETE_MINUTES'));
  const deadline = Date.now() + minutes * 60_000;
  await Promise.all(
    incarnations.map(async (incarnation) => {
      await sky.down(incarnation);
      for (;;) {
        const instances = await remainingInstances(region, incarnation);
        if (instances.length === 0) return;
        if (Date.now() > deadline) {
          throw new Error(
            `cluster ${incarnation} is down, but after ${minutes} minutes its instances ${instances.join(', ')} are not terminated. ` +
              `Look at them with: aws ec2 describe-instances --region ${region} --instance-ids ${instances.join(' ')}; then run pulumi destroy again`,
          );
        }
        await sleep(2000);
      }
    }),
  );
}

/** Ends what a submit command has recorded: its incarnation, and those that it was to replace. */
export async function deletePlace(environment: CommandEnvironment): Promise<void> {
  const submission = parseSubmission(environment['PULUMI_COMMAND_STDOUT']);
  if (submission === undefined) return;
  const sky = await ownServer(environment);
  await takeDown(sky, [submission.incarnation, ...submission.retiring], environment);
}
