import type { LifecycleRule, LifecycleRuleFilter } from '@aws-sdk/client-s3';
import { unlessAbsent } from '../clients';
import { flag, list, number, type PropsOf, record, tagMap, text } from '../inputs';
import { type Aws, resourceType } from '../resource-type';
import { NO_BUCKET, ofBucket } from './s3';

/** Without object sizes and counts of versions, which moto drops: nothing here could tell that they are applied. */
const lifecycleInputs = {
  ...ofBucket,
  rules: list(
    record({
      id: text({ required: true }),
      status: text({ required: true, oneOf: ['Enabled', 'Disabled'] }),
      filter: record({
        prefix: text(),
        tag: record({ key: text({ required: true }), value: text({ required: true }) }),
        and: record({ prefix: text(), tags: tagMap }),
      }),
      expiration: record({ days: number(), date: text(), expiredObjectDeleteMarker: flag() }),
      noncurrentVersionExpiration: record({ noncurrentDays: number({ required: true }) }),
      abortIncompleteMultipartUpload: record({ daysAfterInitiation: number() }),
    }),
    { required: true },
  ),
};

type LifecycleProps = PropsOf<typeof lifecycleInputs>;
type Rule = LifecycleProps['rules'][number];

async function putLifecycle(aws: Aws, { bucket: Bucket, rules }: LifecycleProps): Promise<string> {
  const s3 = await aws.s3();
  const LifecycleConfiguration = { Rules: rules.map(lifecycleRule) };
  await s3.putBucketLifecycleConfiguration({ Bucket, LifecycleConfiguration });
  return Bucket;
}

function lifecycleRule(rule: Rule): LifecycleRule {
  const made: LifecycleRule = {
    ID: rule.id,
    Status: rule.status as 'Enabled',
    Filter: lifecycleFilter(rule.filter),
  };
  const { expiration, noncurrentVersionExpiration: noncurrent, abortIncompleteMultipartUpload: abort } = rule;
  if (expiration !== undefined) {
    made.Expiration = {
      ...(expiration.days === undefined ? {} : { Days: expiration.days }),
      ...(expiration.date === undefined ? {} : { Date: new Date(expiration.date) }),
      ...(expiration.expiredObjectDeleteMarker === undefined
        ? {}
        : { ExpiredObjectDeleteMarker: expiration.expiredObjectDeleteMarker }),
    };
  }
  if (noncurrent !== undefined) {
    made.NoncurrentVersionExpiration = { NoncurrentDays: noncurrent.noncurrentDays };
  }
  if (abort?.daysAfterInitiation !== undefined) {
    made.AbortIncompleteMultipartUpload = { DaysAfterInitiation: abort.daysAfterInitiation };
  }
  return made;
}

/** Without a filter a rule is for all objects, which S3 wants said as an empty prefix. */
function lifecycleFilter(filter: Rule['filter']): LifecycleRuleFilter {
  if (filter?.and !== undefined) {
    const Tags = Object.entries(filter.and.tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
    return {
      And: {
        ...(filter.and.prefix === undefined ? {} : { Prefix: filter.and.prefix }),
        ...(Tags.length === 0 ? {} : { Tags }),
      },
    };
  }
  if (filter?.tag !== undefined) return { Tag: { Key: filter.tag.key, Value: filter.tag.value } };
  return { Prefix: filter?.prefix ?? '' };
}

function filterOf(filter: LifecycleRuleFilter | undefined) {
  if (filter === undefined) return undefined;
  const { And, Tag } = filter;
  return {
    prefix: filter.Prefix,
    tag: Tag && { key: Tag.Key, value: Tag.Value },
    and: And && {
      prefix: And.Prefix,
      tags: Object.fromEntries((And.Tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value])),
    },
  };
}

export const bucketLifecycleConfiguration = resourceType({
  inputs: lifecycleInputs,
  outputs: [],
  create: putLifecycle,
  async read(aws, Bucket) {
    const s3 = await aws.s3();
    const absent = [...NO_BUCKET, 'NoSuchLifecycleConfiguration'];
    const found = await unlessAbsent(absent, s3.getBucketLifecycleConfiguration({ Bucket }));
    return (
      found?.Rules && {
        bucket: Bucket,
        rules: found.Rules.map((rule) => ({
          id: rule.ID,
          status: rule.Status,
          filter: filterOf(rule.Filter),
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
  async update(aws, _, { props }) {
    await putLifecycle(aws, props);
  },
  async delete(aws, Bucket) {
    const s3 = await aws.s3();
    await unlessAbsent(NO_BUCKET, s3.deleteBucketLifecycle({ Bucket }));
  },
});
