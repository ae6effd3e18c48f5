/** The invokes of @pulumi/aws that programs call for facts about where they are. */
import type { Filter, Instance } from '@aws-sdk/client-ec2';
import type { Properties } from '../properties';
import { type Clients, unlessAbsent } from './clients';
import { partitionOf } from './configuration';
import {
  type Inputs,
  type PropsOf,
  flag,
  list,
  number,
  problemsOf,
  record,
  set,
  tagMap,
  text,
} from './inputs';

export interface Surroundings {
  readonly clients: Clients;
  readonly region: string;
}

export interface Function {
  readonly inputs: Inputs;
  call(args: Properties, surroundings: Surroundings): Promise<Properties>;
}

export type Functions = Readonly<Record<string, Function>>;

const define = <I extends Inputs>(
  inputs: I,
  call: (args: PropsOf<I>, surroundings: Surroundings) => Promise<Properties>,
): Function => ({ inputs, call: (args, surroundings) => call(args as PropsOf<I>, surroundings) });

const dnsSuffixOf = (region: string): string =>
  region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com';

const filterList = list(record({ name: text({ required: true }), values: list(text(), { required: true }) }));

const filtersOf = (filters: readonly { name: string; values: string[] }[] = []): Filter[] =>
  filters.map(({ name, values }) => ({ Name: name, Values: values }));

const given = (values: readonly (string | undefined)[]): string[] =>
  values.filter((value): value is string => value !== undefined && value !== '');

/** Most keys that S3 lists at once. */
const listingKeys = 1000;

/** Whether the real provider shows the content of an object: only what is text, by what its type says. */
const isReadable = (contentType = ''): boolean =>
  /^text\/.+/.test(contentType) ||
  /^application\/(atom\+xml|json|ld\+json|x-csh|x-httpd-php|x-sh|xhtml\+xml|xml|x-sql|yaml)$/.test(
    contentType,
  );

