import { parseAccelerator, parseQuantity } from './quantity';
import type { Entry, FleetSettings } from './reading';
import { skyDefaults, type SkyResources } from './sky-schema';

interface Part {
  settings: FleetSettings;
  entries: Entry[];
}

const fleet = (key: string): string => `skyfleet:fleets[0].${key}`;

/** The machine of a task: a type, or a size from which SkyPilot chooses one. */
export function machineOf(resources: SkyResources): Part {
  const { instance_type: type, cpus, memory, accelerators } = resources;
  const accelerated = acceleratorOf(accelerators);
  if (type != null) {
    const beside = Object.entries({ cpus, memory }).flatMap(([key, value]): Entry[] =>
      value == null
        ? []
        : [
            {
              key: `resources.${key}`,
              value,
              outcome: 'none',
              why: 'the instance type has its size already',
            },
          ],
    );
    return {
      settings: { instanceType: type, ...accelerated.settings },
      entries: [
        { key: 'resources.instance_type', value: type, outcome: 'taken', to: fleet('instanceType') },
        ...accelerated.entries,
        ...beside,
      ],
    };
  }
  const sized = [sizeOf('cpus', 'cpus', cpus), sizeOf('memory', 'memoryGiB', memory), accelerated];
  if (sized.every(({ entries }) => entries.length === 0)) {
    const { cpus: defaultCpus, memoryGiB } = skyDefaults;
    return {
      settings: { cpus: defaultCpus, memoryGiB },
      entries: [
        {
          key: 'resources.instance_type',
          outcome: 'changed',
          to: `${fleet('cpus')} and memoryGiB`,
          why: `no size is written, and SkyPilot takes ${defaultCpus} vCPUs with ${memoryGiB} GiB or more`,
        },
      ],
    };
  }
  return {
    settings: Object.assign({}, ...sized.map(({ settings }) => settings)) as FleetSettings,
    entries: sized.flatMap(({ entries }) => entries),
  };
}

function sizeOf(key: string, to: 'cpus' | 'memoryGiB', written: string | number | null | undefined): Part {
  const quantity = written == null ? undefined : parseQuantity(written);
  if (written == null || quantity === undefined) return { settings: {}, entries: [] };
  const entry = { key: `resources.${key}`, value: written, to: fleet(to) };
  return {
    settings: { [to]: quantity.value },
    entries: [
      quantity.atLeast
        ? { ...entry, outcome: 'taken' }
        : {
            ...entry,
            outcome: 'changed',
            why: `is ${quantity.value} or more: Skyfleet asks for no exact size`,
          },
    ],
  };
}

function acceleratorOf(written: SkyResources['accelerators']): Part {
  const accelerators = written == null ? undefined : parseAccelerator(written);
  if (accelerators === undefined) return { settings: {}, entries: [] };
  const [name = '', count = 1] = Object.entries(accelerators)[0] ?? [];
  return {
    settings: { accelerators },
    entries: [
      {
        key: 'resources.accelerators',
        value: `${name}:${count}`,
        outcome: 'taken',
        to: fleet('accelerators'),
      },
    ],
  };
}

/** Spot or on-demand, disk, price limit. */
export function termsOf(resources: SkyResources): Part {
  const { use_spot: spot, disk_size: disk, max_hourly_cost: limit, instance_type: type } = resources;
  const size = (disk == null ? undefined : parseQuantity(disk)?.value) ?? skyDefaults.diskSizeGiB;
  const limited = limit != null && type == null;
  return {
    settings: {
      spot: spot ?? skyDefaults.spot,
      diskSizeGiB: size,
      ...(limited ? { maxHourlyUsd: limit } : {}),
    },
    entries: [
      spot == null
        ? {
            key: 'resources.use_spot',
            value: skyDefaults.spot,
            outcome: 'changed',
            to: fleet('spot'),
            why: "is not written: SkyPilot takes on-demand, and Skyfleet's own default would be spot",
          }
        : { key: 'resources.use_spot', value: spot, outcome: 'taken', to: fleet('spot') },
      disk == null
        ? {
            key: 'resources.disk_size',
            value: size,
            outcome: 'changed',
            to: fleet('diskSizeGiB'),
            why: "is not written, and SkyPilot takes this; a node needs no more than Skyfleet's 30",
          }
        : { key: 'resources.disk_size', value: disk, outcome: 'taken', to: fleet('diskSizeGiB') },
      ...(limit == null ? [] : [limitEntry(limit, limited)]),
    ],
  };
}

/** SkyPilot holds the limit by its choice of the type (`config/rules.ts`). */
function limitEntry(value: number, held: boolean): Entry {
  const entry = { key: 'resources.max_hourly_cost', value };
  return held
    ? { ...entry, outcome: 'taken', to: fleet('maxHourlyUsd') }
    : {
        ...entry,
        outcome: 'none',
        why: 'a limit is held only where SkyPilot chooses the type: write cpus and memoryGiB in the place of instanceType, and maxHourlyUsd beside them',
      };
}

/** The image of a task in a region, where it is an AMI. */
export function imageOf(written: SkyResources['image_id'], region: string): Part {
  const image = typeof written === 'object' ? written?.[region] : written;
  if (image === undefined) return { settings: {}, entries: [] };
  const entry = { key: 'resources.image_id', value: image };
  return image.startsWith('ami-')
    ? {
        settings: { imageId: image },
        entries: [{ ...entry, outcome: 'taken', to: fleet('imageId') }],
      }
    : {
        settings: {},
        entries: [
          {
            ...entry,
            outcome: 'none',
            why: "is no AMI; nodes run SkyPilot's own Ubuntu image for the region, and containers on it",
          },
        ],
      };
}
