import type { MachineSpec } from '../../../deployment/operator/machine';
import type { Placement } from '../../../deployment/operator/task';

/** A machine of which nothing is said but where it may stand. */
export const unnamed: MachineSpec = {
  region: 'us-west-2',
  zones: ['us-west-2a'],
  spot: true,
  onDemandFallback: false,
  diskSizeGiB: 30,
  nodes: 1,
};

export const machine: MachineSpec = { ...unnamed, instanceType: 't3.medium' };

export const placement: Placement = {
  vpcName: 'fleet-vpc',
  subnetNames: ['fleet-subnet-us-west-2a'],
  securityGroupName: 'fleet-nodes',
  instanceProfileName: 'fleet-profile',
  connection: { internalIps: false, ssm: false },
};
