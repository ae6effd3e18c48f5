import { gravitonTypes } from '../../config/graviton';
import type { FleetConfig } from '../../config/schema';
import { familyOf, standardFamily, type QuotaFamily } from './quota-codes';

/** vCPUs of instance types, by their names. */
export type TypeCpus = ReadonlyMap<string, number>;

/** vCPUs that count towards a quota. */
export interface Need {
  family: QuotaFamily;
  spot: boolean;
  vcpus: number;
}

/** The type that a fleet's nodes are tried as first; undefined where SkyPilot chooses it. */
export function firstType({
  instanceType,
  architecture,
  cpus = 1,
  memoryGiB = 1,
}: FleetConfig): string | undefined {
  return instanceType ?? (architecture === 'arm64' ? gravitonTypes(cpus, memoryGiB)[0] : undefined);
}

/** What a fleet needs of its quota, or why that cannot be told. */
export function needOf(fleet: FleetConfig, cpus: TypeCpus): Need | { problem: string } {
  const nodes = fleet.clusters * fleet.nodesPerCluster;
  const type = firstType(fleet);
  if (type === undefined) {
    return fleet.accelerators === undefined && fleet.cpus !== undefined
      ? { family: standardFamily, spot: fleet.spot, vcpus: nodes * fleet.cpus }
      : { problem: 'SkyPilot chooses the instance type, and so how many vCPUs of which family' };
  }
  const family = familyOf(type);
  if (family === undefined) return { problem: `${type} counts towards no quota of vCPUs that is known here` };
  const each = cpus.get(type);
  return each === undefined
    ? { problem: `${type} is not offered in this region` }
    : { family, spot: fleet.spot, vcpus: nodes * each };
}

/** A machine of the account, as far as quotas count it. */
export interface CountedInstance {
  type: string;
  spot: boolean;
  /** Full name of the stack that its tags name. */
  stack: string | undefined;
}

/** vCPUs of machines that are not of a stack and count towards a quota. */
export function usedByOthers(
  instances: readonly CountedInstance[],
  stack: string,
  { family, spot }: Pick<Need, 'family' | 'spot'>,
  cpus: TypeCpus,
): number {
  return instances
    .filter((one) => one.stack !== stack && one.spot === spot && familyOf(one.type) === family)
    .reduce((sum, { type }) => sum + (cpus.get(type) ?? 0), 0);
}

/** Needs of the same quota, added up. */
export function addedUp(needs: readonly Need[]): Need[] {
  const sums = new Map<string, Need>();
  for (const need of needs) {
    const key = `${need.family.name} ${need.spot}`;
    const before = sums.get(key);
    sums.set(key, { ...need, vcpus: need.vcpus + (before?.vcpus ?? 0) });
  }
  return [...sums.values()];
}
