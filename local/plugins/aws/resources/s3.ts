import type {
  BucketLocationConstraint,
  ObjectIdentifier,
  ObjectOwnership,
  ServerSideEncryption,
  ServerSideEncryptionRule,
} from '@aws-sdk/client-s3';
import { unlessAbsent } from '../clients';
import { flag, json, type PropsOf, record, set, tagMap, text } from '../inputs';
import { prefixedName } from '../naming';
import { type Aws, resourceType } from '../resource-type';

export const NO_BUCKET = ['NoSuchBucket', 'NotFound'];
export const ofBucket = { bucket: text({ required: true, replaces: true }) };

export const bucket = resourceType({
  inputs: {
    bucket: text({ computed: true, replaces: true }),
    bucketPrefix: text({ replaces: true }),
    forceDestroy: flag({ default: false }),
    objectLockEnabled: flag({ computed: true, replaces: true }),
    tags: tagMap,
    tagsAll: tagMap,
  },
  outputs: ['arn', 'bucketDomainName', 'bucketRegion', 'bucketRegionalDomainName'],
  autoname: { property: 'bucket', prefixProperty: 'bucketPrefix', maxLength: 63, lowerCase: true },
  minutes: 20,
  async create(aws, props, created) {
    const s3 = await aws.s3();
    const Bucket = props.bucket ?? prefixedName(props.bucketPrefix ?? '');
    await s3.createBucket({
      Bucket,
      ...(props.objectLockEnabled ? { ObjectLockEnabledForBucket: true } : {}),
      // us-east-1 is where a bucket goes that names no region, and cannot be named.
      ...(aws.region === 'us-east-1'
        ? {}
        : { CreateBucketConfiguration: { LocationConstraint: aws.region as BucketLocationConstraint } }),
    });
    created(Bucket);
    if (Object.keys(props.tagsAll ?? {}).length > 0) await tagBucket(aws, Bucket, props.tagsAll ?? {});
    return Bucket;
  },
  async read(aws, Bucket) {
    const s3 = await aws.s3();
    if ((await unlessAbsent(NO_BUCKET, s3.headBucket({ Bucket }))) === undefined) return undefined;
    const { LocationConstraint } = await s3.getBucketLocation({ Bucket });
    const tagging = await unlessAbsent(['NoSuchTagSet'], s3.getBucketTagging({ Bucket }));
    const lock = await unlessAbsent(
      ['ObjectLockConfigurationNotFoundError'],
      s3.getObjectLockConfiguration({ Bucket }),
    );
    const region = LocationConstraint ?? 'us-east-1';
    return {
      bucket: Bucket,
      objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
      tagsAll: Object.fromEntries((tagging?.TagSet ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
      arn: `arn:${aws.partition}:s3:::${Bucket}`,
      bucketDomainName: `${Bucket}.s3.amazonaws.com`,
      bucketRegion: region,
      bucketRegionalDomainName: `${Bucket}.s3.${region}.amazonaws.com`,
    };
  },
  tag: (aws, Bucket, { all }) => tagBucket(aws, Bucket, all),
  async delete(aws, Bucket, { forceDestroy }) {
    const s3 = await aws.s3();
    if (forceDestroy) await unlessAbsent(NO_BUCKET, emptyBucket(aws, Bucket));
    await unlessAbsent(NO_BUCKET, s3.deleteBucket({ Bucket }));
  },
});

async function tagBucket(aws: Aws, Bucket: string, tags: Record<string, string>): Promise<void> {
  const s3 = await aws.s3();
  const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  if (TagSet.length === 0) await s3.deleteBucketTagging({ Bucket });
  else await s3.putBucketTagging({ Bucket, Tagging: { TagSet } });
}

/** Deletes all versions and delete markers, of which S3 takes a thousand at a time. */
async function emptyBucket(aws: Aws, Bucket: string): Promise<void> {
  const s3 = await aws.s3();
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket });
    const Objects: ObjectIdentifier[] = [...Versions, ...DeleteMarkers].map(
      ({ Key = '', VersionId = '' }) => ({
        Key,
        VersionId,
      }),
    );
    if (Objects.length === 0) return;
    const { Errors = [] } = await s3.deleteObjects({ Bucket, Delete: { Objects, Quiet: true } });
    const [failure] = Errors;
    if (failure !== undefined) {
      throw new Error(
        `cannot empty bucket ${Bucket}: ${failure.Key ?? ''}: ${failure.Message ?? failure.Code ?? ''}`,
      );
    }
  }
}

