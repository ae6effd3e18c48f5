import { clashes, type Claim } from '../config/claims';
import type { OrdinalRange } from '../config/schema';

/** What a new stack claims for itself alone. */
export interface Ranges {
  cidr: string;
  ordinals: OrdinalRange;
}

/** 10.64.0.0/16, 10.65.0.0/16, …: apart from the 10.0.0.0/16 of the earlier tools' own VPCs, and from AWS's default VPC. */
const vpcs = Array.from({ length: 192 }, (_, index) => `10.${64 + index}.0.0/16`);

/** 10000 to 19999, 20000 to 29999, …: room for the largest fleet many times over. */
const ordinalRanges = Array.from({ length: 99 }, (_, index) => ({
  first: (index + 1) * 10_000,
  last: (index + 2) * 10_000 - 1,
}));

const isFree = (claim: Claim, taken: readonly Claim[]): boolean =>
  taken.every((other) => clashes([claim, other]).length === 0);

/**
 * The first ranges that no stack file claims, for each of some new stacks.
 *
 * @throws Error where all are claimed.
 */
export function freeRanges(stacks: readonly string[], claimed: readonly Claim[]): Ranges[] {
  const taken = [...claimed];
  return stacks.map((stack) => {
    const claim = { stack, key: '' };
    const cidr = vpcs.find((range) => isFree({ ...claim, kind: 'cidr', range }, taken));
    const ordinals = ordinalRanges.find((range) => isFree({ ...claim, kind: 'ordinals', range }, taken));
    if (cidr === undefined || ordinals === undefined) {
      throw new Error(
        `the stack files beside the new ones leave no free ${cidr === undefined ? 'VPC range in 10.64.0.0/10 and above' : 'range of 10,000 ordinals'} for ${stack}; write to another folder with --out, or remove stack files that are not used`,
      );
    }
    taken.push({ ...claim, kind: 'cidr', range: cidr }, { ...claim, kind: 'ordinals', range: ordinals });
    return { cidr, ordinals };
  });
}
