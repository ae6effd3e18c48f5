/** A quota of EC2's on vCPUs: which instance types count towards it, and its codes in Service Quotas. */
export interface QuotaFamily {
  /** As AWS calls the families, such as `G and VT`. */
  name: string;
  onDemand: string;
  /** Undefined where there are no spot instances of the family. */
  spot: string | undefined;
}

/**
 * The families by the letters with which the names of their types begin
 * (https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-quotas.html names the quotas; the codes are those that
 * `aws service-quotas list-service-quotas --service-code ec2` lists).
 */
const families: Record<string, QuotaFamily> = {
  dl: { name: 'DL', onDemand: 'L-6E869C2A', spot: 'L-85EED4F7' },
  f: { name: 'F', onDemand: 'L-74FC7D96', spot: 'L-88CF9481' },
  g: { name: 'G and VT', onDemand: 'L-DB2E81BA', spot: 'L-3819A6DF' },
  hpc: { name: 'HPC', onDemand: 'L-F7808C92', spot: undefined },
  inf: { name: 'Inf', onDemand: 'L-1945791B', spot: 'L-B5D1601B' },
  p: { name: 'P', onDemand: 'L-417A185B', spot: 'L-7212CCBC' },
  trn: { name: 'Trn', onDemand: 'L-2C3B7624', spot: 'L-6B0D517C' },
  u: { name: 'High Memory', onDemand: 'L-43DA4232', spot: undefined },
  x: { name: 'X', onDemand: 'L-7295265B', spot: 'L-E3A00192' },
};

/** A, C, D, H, I, M, R, T and Z. */
export const standardFamily: QuotaFamily = {
  name: 'Standard',
  onDemand: 'L-1216C47A',
  spot: 'L-34B43A08',
};

/** The quota that an instance type counts towards; undefined for one that no such quota holds, such as a Mac. */
export function familyOf(instanceType: string): QuotaFamily | undefined {
  // `g4dn` and `gr6` begin with g, `vt1` counts with them; `inf2` is none of the standard family's `i4i`.
  const letters = /^[a-z]+/.exec(instanceType)?.[0] ?? '';
  const special = ['dl', 'hpc', 'inf', 'trn'].find((prefix) => letters.startsWith(prefix));
  if (special !== undefined) return families[special];
  if (letters.startsWith('mac')) return undefined;
  if (letters.startsWith('vt')) return families['g'];
  return families[letters.charAt(0)] ?? (/^[acdhimrtz]/.test(letters) ? standardFamily : undefined);
}

/** Quota of VPCs in a region (`aws service-quotas list-service-quotas --service-code vpc`). */
export const vpcQuota = { service: 'vpc', code: 'L-F678F1CE' };
