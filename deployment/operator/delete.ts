import { setTimeout as sleep } from 'node:timers/promises';
import type { AwsCli } from './aws-cli';
import { awsCliOf, required, type CommandEnvironment } from './command-environment';
import { labelKeys, parseSubmission } from './incarnation';
import { ownServer } from './server-identity';
import type { SkyPilot } from './skypilot';

const runningStates = 'pending,running';
/** Until an instance is terminated, its subnet and its security group are in use. */
const remainingStates = `${runningStates},shutting-down,stopping,stopped`;

/** Ids of the instances with a label that run, or are about to. */
export function runningInstances(
  environment: CommandEnvironment,
  [key, value]: [key: string, value: string],
): Promise<string[]> {
  return instancesWith(awsCliOf(environment), key, value, runningStates);
}

function instancesWith(aws: AwsCli, key: string, value: string, states: string): Promise<string[]> {
  return aws.ask(
    ...['ec2', 'describe-instances', '--query', 'Reservations[].Instances[].InstanceId', '--filters'],
    ...[`Name=tag:${key},Values=${value}`, `Name=instance-state-name,Values=${states}`],
  );
}

/**
 * Waits until AWS has terminated the instances with a label: SkyPilot returns earlier, and AWS refuses to delete a subnet
 * or a security group that a terminating instance still uses.
 *
 * @param what whose instances they are, for the message.
 * @throws Error naming the instances that are left at the time limit.
 */
export async function untilTerminated(
  what: string,
  [key, value]: [key: string, value: string],
  environment: CommandEnvironment,
): Promise<void> {
  const aws = awsCliOf(environment);
  const { region } = aws;
  const minutes = Number(required(environment, 'SKYFLEET_DELETE_MINUTES'));
  const deadline = Date.now() + minutes * 60_000;
  for (;;) {
    const instances = await instancesWith(aws, key, value, remainingStates);
    if (instances.length === 0) return;
    if (Date.now() > deadline) {
      throw new Error(
        `${what} is down, but after ${minutes} minutes its instances ${instances.join(', ')} are not terminated. ` +
          `Look at them with: aws ec2 describe-instances --region ${region} --instance-ids ${instances.join(' ')}; then run pulumi destroy again`,
      );
    }
    await sleep(2000);
  }
}

/**
 * Takes clusters down and waits until their instances are terminated.
 *
 * @throws Error naming the instances that are left at the time limit.
 */
export async function takeDown(
  sky: SkyPilot,
  incarnations: readonly string[],
  environment: CommandEnvironment,
): Promise<void> {
  await Promise.all(
    incarnations.map(async (incarnation) => {
      await sky.down(incarnation);
      await untilTerminated(`cluster ${incarnation}`, [labelKeys.incarnation, incarnation], environment);
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
