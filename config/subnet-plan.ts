import { cidrOf, rangeOf } from './cidr';

/** Shares that a range is divided into, whether used or not, so that a zone added later moves no other. */
const shares = 8;

/** Most zones that a VPC is divided among; with NAT gateways the last share is theirs. */
export const mostZones = { withoutNat: shares, withNat: shares - 1 } as const;

/**
 * Prefix lengths of a VPC: AWS takes /16 to /28 for a VPC and for a subnet
 * (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html), and its subnets are an eighth of it, those of
 * NAT gateways an eighth of an eighth.
 */
export const vpcPrefixes = { shortest: 16, longestWithoutNat: 25, longestWithNat: 22 } as const;

/** The address ranges of a VPC's subnets: eighths of its range, one for each zone in order. */
export function subnetPlan(vpcCidr: string, zones: number): string[] {
  return Array.from({ length: zones }, (_, index) => share(vpcCidr, index));
}

/** The address ranges of the subnets of NAT gateways: eighths of the VPC's last eighth. */
export function natSubnetPlan(vpcCidr: string, gateways: number): string[] {
  return subnetPlan(share(vpcCidr, shares - 1), gateways);
}

function share(cidr: string, index: number): string {
  const { first, size } = rangeOf(cidr);
  return cidrOf({ first: first + (index * size) / shares, size: size / shares });
}
