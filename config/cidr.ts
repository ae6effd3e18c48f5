/** An IPv4 address range as numbers. */
export interface AddressRange {
  /** First address, as a number of 32 bits. */
  first: number;
  /** Number of addresses, a power of two. */
  size: number;
}

/** The range of a CIDR block such as `10.42.0.0/16`; bits behind the prefix are ignored. */
export function rangeOf(cidr: string): AddressRange {
  const [address = '', prefix = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(prefix));
  const value = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
  return { first: Math.floor(value / size) * size, size };
}

/** The CIDR block of a range. */
export function cidrOf({ first, size }: AddressRange): string {
  const address = [24, 16, 8, 0].map((shift) => Math.floor(first / 2 ** shift) % 256).join('.');
  return `${address}/${32 - Math.log2(size)}`;
}

/** Whether two CIDR blocks have an address in common. */
export function cidrsOverlap(one: string, other: string): boolean {
  const [a, b] = [rangeOf(one), rangeOf(other)];
  return a.first < b.first + b.size && b.first < a.first + a.size;
}
