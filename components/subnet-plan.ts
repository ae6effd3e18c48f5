/** Subnets that a VPC is divided into, whether used or not, so that a zone added later moves no other. */
const shares = 8;

/** Longest prefix that AWS accepts for a subnet (https://docs.aws.amazon.com/vpc/latest/userguide/subnet-sizing.html). */
const longestSubnetPrefix = 28;

/**
 * The address ranges of a VPC's subnets, one for each zone in order: eighths of the VPC's range.
 *
 * @throws RangeError when there are more than eight zones or the VPC's range is too small to divide.
 */
export function subnetPlan(vpcCidr: string, zones: number): string[] {
  const [address = '', prefixText = ''] = vpcCidr.split('/');
  const prefix = Number(prefixText) + Math.log2(shares);
  if (zones > shares)
    throw new RangeError(`network.zones has ${zones} zones; a VPC is divided among ${shares} at most`);
  if (prefix > longestSubnetPrefix) {
    throw new RangeError(
      `network.cidr ${vpcCidr} is too small to divide; use a /${longestSubnetPrefix - Math.log2(shares)} or larger`,
    );
  }
  const size = 2 ** (32 - prefix);
  const range = size * shares;
  const first =
    Math.floor(address.split('.').reduce((value, part) => value * 256 + Number(part), 0) / range) * range;
  return Array.from({ length: zones }, (_, index) => `${dotted(first + index * size)}/${prefix}`);
}

function dotted(value: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}
