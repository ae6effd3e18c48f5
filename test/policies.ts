import * as fs from 'node:fs';
import * as path from 'node:path';
import { listed, type Policy, type Statement } from '../cli/doctor/policy-documents';

export { listed, type Policy, type Statement };

/** The folder of the policies that the documents name. */
export const policyFolder = path.join(__dirname, '..', 'docs', 'policies');

/** Reads a policy of `docs/policies` by its name without `.json`. */
export function readPolicy(name: string): Policy {
  return JSON.parse(fs.readFileSync(path.join(policyFolder, `${name}.json`), 'utf8')) as Policy;
}

/**
 * Whether an IAM pattern matches: `*` stands for any characters, `?` for one. Actions are compared without regard to
 * case, ARNs with.
 */
export function matches(pattern: string, text: string, flags: '' | 'i' = ''): boolean {
  const expression = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${expression}$`, flags).test(text);
}

/** Actions that AWS allows to everybody with credentials. */
const alwaysAllowed = ['sts:GetCallerIdentity'];

const names = (statement: Statement, action: string): boolean =>
  listed(statement.Action).some((pattern) => matches(pattern, action, 'i'));

/**
 * The actions that no policy allows, each once, in the order of the alphabet. Resources and conditions are not judged,
 * except that a Deny of everything without a condition counts.
 *
 * @param actions IAM actions, such as `ec2:RunInstances`.
 */
export function uncovered(policies: Policy | readonly Policy[], actions: readonly string[]): string[] {
  const statements = [policies].flat().flatMap(({ Statement }: Policy) => Statement);
  const denied = (action: string): boolean =>
    statements.some(
      (statement) =>
        statement.Effect === 'Deny' &&
        statement.Condition === undefined &&
        listed(statement.Resource).includes('*') &&
        names(statement, action),
    );
  const allowed = (action: string): boolean =>
    alwaysAllowed.includes(action) ||
    statements.some((statement) => statement.Effect === 'Allow' && names(statement, action));
  return [...new Set(actions)].filter((action) => denied(action) || !allowed(action)).sort();
}

/** The fields of a line of the emulated account's `requests.jsonl` that tell the action. */
export interface LoggedRequest {
  /** Signing name of the service; null where the request was not signed. */
  service: string | null;
  /** Name of the operation; null where the log could not tell it. */
  action: string | null;
  /** Path and query of the request. */
  resource?: string;
  /** What was asked for, where the log keeps it. */
  params?: Record<string, string>;
}

/** The actions that S3's operations are allowed by, where these are not their own names. */
const s3Actions: Record<string, string[]> = {
  CompleteMultipartUpload: ['s3:PutObject'],
  CopyObject: ['s3:GetObject', 's3:PutObject'],
  CreateMultipartUpload: ['s3:PutObject'],
  DeleteBucketEncryption: ['s3:PutEncryptionConfiguration'],
  DeleteBucketLifecycle: ['s3:PutLifecycleConfiguration'],
  DeleteBucketOwnershipControls: ['s3:PutBucketOwnershipControls'],
  DeleteBucketTagging: ['s3:PutBucketTagging'],
  DeleteObjects: ['s3:DeleteObject', 's3:DeleteObjectVersion'],
  DeletePublicAccessBlock: ['s3:PutBucketPublicAccessBlock'],
  GetBucketAccelerateConfiguration: ['s3:GetAccelerateConfiguration'],
  GetBucketCors: ['s3:GetBucketCORS'],
  GetBucketEncryption: ['s3:GetEncryptionConfiguration'],
  GetBucketLifecycleConfiguration: ['s3:GetLifecycleConfiguration'],
  GetBucketReplication: ['s3:GetReplicationConfiguration'],
  GetObjectLockConfiguration: ['s3:GetBucketObjectLockConfiguration'],
  GetPublicAccessBlock: ['s3:GetBucketPublicAccessBlock'],
  HeadBucket: ['s3:ListBucket'],
  HeadObject: ['s3:GetObject'],
  ListBuckets: ['s3:ListAllMyBuckets'],
  ListObjects: ['s3:ListBucket'],
  ListObjectsV2: ['s3:ListBucket'],
  ListObjectVersions: ['s3:ListBucketVersions'],
  PutBucketEncryption: ['s3:PutEncryptionConfiguration'],
  PutBucketLifecycleConfiguration: ['s3:PutLifecycleConfiguration'],
  PutPublicAccessBlock: ['s3:PutBucketPublicAccessBlock'],
  UploadPart: ['s3:PutObject'],
};

/** Operations on a version of an object have actions of their own. */
const ofVersions: Record<string, string> = {
  DeleteObject: 's3:DeleteObjectVersion',
  GetObject: 's3:GetObjectVersion',
  HeadObject: 's3:GetObjectVersion',
};

/** What else AWS asks for when a request tags what it makes, or hands a role to a service. */
function besides({ action, params = {} }: LoggedRequest): string[] {
  const given = Object.keys(params);
  const tags = given.some((key) => key.startsWith('TagSpecification'));
  const passes =
    action === 'AddRoleToInstanceProfile' ||
    action === 'CreateFlowLogs' ||
    given.some((key) => key.startsWith('IamInstanceProfile.'));
  return [...(tags ? ['ec2:CreateTags'] : []), ...(passes ? ['iam:PassRole'] : [])];
}

/**
 * The IAM actions that the requests need, each once, in the order of the alphabet. Requests whose operation the log
 * could not tell are left out.
 *
 * @param requests lines of `requests.jsonl`, of those access keys that are to be judged.
 */
export function actionsOf(requests: readonly LoggedRequest[]): string[] {
  const actions = requests.flatMap((request) => {
    const { service, action, resource = '' } = request;
    if (service === null || action === null) return [];
    const own = `${service}:${action}`;
    if (service !== 's3') return [own, ...besides(request)];
    const version = resource.includes('versionId=') ? ofVersions[action] : undefined;
    return version === undefined ? (s3Actions[action] ?? [own]) : [version];
  });
  return [...new Set(actions)].sort();
}
