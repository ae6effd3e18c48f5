/** Who calls, as `aws sts get-caller-identity` tells it. */
export interface CallerIdentity {
  Account: string;
  Arn: string;
}

/** What IAM's simulator can be asked about; `reason` where it cannot. */
export type Principal =
  | { kind: 'user'; arn: string }
  | { kind: 'role'; name: string; arn: string }
  | { kind: 'none'; reason: string };

/**
 * The principal whose policies decide what a caller may do. The ARN of a session has no path, and that of its role may
 * have one, so the role has to be asked for by its name; `arn` is right where it has none.
 */
export function principalOf({ Arn }: CallerIdentity): Principal {
  const [, partition = 'aws', , , account = '', resource = ''] = Arn.split(':');
  const [kind, name = ''] = resource.split('/');
  if (kind === 'user') return { kind: 'user', arn: Arn };
  if (kind === 'assumed-role')
    return { kind: 'role', name, arn: `arn:${partition}:iam::${account}:role/${name}` };
  return {
    kind: 'none',
    reason: `IAM simulates the policies of users and roles, and the caller is ${Arn}`,
  };
}

/** A region of the same partition that every account has, in which credentials are good whatever else is enabled. */
export function homeRegion(region: string): string {
  if (region.startsWith('cn-')) return 'cn-north-1';
  return region.startsWith('us-gov-') ? 'us-gov-west-1' : 'us-east-1';
}
