import type { AwsCli } from './aws-cli';
import { awsCliOf, type CommandEnvironment } from './command-environment';
import type { InstanceStanding } from './losses';

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

/** Ids of the instances with a label that AWS has not terminated yet. */
export function remainingInstances(
  environment: CommandEnvironment,
  [key, value]: [key: string, value: string],
): Promise<string[]> {
  return instancesWith(awsCliOf(environment), key, value, remainingStates);
}

/** The zones that instances with a label stand in. */
export function zonesOfInstances(
  environment: CommandEnvironment,
  [key, value]: [key: string, value: string],
): Promise<string[]> {
  const states = `${runningStates},stopping,stopped`;
  return instancesWith(awsCliOf(environment), key, value, states, 'Placement.AvailabilityZone');
}

/** How the instances with a label stand, those that were terminated of late among them. */
export function standingOf(
  environment: CommandEnvironment,
  [key, value]: [key: string, value: string],
): Promise<InstanceStanding[]> {
  return awsCliOf(environment).ask(
    ...['ec2', 'describe-instances', '--filters', `Name=tag:${key},Values=${value}`],
    ...['--query', 'Reservations[].Instances[].[InstanceId,State.Name,StateReason.Code]'],
  );
}

function instancesWith(
  aws: AwsCli,
  key: string,
  value: string,
  states: string,
  field = 'InstanceId',
): Promise<string[]> {
  return aws.ask(
    ...['ec2', 'describe-instances', '--query', `Reservations[].Instances[].${field}`, '--filters'],
    ...[`Name=tag:${key},Values=${value}`, `Name=instance-state-name,Values=${states}`],
  );
}
