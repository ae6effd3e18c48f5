/** The invokes of @pulumi/aws that programs call for facts about where they are. */
import type { Filter } from '@aws-sdk/client-ec2';
import type { Properties } from '../properties';
import type { Clients } from './clients';
import { partitionOf } from './configuration';
import { type Inputs, type PropsOf, flag, list, problemsOf, record, set, text } from './inputs';

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
      filters: list(record({ name: text({ required: true }), values: list(text(), { required: true }) })),
      region: text(),
      state: text({ oneOf: ['available', 'information', 'impaired', 'unavailable'] }),
    },
    async (args, surroundings) => {
      const region = args.region ?? surroundings.region;
      const filters: Filter[] = (args.filters ?? []).map(({ name, values }) => ({
        Name: name,
        Values: values,
      }));
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
