/**
 * Fleets of Bacalhau compute nodes on cloud (spot) machines, as components of a Pulumi program. `declareStack` makes all
 * that a stack file asks for; each component can be used by itself too. See docs/embedding.md.
 *
 * @packageDocumentation
 */
export { loadConfig, type StackConfig } from '../config/load';
export type { FleetConfig, SkyfleetConfig } from '../config/schema';
export { connectionOf, declareStack, type DeclaredStack, type StackOutputs } from './stack';

export { Network, type NetworkArgs } from './network';
export { Buckets, type BucketsArgs } from './buckets';
export { NodeRole, type NodeRoleArgs } from './node-role';
export { SkyServer, type SkyServerArgs } from './sky-server';
export { BacalhauFleet, type BacalhauFleetArgs } from './bacalhau-fleet';
export type { PlacePlan } from '../deployment/operator/place-plan';
export { SkyCluster, type SkyClusterArgs } from './sky-cluster';
export { ShippedFiles, type ShippedFilesArgs } from './shipped-files';
export { Reviewed, type ReviewedArgs } from './reviewed';
export { Launches } from './launches';

export { readHistory, StackHistory } from './stack-history';
export { stackName } from './recorded-stack';
export { reviewOverride } from './review-override';
export type { Override } from './override';
export { fleetInputs, type PlaceInputs } from '../config/change-classes';

export type { MachineSpec } from '../deployment/operator/machine';
export type { Connection, Placement } from '../deployment/operator/task';
export type { NodeReport } from '../deployment/operator/wait';
export { renderNodeSettings, type NodeSettings } from '../deployment/operator/node-settings';
export { readNodeFiles } from '../deployment/operator/node-files';
export { fileFingerprints, filesFingerprint } from '../deployment/operator/shipped-files';
