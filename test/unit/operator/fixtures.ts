import type { MachineSpec } from '../../../deployment/operator/machine';
import type { OrchestratorNode } from '../../../deployment/operator/orchestrator';
import type { ClusterStatus } from '../../../deployment/operator/skypilot';
import type { Placement } from '../../../deployment/operator/task';
import type { NodeReport } from '../../../deployment/operator/wait';

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

/** What a node said of itself when it became ready. */
export const standingNode = (nodeName: string, instanceId: string): NodeReport => ({
  instanceId,
  zone: 'us-west-2a',
  region: 'us-west-2',
  privateIp: '10.0.0.4',
  publicIp: '54.0.0.1',
  nodeName,
  ordinal: 0,
  sensorId: 'SENSOR_WA_SEA_0000',
});

/** A cluster as SkyPilot remembers it. */
export const standingCluster = (name: string): ClusterStatus => ({
  name,
  status: 'UP',
  nodes: 1,
  labels: {},
  launched_at: 1,
});

/** A node as the orchestrator sees it. */
export const orchestratorNode = (name: string, connection = 'CONNECTED'): OrchestratorNode => ({
  name,
  type: 'Compute',
  labels: {},
  membership: 'APPROVED',
  connection,
  engines: ['docker'],
});
