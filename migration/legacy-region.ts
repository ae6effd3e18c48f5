import { legacyDefaults, type LegacyConfig, type LegacyRegion } from './legacy-schema';
import type { Entry, FleetSettings } from './reading';
import { translateTags } from './tags';

/** The size of the earlier tools' usual machine, a t3.medium, which stands for `auto` (https://aws.amazon.com/ec2/instance-types/t3/). */
const automatic = { cpus: 2, memoryGiB: 4 } as const;

/** Root volumes are no smaller than the image's snapshot; the schema's least size is that of the Ubuntu images. */
const leastDiskGiB = 8;

/** The fleet of a region; what a region says goes before what stands below `aws`, as the earlier tools document it. */
export function regionSettings(
  key: string,
  settings: LegacyRegion,
  aws: NonNullable<LegacyConfig['aws']>,
): { settings: FleetSettings; entries: Entry[] } {
  const machine = machineOf(key, settings);
  const disk = diskOf(key, settings, aws);
  const limit = limitOf(key, settings, aws);
  const tags = translateTags(settings.tags ?? {}, `${key}.tags`, 'skyfleet:fleets[0].tags');
  const image = settings.image ?? legacyDefaults.image;
  const own = image.startsWith('ami-');
  return {
    settings: {
      ...machine.settings,
      spot: true,
      ...(limit?.outcome === 'taken' ? { maxHourlyUsd: limit.value } : {}),
      diskSizeGiB: disk.value,
      ...(own ? { imageId: image } : {}),
      ...(Object.keys(tags.tags).length === 0 ? {} : { tags: tags.tags }),
    },
    entries: [
      machine.entry,
      own
        ? {
            key: `${key}.image`,
            value: image,
            outcome: 'taken',
            to: 'skyfleet:fleets[0].imageId',
            why: 'SkyPilot must be able to log in to it, as to an Ubuntu image',
          }
        : {
            key: `${key}.image`,
            value: image,
            outcome: 'changed',
            to: 'skyfleet:fleets[0].imageId',
            why: "is left out: SkyPilot's own Ubuntu image for the region",
          },
      disk.entry,
      ...(limit === undefined ? [] : [limit]),
      ...tags.entries,
    ],
  };
}

function machineOf(key: string, { machine_type }: LegacyRegion): { settings: FleetSettings; entry: Entry } {
  const type = machine_type ?? legacyDefaults.machineType;
  const entry = { key: `${key}.machine_type`, value: type };
  if (type === 'auto') {
    const why = `SkyPilot chooses the cheapest with the size of a t3.medium: ${automatic.cpus} vCPUs and ${automatic.memoryGiB} GiB`;
    return {
      settings: automatic,
      entry: { ...entry, outcome: 'changed', to: 'skyfleet:fleets[0].cpus and memoryGiB', why },
    };
  }
  const to = 'skyfleet:fleets[0].instanceType';
  return {
    settings: { instanceType: type },
    entry:
      machine_type === undefined
        ? { ...entry, outcome: 'changed', to, why: 'is not written, and the earlier tools take this' }
        : { ...entry, outcome: 'taken', to },
  };
}

function diskOf(
  key: string,
  settings: LegacyRegion,
  aws: NonNullable<LegacyConfig['aws']>,
): { value: number; entry: Entry } {
  const own = settings.instance_storage_gb ?? undefined;
  const written = own ?? aws.instance_storage_gb ?? undefined;
  const found = written ?? legacyDefaults.diskSizeGiB;
  const value = Math.max(leastDiskGiB, Math.ceil(found));
  const why = [
    ...(written === undefined ? ['is not written, and the earlier tools take this'] : []),
    ...(value === found ? [] : [`is ${value}: whole GiB, and ${leastDiskGiB} at least`]),
    ...(own === undefined ? [] : ['the earlier tools document it for a region, and ignore it there']),
  ].join('; ');
  return {
    value,
    entry: {
      key: own === undefined ? 'aws.instance_storage_gb' : `${key}.instance_storage_gb`,
      value: found,
      outcome: why === '' ? 'taken' : 'changed',
      to: 'skyfleet:fleets[0].diskSizeGiB',
      ...(why === '' ? {} : { why }),
    },
  };
}

/** Where SkyPilot chooses the type it holds the limit by its choice; elsewhere there is nothing to hold it by (`config/rules.ts`). */
function limitOf(
  key: string,
  settings: LegacyRegion,
  aws: NonNullable<LegacyConfig['aws']>,
): (Entry & { value: number }) | undefined {
  const own = settings.spot_price_limit ?? undefined;
  const value = own ?? aws.spot_price_limit ?? undefined;
  if (value === undefined) return undefined;
  const entry = { key: own === undefined ? 'aws.spot_price_limit' : `${key}.spot_price_limit`, value };
  const ignored = 'the earlier tools read it and never pass it to AWS';
  return settings.machine_type === 'auto'
    ? {
        ...entry,
        outcome: 'taken',
        to: 'skyfleet:fleets[0].maxHourlyUsd',
        why: `US dollars of one node per hour, as there; ${ignored}`,
      }
    : {
        ...entry,
        outcome: 'none',
        why: `${ignored}, and a limit is held only where SkyPilot chooses the type: write cpus and memoryGiB in the place of instanceType, and maxHourlyUsd beside them`,
      };
}