export const functions: Functions = {
  'aws:index/getCallerIdentity:getCallerIdentity': define({}, async (_, { clients }) => {
    const { Account, Arn, UserId } = await (await clients.sts()).getCallerIdentity({});
    return { id: Account, accountId: Account, arn: Arn, userId: UserId };
  }),

  'aws:index/getRegion:getRegion': define({ region: text(), name: text() }, (args, { region }) => {
    const name = args.region ?? args.name ?? region;
    const endpoint = `ec2.${name}.${dnsSuffixOf(name)}`;
    return Promise.resolve({ id: name, name, region: name, endpoint });
  }),

  'aws:index/getPartition:getPartition': define({}, (_, { region }) => {
    const dnsSuffix = dnsSuffixOf(region);
    const reverseDnsPrefix = dnsSuffix.split('.').reverse().join('.');
    const partition = partitionOf(region);
    return Promise.resolve({ id: partition, partition, dnsSuffix, reverseDnsPrefix });
  }),

  'aws:index/getAvailabilityZones:getAvailabilityZones': define(
    {
      allAvailabilityZones: flag(),
      excludeNames: set(text()),
      excludeZoneIds: set(text()),
      filters: filterList,
      region: text(),
      state: text({ oneOf: ['available', 'information', 'impaired', 'unavailable'] }),
    },
    async (args, surroundings) => {
      const region = args.region ?? surroundings.region;
      const filters = filtersOf(args.filters);
      if (args.state !== undefined) filters.push({ Name: 'state', Values: [args.state] });
      const ec2 = await surroundings.clients.ec2(region);
      const { AvailabilityZones: all = [] } = await ec2.describeAvailabilityZones({
        ...(args.allAvailabilityZones === undefined
          ? {}
          : { AllAvailabilityZones: args.allAvailabilityZones }),
        ...(filters.length === 0 ? {} : { Filters: filters }),
      });
      const zones = all
        .filter(({ ZoneName = '' }) => !args.excludeNames?.includes(ZoneName))
        .filter(({ ZoneId = '' }) => !args.excludeZoneIds?.includes(ZoneId))
        .sort((a, b) => ((a.ZoneName ?? '') < (b.ZoneName ?? '') ? -1 : 1));
      return {
        ...args,
        id: region,
        region,
        names: zones.map(({ ZoneName }) => ZoneName),
        zoneIds: zones.map(({ ZoneId }) => ZoneId),
        groupNames: [...new Set(zones.map(({ GroupName }) => GroupName))],
      };
    },
  ),

  'aws:ec2/getInstances:getInstances': define(
    {
      filters: filterList,
      instanceStateNames: set(
        text({ oneOf: ['pending', 'running', 'shutting-down', 'stopped', 'stopping', 'terminated'] }),
      ),
      instanceTags: tagMap,
      region: text(),
    },
    async (args, surroundings) => {
      const region = args.region ?? surroundings.region;
      const states = args.instanceStateNames ?? [];
      const Filters = [
        // Where the program names no state, or an empty list of them, the real provider asks for what runs.
        { Name: 'instance-state-name', Values: states.length === 0 ? ['running'] : states },
        ...Object.entries(args.instanceTags ?? {}).map(([tag, value]) => ({
          Name: `tag:${tag}`,
          Values: [value],
        })),
        ...filtersOf(args.filters),
      ];
      const ec2 = await surroundings.clients.ec2(region);
      const instances: Instance[] = [];
      let NextToken: string | undefined;
      do {
        const page = await ec2.describeInstances({ Filters, ...(NextToken ? { NextToken } : {}) });
        instances.push(...(page.Reservations ?? []).flatMap(({ Instances = [] }) => Instances));
        ({ NextToken } = page);
      } while (NextToken);
      return {
        ...args,
        id: region,
        region,
        instanceTags: args.instanceTags ?? {},
        ids: given(instances.map(({ InstanceId }) => InstanceId)),
        privateIps: given(instances.map(({ PrivateIpAddress }) => PrivateIpAddress)),
        publicIps: given(instances.map(({ PublicIpAddress }) => PublicIpAddress)),
        ipv6Addresses: given(instances.map(({ Ipv6Address }) => Ipv6Address)),
      };
    },
  ),

  'aws:s3/getObjects:getObjects': define(
    {
      bucket: text({ required: true }),
      maxKeys: number(),
      prefix: text(),
      region: text(),
      startAfter: text(),
    },
    async (args, surroundings) => {
      const region = args.region ?? surroundings.region;
      const { bucket: Bucket, prefix: Prefix, startAfter: StartAfter } = args;
      // Of all pages together; only where the program asks for more does the real provider ask for a second page.
      const maxKeys = args.maxKeys ?? listingKeys;
      const s3 = await surroundings.clients.s3(region);
      const keys: string[] = [];
      let ContinuationToken: string | undefined;
      do {
        const page = await s3.listObjectsV2({
          Bucket,
          ...(maxKeys <= listingKeys ? { MaxKeys: maxKeys } : {}),
          ...(Prefix ? { Prefix } : {}),
          ...(StartAfter ? { StartAfter } : {}),
          ...(ContinuationToken ? { ContinuationToken } : {}),
        });
        keys.push(...given((page.Contents ?? []).map(({ Key }) => Key)));
        ContinuationToken = page.NextContinuationToken;
      } while (ContinuationToken && keys.length < maxKeys);
      return {
        ...args,
        id: Bucket,
        region,
        keys: keys.slice(0, maxKeys),
        commonPrefixes: [],
        owners: [],
        requestCharged: '',
      };
    },
  ),

  'aws:s3/getObject:getObject': define(
    { bucket: text({ required: true }), key: text({ required: true }), region: text() },
    async (args, surroundings) => {
      const region = args.region ?? surroundings.region;
      const { bucket: Bucket, key: Key } = args;
      const s3 = await surroundings.clients.s3(region);
      const head = await unlessAbsent(['NotFound', 'NoSuchKey'], s3.headObject({ Bucket, Key }));
      if (head === undefined) {
        throw new Error(`reading S3 Bucket (${Bucket}) Object (${Key}): couldn't find resource`);
      }
      const { VersionId } = head;
      const found = isReadable(head.ContentType)
        ? await s3.getObject({ Bucket, Key, ...(VersionId ? { VersionId } : {}) })
        : undefined;
      const body = await found?.Body?.transformToString();
      const { TagSet = [] } = await s3.getObjectTagging({ Bucket, Key });
      return {
        ...args,
        id: `${Bucket}/${Key}`,
        region,
        arn: `arn:${partitionOf(region)}:s3:::${Bucket}/${Key}`,
        ...(body === undefined ? {} : { body }),
        contentLength: head.ContentLength,
        contentType: head.ContentType,
        etag: (head.ETag ?? '').replace(/^"|"$/g, ''),
        lastModified: head.LastModified?.toUTCString(),
        metadata: head.Metadata ?? {},
        serverSideEncryption: head.ServerSideEncryption ?? '',
        storageClass: head.StorageClass ?? 'STANDARD',
        tags: Object.fromEntries(TagSet.map(({ Key: tag = '', Value = '' }) => [tag, Value])),
        versionId: VersionId ?? '',
      };
    },
  ),
};

export async function invokeFunction(
  table: Functions,
  token: string,
  args: Properties,
  surroundings: Surroundings,
): Promise<Properties> {
  const called = table[token];
  if (called === undefined) {
    throw new Error(
      `${token} is not among the functions of this stand-in for @pulumi/aws (${Object.keys(table).sort().join(', ')}). ` +
        `Add it to local/plugins/aws/functions.ts, or use the real plugin`,
    );
  }
  const problems = problemsOf(token, called.inputs, args);
  if (problems.length > 0) throw new Error(problems.map(({ reason }) => reason).join('; '));
  return called.call(args, surroundings);
}
