import type { AwsCli } from '../../deployment/operator/aws-cli';
import { labelKeys } from '../../deployment/operator/incarnation';

/** A machine of a stack, as AWS describes it. */
export interface Instance {
  instanceId: string;
  /** EC2's name of its state: pending, running, shutting-down, terminated, stopping or stopped. */
  state: string;
  /** When it was launched, in ISO 8601. */
  launchedAt: string;
  type: string;
  spot: boolean;
  zone: string;
  publicIp: string | null;
  privateIp: string | null;
  /** The place and the incarnation that its tags name. */
  place: string | undefined;
  incarnation: string | undefined;
}

/** What `aws ec2 describe-instances` says of one. */
interface Described {
  InstanceId: string;
  State: { Name: string };
  LaunchTime: string;
  InstanceType: string;
  /** `spot`; absent for one on-demand. */
  InstanceLifecycle?: string;
  Placement: { AvailabilityZone: string };
  PublicIpAddress?: string;
  PrivateIpAddress?: string;
  Tags?: { Key: string; Value: string }[];
}

/** A machine out of AWS's description. */
export function instanceOf(described: Described): Instance {
  const tag = (key: string): string | undefined => described.Tags?.find(({ Key }) => Key === key)?.Value;
  return {
    instanceId: described.InstanceId,
    state: described.State.Name,
    launchedAt: new Date(described.LaunchTime).toISOString(),
    type: described.InstanceType,
    spot: described.InstanceLifecycle === 'spot',
    zone: described.Placement.AvailabilityZone,
    publicIp: described.PublicIpAddress ?? null,
    privateIp: described.PrivateIpAddress ?? null,
    place: tag(labelKeys.place),
    incarnation: tag(labelKeys.incarnation),
  };
}

/** The machines of a stack, those that have ended of late among them. */
export async function instancesOf(aws: AwsCli, stack: string): Promise<Instance[]> {
  const described = await aws.ask<Described[]>(
    ...['ec2', 'describe-instances', '--query', 'Reservations[].Instances[]'],
    ...['--filters', `Name=tag:${labelKeys.stack},Values=${stack}`],
  );
  return described.map(instanceOf);
}