/** A setting that a bucket has or has not: put, get and delete are all there is to it. */
export const bucketPublicAccessBlock = resourceType({
  inputs: {
    ...ofBucket,
    blockPublicAcls: flag({ default: false }),
    blockPublicPolicy: flag({ default: false }),
    ignorePublicAcls: flag({ default: false }),
    restrictPublicBuckets: flag({ default: false }),
  },
  outputs: [],
  create: (aws, props) => putPublicAccessBlock(aws, props),
  async read(aws, Bucket) {
    const s3 = await aws.s3();
    const absent = [...NO_BUCKET, 'NoSuchPublicAccessBlockConfiguration'];
    const found = await unlessAbsent(absent, s3.getPublicAccessBlock({ Bucket }));
    const block = found?.PublicAccessBlockConfiguration;
    return (
      block && {
        bucket: Bucket,
        blockPublicAcls: block.BlockPublicAcls,
        blockPublicPolicy: block.BlockPublicPolicy,
        ignorePublicAcls: block.IgnorePublicAcls,
        restrictPublicBuckets: block.RestrictPublicBuckets,
      }
    );
  },
  async update(aws, _, { props }) {
    await putPublicAccessBlock(aws, props);
  },
  async delete(aws, Bucket) {
    const s3 = await aws.s3();
    await unlessAbsent(NO_BUCKET, s3.deletePublicAccessBlock({ Bucket }));
  },
});

async function putPublicAccessBlock(
  aws: Aws,
  props: {
    bucket: string;
    blockPublicAcls: boolean;
    blockPublicPolicy: boolean;
    ignorePublicAcls: boolean;
    restrictPublicBuckets: boolean;
  },
): Promise<string> {
  const s3 = await aws.s3();
  await s3.putPublicAccessBlock({
    Bucket: props.bucket,
    PublicAccessBlockConfiguration: {
      BlockPublicAcls: props.blockPublicAcls,
      BlockPublicPolicy: props.blockPublicPolicy,
      IgnorePublicAcls: props.ignorePublicAcls,
      RestrictPublicBuckets: props.restrictPublicBuckets,
    },
  });
  return props.bucket;
}

const encryptionInputs = {
  ...ofBucket,
  rules: set(
    record({
      applyServerSideEncryptionByDefault: record({
        sseAlgorithm: text({ required: true }),
        kmsMasterKeyId: text(),
      }),
      bucketKeyEnabled: flag(),
    }),
    { required: true },
  ),
};

async function putEncryption(
  aws: Aws,
  { bucket: Bucket, rules }: PropsOf<typeof encryptionInputs>,
): Promise<string> {
  const s3 = await aws.s3();
  const Rules = rules.map(({ applyServerSideEncryptionByDefault: byDefault, bucketKeyEnabled }) => {
    const rule: ServerSideEncryptionRule = {};
    if (byDefault !== undefined) {
      rule.ApplyServerSideEncryptionByDefault = {
        SSEAlgorithm: byDefault.sseAlgorithm as ServerSideEncryption,
        ...(byDefault.kmsMasterKeyId === undefined ? {} : { KMSMasterKeyID: byDefault.kmsMasterKeyId }),
      };
    }
    if (bucketKeyEnabled !== undefined) rule.BucketKeyEnabled = bucketKeyEnabled;
    return rule;
  });
  await s3.putBucketEncryption({ Bucket, ServerSideEncryptionConfiguration: { Rules } });
  return Bucket;
}

export const bucketServerSideEncryptionConfiguration = resourceType({
  inputs: encryptionInputs,
  outputs: [],
  create: putEncryption,
  async read(aws, Bucket) {
    const s3 = await aws.s3();
    const absent = [...NO_BUCKET, 'ServerSideEncryptionConfigurationNotFoundError'];
    const found = await unlessAbsent(absent, s3.getBucketEncryption({ Bucket }));
    const rules = found?.ServerSideEncryptionConfiguration?.Rules;
    return (
      rules && {
        bucket: Bucket,
        rules: rules.map(({ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled }) => ({
          applyServerSideEncryptionByDefault: byDefault && {
            sseAlgorithm: byDefault.SSEAlgorithm,
            kmsMasterKeyId: byDefault.KMSMasterKeyID,
          },
          bucketKeyEnabled: BucketKeyEnabled,
        })),
      }
    );
  },
  async update(aws, _, { props }) {
    await putEncryption(aws, props);
  },
  async delete(aws, Bucket) {
    const s3 = await aws.s3();
    await unlessAbsent(NO_BUCKET, s3.deleteBucketEncryption({ Bucket }));
  },
});

