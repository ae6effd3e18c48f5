import { type Case, gone, otherTags, tags, tagsOf, text } from './case';
import { DENY_PLAIN } from './ground';

const bucketSetting = (name: string): string => `aws:s3/bucket${name}:Bucket${name}`;

export const s3Cases: readonly Case[] = [
  {
    type: 'aws:s3/bucket:Bucket',
    inputs: () => ({ bucket: 'conformance-made', forceDestroy: true, objectLockEnabled: true, tags }),
    variants: () => [{ bucketPrefix: 'conformance-prefix-' }],
    kept: ['forceDestroy'],
    notImported: ['forceDestroy'],
    actual: async ({ s3 }, Bucket) => {
      if ((await gone(s3.headBucket({ Bucket }))) === undefined) return undefined;
      const lock = await gone(s3.getObjectLockConfiguration({ Bucket }));
      return {
        bucket: Bucket,
        bucketPrefix: Bucket.slice(0, -26),
        objectLockEnabled: lock?.ObjectLockConfiguration?.ObjectLockEnabled === 'Enabled',
        tags: tagsOf((await gone(s3.getBucketTagging({ Bucket })))?.TagSet),
      };
    },
    update: () => ({ tags: otherTags, forceDestroy: false }),
    replace: () => ({ bucket: 'conformance-made-otherwise', bucketPrefix: 'x-', objectLockEnabled: false }),
    excludes: { bucketPrefix: ['bucket'] },
    deleteBeforeReplace: true,
    drift: { make: ({ s3 }, Bucket) => s3.deleteBucketTagging({ Bucket }), shows: 'tags' },
    outputs: ['arn', 'bucketDomainName', 'bucketRegion', 'bucketRegionalDomainName'],
  },
  // Before the case of versioning, which stays suspended in its bucket and so gives each object a version.
  {
    type: 'aws:s3/bucketObjectv2:BucketObjectv2',
    inputs: ({ bucket }) => ({
      bucket,
      key: 'folder/object.yml',
      content: 'a: ö\n',
      contentType: 'text/yaml',
      serverSideEncryption: 'AES256',
      forceDestroy: true,
      tags,
    }),
    variants: ({ bucket }) => [{ bucket, key: 'empty' }],
    kept: ['forceDestroy'],
    notImported: ['content', 'forceDestroy'],
    actual: async ({ s3 }, _, inputs) => {
      const at = { Bucket: text(inputs['bucket']), Key: text(inputs['key']) };
      const found = await gone(s3.getObject(at));
      return (
        found && {
          bucket: at.Bucket,
          key: at.Key,
          content: await found.Body?.transformToString(),
          contentType: found.ContentType,
          serverSideEncryption: found.ServerSideEncryption,
          tags: tagsOf((await s3.getObjectTagging(at)).TagSet),
        }
      );
    },
    update: () => ({
      content: 'changed',
      contentType: 'text/plain',
      serverSideEncryption: 'aws:kms',
      forceDestroy: false,
      tags: otherTags,
    }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket, key: 'folder/other.yml' }),
    drift: {
      make: ({ s3 }, _, inputs) =>
        s3.putObject({
          Bucket: text(inputs['bucket']),
          Key: text(inputs['key']),
          Body: 'alien',
          ContentType: 'text/alien',
        }),
      // Where an object is put anew all of it is, so that the content comes back too; the real provider never reads it.
      shows: 'contentType',
    },
    outputs: ['arn'],
  },
  {
    type: bucketSetting('PublicAccessBlock'),
    inputs: ({ bucket }) => ({
      bucket,
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    }),
    variants: ({ bucket }) => [
      { bucket, blockPublicAcls: true },
      { bucket, blockPublicPolicy: true },
      { bucket, ignorePublicAcls: true },
      { bucket, restrictPublicBuckets: true },
    ],
    actual: async ({ s3 }, Bucket) => {
      const found = (await gone(s3.getPublicAccessBlock({ Bucket })))?.PublicAccessBlockConfiguration;
      return (
        found && {
          bucket: Bucket,
          blockPublicAcls: found.BlockPublicAcls,
          blockPublicPolicy: found.BlockPublicPolicy,
          ignorePublicAcls: found.IgnorePublicAcls,
          restrictPublicBuckets: found.RestrictPublicBuckets,
        }
      );
    },
    update: () => ({ blockPublicPolicy: false, restrictPublicBuckets: false }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putPublicAccessBlock({ Bucket, PublicAccessBlockConfiguration: { IgnorePublicAcls: true } }),
      shows: 'blockPublicAcls',
    },
    outputs: [],
  },
  {
    type: bucketSetting('ServerSideEncryptionConfiguration'),
    inputs: ({ bucket }) => ({
      bucket,
      rules: [
        {
          applyServerSideEncryptionByDefault: {
            sseAlgorithm: 'aws:kms',
            kmsMasterKeyId: 'alias/conformance',
          },
          bucketKeyEnabled: true,
        },
      ],
    }),
    actual: async ({ s3 }, Bucket) => {
      const found = (await gone(s3.getBucketEncryption({ Bucket })))?.ServerSideEncryptionConfiguration;
      return (
        found && {
          bucket: Bucket,
          rules: found.Rules?.map(({ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled }) => ({
            applyServerSideEncryptionByDefault: {
              sseAlgorithm: byDefault?.SSEAlgorithm,
              kmsMasterKeyId: byDefault?.KMSMasterKeyID,
            },
            bucketKeyEnabled: BucketKeyEnabled,
          })),
        }
      );
    },
    update: () => ({
      rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' }, bucketKeyEnabled: false }],
    }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putBucketEncryption({
          Bucket,
          ServerSideEncryptionConfiguration: {
            Rules: [{ ApplyServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms' } }],
          },
        }),
      shows: 'rules',
    },
    outputs: [],
  },
  {
    type: bucketSetting('Versioning'),
    inputs: ({ bucket }) => ({ bucket, versioningConfiguration: { status: 'Enabled' } }),
    actual: async ({ s3 }, Bucket) => {
      const found = await s3.getBucketVersioning({ Bucket });
      return found.Status && { bucket: Bucket, versioningConfiguration: { status: found.Status } };
    },
    update: () => ({ versioningConfiguration: { status: 'Suspended' } }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putBucketVersioning({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }),
      shows: 'versioningConfiguration',
    },
    outputs: [],
    outlives: true,
  },
  {
    type: bucketSetting('OwnershipControls'),
    inputs: ({ bucket }) => ({ bucket, rule: { objectOwnership: 'BucketOwnerEnforced' } }),
    actual: async ({ s3 }, Bucket) => {
      const rule = (await gone(s3.getBucketOwnershipControls({ Bucket })))?.OwnershipControls?.Rules?.[0];
      return rule && { bucket: Bucket, rule: { objectOwnership: rule.ObjectOwnership } };
    },
    update: () => ({ rule: { objectOwnership: 'BucketOwnerPreferred' } }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putBucketOwnershipControls({
          Bucket,
          OwnershipControls: { Rules: [{ ObjectOwnership: 'ObjectWriter' }] },
        }),
      shows: 'rule',
    },
    outputs: [],
  },
  {
    type: bucketSetting('Policy'),
    inputs: ({ bucket }) => ({ bucket, policy: DENY_PLAIN(bucket) }),
    actual: async ({ s3 }, Bucket) => {
      const found = await gone(s3.getBucketPolicy({ Bucket }));
      return found && { bucket: Bucket, policy: found.Policy };
    },
    update: ({ bucket }) => ({ policy: DENY_PLAIN(bucket, 'Allow') }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) => s3.putBucketPolicy({ Bucket, Policy: DENY_PLAIN('elsewhere') }),
      shows: 'policy',
    },
    outputs: [],
  },
  {
    type: bucketSetting('LifecycleConfiguration'),
    inputs: ({ bucket }) => ({
      bucket,
      rules: [
        {
          id: 'all',
          status: 'Enabled',
          filter: { prefix: '' },
          noncurrentVersionExpiration: { noncurrentDays: 30 },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 7 },
        },
        { id: 'days', status: 'Disabled', filter: { prefix: 'old/' }, expiration: { days: 90 } },
        {
          id: 'date',
          status: 'Enabled',
          filter: { prefix: 'd/' },
          expiration: { date: '2030-01-01T00:00:00Z' },
        },
        {
          id: 'markers',
          status: 'Enabled',
          filter: { prefix: 'm/' },
          expiration: { expiredObjectDeleteMarker: true },
        },
        {
          id: 'data',
          status: 'Enabled',
          filter: { prefix: 'fleets/' },
          expiration: { days: 30 },
          noncurrentVersionExpiration: { noncurrentDays: 3 },
          abortIncompleteMultipartUpload: { daysAfterInitiation: 1 },
        },
        { id: 'tag', status: 'Enabled', filter: { tag: { key: 'a', value: 'b' } }, expiration: { days: 2 } },
        {
          id: 'and',
          status: 'Enabled',
          filter: { and: { prefix: 'x/', tags: { c: 'd', e: 'f' } } },
          expiration: { days: 3 },
        },
      ],
    }),
    actual: async ({ s3 }, Bucket) => {
      const found = await gone(s3.getBucketLifecycleConfiguration({ Bucket }));
      return (
        found && {
          bucket: Bucket,
          rules: found.Rules?.map((rule) => ({
            id: rule.ID,
            status: rule.Status,
            filter: {
              prefix: rule.Filter?.Prefix,
              tag: rule.Filter?.Tag && { key: rule.Filter.Tag.Key, value: rule.Filter.Tag.Value },
              and: rule.Filter?.And && {
                prefix: rule.Filter.And.Prefix,
                tags: tagsOf(rule.Filter.And.Tags),
              },
            },
            expiration: rule.Expiration && {
              days: rule.Expiration.Days,
              date: rule.Expiration.Date?.toISOString().replace('.000Z', 'Z'),
              expiredObjectDeleteMarker: rule.Expiration.ExpiredObjectDeleteMarker,
            },
            noncurrentVersionExpiration: rule.NoncurrentVersionExpiration && {
              noncurrentDays: rule.NoncurrentVersionExpiration.NoncurrentDays,
            },
            abortIncompleteMultipartUpload: rule.AbortIncompleteMultipartUpload && {
              daysAfterInitiation: rule.AbortIncompleteMultipartUpload.DaysAfterInitiation,
            },
          })),
        }
      );
    },
    update: () => ({
      rules: [{ id: 'all', status: 'Enabled', filter: { prefix: '' }, expiration: { days: 5 } }],
    }),
    replace: ({ otherBucket }) => ({ bucket: otherBucket }),
    drift: {
      make: ({ s3 }, Bucket) =>
        s3.putBucketLifecycleConfiguration({
          Bucket,
          LifecycleConfiguration: {
            Rules: [{ ID: 'alien', Status: 'Enabled', Filter: { Prefix: '' }, Expiration: { Days: 1 } }],
          },
        }),
      shows: 'rules',
    },
    outputs: [],
  },
];
