import type { S3, ServerSideEncryption } from '@aws-sdk/client-s3';
import { unlessAbsent } from '../clients';
import { flag, type PropsOf, type Tags, tagMap, text } from '../inputs';
import { type Aws, resourceType } from '../resource-type';
import { NO_BUCKET, ofBucket } from './s3';

const NO_OBJECT = [...NO_BUCKET, 'NoSuchKey'];

const objectInputs = {
  ...ofBucket,
  key: text({ required: true, replaces: true }),
  content: text({ secret: true }),
  contentType: text({ computed: true }),
  serverSideEncryption: text({ computed: true, oneOf: ['AES256', 'aws:kms', 'aws:kms:dsse'] }),
  forceDestroy: flag({ default: false }),
  tags: tagMap,
  tagsAll: tagMap,
};

type ObjectProps = PropsOf<typeof objectInputs>;

interface Place {
  readonly Bucket: string;
  readonly Key: string;
}

/**
 * `BUCKET/KEY`, as the SDK's documentation imports it and as terraform-provider-aws, which the real plugin wraps, has it
 * since 6.2.0 (its issue 44433; before it was the key alone). An import may also give the `s3://` URL.
 */
function placeOf(id: string): Place {
  const [, Bucket, Key] = /^(?:s3:\/\/)?([^/]+)\/(.+)$/s.exec(id) ?? [];
  if (Bucket !== undefined && Key !== undefined) return { Bucket, Key };
  throw new Error(`"${id}" is no id of an S3 object: give BUCKET/KEY or s3://BUCKET/KEY`);
}

/** Access points and unclean keys mean another object to the real provider than their text says. */
function placeFor({ bucket: Bucket, key: Key }: ObjectProps): Place {
  if (/[:/]/.test(Bucket)) {
    throw new Error(`bucket: "${Bucket}" is no bucket name, which is all that this stand-in takes`);
  }
  const clean = Key.replace(/^\.\//, '').replace(/^\/+/, '').replace(/\/+/g, '/');
  if (Key === clean) return { Bucket, Key };
  throw new Error(`key: the real provider takes "${Key}" for "${clean}": write "${clean}"`);
}

/** An object is only ever put whole. Where the program names no encryption, the bucket's applies, with its key. */
async function putObject(aws: Aws, place: Place, props: ObjectProps, contentType = props.contentType) {
  const s3 = await aws.s3();
  const tags = new URLSearchParams(props.tagsAll ?? {}).toString();
  await s3.putObject({
    ...place,
    // Of an empty string the SDK gives no length, without which S3 refuses it.
    Body: Buffer.from(props.content ?? ''),
    ...(contentType === undefined ? {} : { ContentType: contentType }),
    ...(props.serverSideEncryption === undefined
      ? {}
      : { ServerSideEncryption: props.serverSideEncryption as ServerSideEncryption }),
    ...(tags === '' ? {} : { Tagging: tags }),
  });
}

export const bucketObject = resourceType({
  inputs: objectInputs,
  // Without `etag` and the checksums: they are digests of the content, by which a short secret is guessed, and the
  // engine marks as secret only what has the name of a secret input.
  outputs: ['arn', 'versionId'],
  renewed: { versionId: ['content', 'contentType', 'serverSideEncryption'] },
  async create(aws, props) {
    const place = placeFor(props);
    await putObject(aws, place, props);
    return `${place.Bucket}/${place.Key}`;
  },
  async read(aws, id, { content: asked }) {
    const s3 = await aws.s3();
    const place = placeOf(id);
    // Only the content of a program's own is read: that of an import would stand in the state in plain text.
    const body = asked === undefined ? undefined : await unlessAbsent(NO_OBJECT, s3.getObject(place));
    const found = asked === undefined ? await unlessAbsent(NO_OBJECT, s3.headObject(place)) : body;
    if (found === undefined) return undefined;
    const content = await body?.Body?.transformToString();
    const { TagSet = [] } = await s3.getObjectTagging(place);
    return {
      id: `${place.Bucket}/${place.Key}`,
      bucket: place.Bucket,
      key: place.Key,
      ...(asked === undefined ? {} : { content: content ?? '' }),
      contentType: found.ContentType,
      serverSideEncryption: found.ServerSideEncryption,
      tagsAll: Object.fromEntries(TagSet.map(({ Key = '', Value = '' }) => [Key, Value])),
      arn: `arn:${aws.partition}:s3:::${place.Bucket}/${place.Key}`,
      versionId: found.VersionId,
    };
  },
  async update(aws, id, { props, olds, changed }) {
    if (!changed('content', 'contentType', 'serverSideEncryption')) return;
    await putObject(aws, placeOf(id), props, props.contentType ?? olds.contentType);
  },
  tag: (aws, id, { all }) => tagObject(aws, placeOf(id), all),
  /** Of a versioned bucket the real provider deletes all versions; `forceDestroy` lifts what holds them. */
  async delete(aws, id, known) {
    const s3 = await aws.s3();
    const place = placeOf(id);
    const { versionId } = known as { versionId?: string };
    if (versionId) await unlessAbsent(NO_OBJECT, deleteVersions(s3, place, known.forceDestroy ?? false));
    else await unlessAbsent(NO_OBJECT, s3.deleteObject(place));
  },
});

async function tagObject(aws: Aws, place: Place, tags: Tags): Promise<void> {
  const s3 = await aws.s3();
  const TagSet = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  await s3.putObjectTagging({ ...place, Tagging: { TagSet } });
}

/** S3 lists a key before all those that it is the beginning of, so that what is left of it is on the first page. */
async function deleteVersions(s3: S3, { Bucket, Key }: Place, force: boolean): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await s3.listObjectVersions({ Bucket, Prefix: Key });
    const own = [...Versions, ...DeleteMarkers].filter((version) => version.Key === Key);
    if (own.length === 0) return;
    for (const { VersionId = 'null' } of own) await deleteVersion(s3, { Bucket, Key, VersionId }, force);
  }
}

async function deleteVersion(s3: S3, version: Place & { VersionId: string }, force: boolean): Promise<void> {
  const bypass = force ? { BypassGovernanceRetention: true } : {};
  try {
    await s3.deleteObject({ ...version, ...bypass });
  } catch (error) {
    if (!force || !(error instanceof Error) || error.name !== 'AccessDenied') throw error;
    const { ObjectLockLegalHoldStatus } = await s3.headObject(version);
    if (ObjectLockLegalHoldStatus !== 'ON') throw error;
    await s3.putObjectLegalHold({ ...version, LegalHold: { Status: 'OFF' } });
    await s3.deleteObject({ ...version, ...bypass });
  }
}