async function putVersioning(aws: Aws, Bucket: string, Status: 'Enabled' | 'Suspended'): Promise<string> {
  const s3 = await aws.s3();
  await s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status } });
  return Bucket;
}

export const bucketVersioning = resourceType({
  inputs: {
    ...ofBucket,
    versioningConfiguration: record(
      { status: text({ required: true, oneOf: ['Enabled', 'Suspended'] }) },
      { required: true },
    ),
  },
  outputs: [],
  create: (aws, { bucket: name, versioningConfiguration: { status } }) =>
    putVersioning(aws, name, status as 'Enabled'),
  async read(aws, Bucket) {
    const s3 = await aws.s3();
    const found = await unlessAbsent(NO_BUCKET, s3.getBucketVersioning({ Bucket }));
    if (found?.Status === undefined) return undefined;
    return { bucket: Bucket, versioningConfiguration: { status: found.Status } };
  },
  async update(aws, Bucket, { props }) {
    await putVersioning(aws, Bucket, props.versioningConfiguration.status as 'Enabled');
  },
  // Versioning cannot be undone, only suspended.
  async delete(aws, Bucket) {
    await unlessAbsent(NO_BUCKET, putVersioning(aws, Bucket, 'Suspended'));
  },
});

async function putOwnership(aws: Aws, Bucket: string, objectOwnership: string): Promise<string> {
  const s3 = await aws.s3();
  const Rules = [{ ObjectOwnership: objectOwnership as ObjectOwnership }];
  await s3.putBucketOwnershipControls({ Bucket, OwnershipControls: { Rules } });
  return Bucket;
}

export const bucketOwnershipControls = resourceType({
  inputs: { ...ofBucket, rule: record({ objectOwnership: text({ required: true }) }, { required: true }) },
  outputs: [],
  create: (aws, { bucket: name, rule }) => putOwnership(aws, name, rule.objectOwnership),
  async read(aws, Bucket) {
    const s3 = await aws.s3();
    const absent = [...NO_BUCKET, 'OwnershipControlsNotFoundError'];
    const found = await unlessAbsent(absent, s3.getBucketOwnershipControls({ Bucket }));
    const rule = found?.OwnershipControls?.Rules?.[0];
    return rule && { bucket: Bucket, rule: { objectOwnership: rule.ObjectOwnership } };
  },
  async update(aws, Bucket, { props }) {
    await putOwnership(aws, Bucket, props.rule.objectOwnership);
  },
  async delete(aws, Bucket) {
    const s3 = await aws.s3();
    await unlessAbsent(NO_BUCKET, s3.deleteBucketOwnershipControls({ Bucket }));
  },
});

async function putPolicy(aws: Aws, Bucket: string, Policy: string): Promise<string> {
  const s3 = await aws.s3();
  await s3.putBucketPolicy({ Bucket, Policy });
  return Bucket;
}

export const bucketPolicy = resourceType({
  inputs: { ...ofBucket, policy: json({ required: true }) },
  outputs: [],
  create: (aws, { bucket: name, policy }) => putPolicy(aws, name, policy),
  async read(aws, Bucket) {
    const s3 = await aws.s3();
    const found = await unlessAbsent([...NO_BUCKET, 'NoSuchBucketPolicy'], s3.getBucketPolicy({ Bucket }));
    return found && { bucket: Bucket, policy: found.Policy };
  },
  async update(aws, Bucket, { props }) {
    await putPolicy(aws, Bucket, props.policy);
  },
  async delete(aws, Bucket) {
    const s3 = await aws.s3();
    await unlessAbsent([...NO_BUCKET, 'NoSuchBucketPolicy'], s3.deleteBucketPolicy({ Bucket }));
  },
});
