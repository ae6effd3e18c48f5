import { createHash } from 'node:crypto';
import { gravitonTypes } from '../../config/graviton';

/** What the machines of a cluster are, and where they may be launched. */
export interface MachineSpec {
  /** AWS region. */
  region: string;
  /** Zones to try, in this order; each has a subnet of the stack. */
  zones: string[];
  /** EC2 instance type; SkyPilot chooses by what follows where absent. */
  instanceType?: string;
  /** Types to try after it, in this order. */
  fallbackInstanceTypes?: string[];
  /** vCPUs that a node has at least. */
  cpus?: number;
  /** Memory in GiB that a node has at least. */
  memoryGiB?: number;
  /** Processor; `x86_64` where absent. */
  architecture?: 'x86_64' | 'arm64';
  /** Kind of accelerator and how many of it each node has. */
  accelerators?: Record<string, number>;
  /** Spot instances, or on-demand. */
  spot: boolean;
  /** Launch on-demand as the last resort. */
  onDemandFallback: boolean;
  /** Price limit of one node in US dollars per hour. */
  maxHourlyUsd?: number;
  /** Size of the root volume in GiB. */
  diskSizeGiB: number;
  /** AMI; SkyPilot's Ubuntu image where absent. */
  imageId?: string;
  /** Nodes of the cluster. */
  nodes: number;
  /** Nodes are recovered unattended, by a managed job of SkyPilot's. */
  managed?: boolean;
}

/** What SkyPilot chooses an instance type by; names are SkyPilot's own. */
export interface SkyMachine {
  instance_type?: string;
  cpus?: string;
  memory?: string;
  accelerators?: Record<string, number>;
}

/** One of the places to try, with the machine to try there. */
export interface SkyCandidate extends SkyMachine {
  infra: string;
  use_spot: boolean;
}

/** Types to try, in order; none where SkyPilot chooses. */
function instanceTypes(machine: MachineSpec): string[] {
  const { instanceType, fallbackInstanceTypes = [], architecture, cpus = 1, memoryGiB = 1 } = machine;
  if (instanceType !== undefined) return [instanceType, ...fallbackInstanceTypes];
  return architecture === 'arm64' ? gravitonTypes(cpus, memoryGiB) : [];
}

/** The machine by SkyPilot's own description, the same at every place; of several types, each is named with its place. */
export function skyMachine(machine: MachineSpec): SkyMachine {
  const accelerators = machine.accelerators === undefined ? {} : { accelerators: machine.accelerators };
  const [type, ...others] = instanceTypes(machine);
  if (type !== undefined) return { ...(others.length > 0 ? {} : { instance_type: type }), ...accelerators };
  return {
    ...(machine.cpus === undefined ? {} : { cpus: `${machine.cpus}+` }),
    ...(machine.memoryGiB === undefined ? {} : { memory: `${machine.memoryGiB}+` }),
    ...accelerators,
  };
}

/**
 * What to try, in order: every zone in turn, then every zone with the next type, then the same again on-demand where the
 * fleet may fall back to it.
 */
export function candidates(machine: MachineSpec): SkyCandidate[] {
  const markets = machine.spot && machine.onDemandFallback ? [true, false] : [machine.spot];
  const types = instanceTypes(machine);
  const machines: SkyMachine[] = types.length > 1 ? types.map((type) => ({ instance_type: type })) : [{}];
  return markets.flatMap((spot) =>
    machines.flatMap((candidate) =>
      machine.zones.map((zone) => ({
        infra: `aws/${machine.region}/${zone}`,
        use_spot: spot,
        ...candidate,
      })),
    ),
  );
}

/** What the machines stand in, as far as another one would need other machines. */
export interface MachinePlacement {
  vpcName: string;
  securityGroupName: string;
  instanceProfileName: string;
  connection: { internalIps: boolean };
}

/**
 * A short key that changes exactly when the machines of a cluster must be replaced. What only says where to look for a
 * machine (zones, other types, fallback, price limit) is no part of it: it moves none that is there. Nor is the number of
 * nodes, which SkyPilot changes in a cluster that is there; a managed job is what it was submitted as.
 */
export function machineKey(machine: MachineSpec, placement: MachinePlacement): string {
  const canonical = JSON.stringify([
    machine.region,
    machine.instanceType ?? null,
    machine.cpus ?? null,
    machine.memoryGiB ?? null,
    machine.architecture ?? null,
    machine.accelerators ?? null,
    machine.spot,
    machine.diskSizeGiB,
    machine.imageId ?? null,
    placement.vpcName,
    placement.securityGroupName,
    placement.instanceProfileName,
    placement.connection.internalIps,
    ...(machine.managed === true ? ['managed', machine.nodes, placement.connection] : []),
  ]);
  return createHash('sha256').update(canonical).digest('hex').slice(0, 16);
}
