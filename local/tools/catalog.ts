/**
 * SkyPilot's offline catalog of the emulated AWS: what `~/.sky/catalogs/v8` of its server holds.
 *
 * SkyPilot refreshes a catalog file from a public address unless the file differs from the checksum that it noted
 * when it fetched the file (`.meta/<file>.md5`). A file without such a note counts as changed by its owner and is
 * never refreshed (sky/catalog/common.py, is_catalog_modified, 0.14).
 *
 * The prices are made up (see `hourlyPrice`): nothing is ever paid on the emulated account.
 */

/** The one machine image of the emulated account, in each of its regions. */
export const AMI_ID = 'ami-0e1ac0de5ca1ab1e0';

/** Zone ids, in the order of the zone names a, b, c...; SkyPilot maps them to names with DescribeAvailabilityZones. */
export const ZONE_IDS: Readonly<Record<string, readonly string[]>> = {
  'us-west-2': ['usw2-az2', 'usw2-az1', 'usw2-az3', 'usw2-az4'],
  'us-east-1': ['use1-az6', 'use1-az1', 'use1-az2', 'use1-az4', 'use1-az3', 'use1-az5'],
  'eu-west-1': ['euw1-az3', 'euw1-az1', 'euw1-az2'],
};

export const REGIONS: readonly string[] = Object.keys(ZONE_IDS);

interface InstanceType {
  name: string;
  vcpus: number;
  memoryGib: number;
  arch: 'x86_64' | 'arm64';
  gpu?: { name: string; count: number; memoryMib: number };
}

const INSTANCE_TYPES: readonly InstanceType[] = [
  { name: 't3.small', vcpus: 2, memoryGib: 2, arch: 'x86_64' },
  { name: 't3.medium', vcpus: 2, memoryGib: 4, arch: 'x86_64' },
  { name: 't3.large', vcpus: 2, memoryGib: 8, arch: 'x86_64' },
  { name: 't3.xlarge', vcpus: 4, memoryGib: 16, arch: 'x86_64' },
  { name: 'm6i.large', vcpus: 2, memoryGib: 8, arch: 'x86_64' },
  { name: 'm6i.xlarge', vcpus: 4, memoryGib: 16, arch: 'x86_64' },
  { name: 'm6i.2xlarge', vcpus: 8, memoryGib: 32, arch: 'x86_64' },
  { name: 't4g.small', vcpus: 2, memoryGib: 2, arch: 'arm64' },
  { name: 't4g.medium', vcpus: 2, memoryGib: 4, arch: 'arm64' },
  { name: 't4g.large', vcpus: 2, memoryGib: 8, arch: 'arm64' },
  { name: 'm7g.medium', vcpus: 1, memoryGib: 4, arch: 'arm64' },
  { name: 'm7g.large', vcpus: 2, memoryGib: 8, arch: 'arm64' },
  { name: 'm7g.xlarge', vcpus: 4, memoryGib: 16, arch: 'arm64' },
  { name: 'c7g.large', vcpus: 2, memoryGib: 4, arch: 'arm64' },
  { name: 'c7g.xlarge', vcpus: 4, memoryGib: 8, arch: 'arm64' },
  { name: 'r7g.large', vcpus: 2, memoryGib: 16, arch: 'arm64' },
  { name: 'r7g.xlarge', vcpus: 4, memoryGib: 32, arch: 'arm64' },
  {
    name: 'g4dn.xlarge',
    vcpus: 4,
    memoryGib: 16,
    arch: 'x86_64',
    gpu: { name: 'T4', count: 1, memoryMib: 15360 },
  },
  {
    name: 'g5.xlarge',
    vcpus: 4,
    memoryGib: 16,
    arch: 'x86_64',
    gpu: { name: 'A10G', count: 1, memoryMib: 22888 },
  },
];

/** The tags that SkyPilot looks its own default images up by. */
const IMAGE_TAGS = [
  'skypilot:custom-cpu-ubuntu',
  'skypilot:custom-cpu-ubuntu-arm64',
  'skypilot:custom-gpu-ubuntu',
  'skypilot:custom-gpu-ubuntu-cuda13',
] as const;

/** A price that orders the types as one would expect: larger is dearer, arm64 is cheaper, a GPU costs most. */
function hourlyPrice(type: InstanceType): number {
  const machine = type.vcpus * 0.016 + type.memoryGib * 0.004;
  return machine * (type.arch === 'arm64' ? 0.8 : 1) + (type.gpu ? type.gpu.count * 0.8 : 0);
}

/** Each later zone is a little dearer, so that the choice of a zone by price is always the same one. */
const spotPrice = (type: InstanceType, zoneIndex: number) => hourlyPrice(type) * (0.4 + zoneIndex * 0.01);

const money = (usd: number) => usd.toFixed(4);

function gpuInfo(gpu: NonNullable<InstanceType['gpu']>): string {
  const total = gpu.memoryMib * gpu.count;
  return (
    `{'Gpus': [{'Name': '${gpu.name}', 'Manufacturer': 'NVIDIA', 'Count': ${gpu.count}, ` +
    `'MemoryInfo': {'SizeInMiB': ${gpu.memoryMib}}}], 'TotalGpuMemoryInMiB': ${total}}`
  );
}

type Cell = string | number;

function csv(header: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const quoted = (cell: Cell) =>
    /[",\n]/.test(String(cell)) ? `"${String(cell).replaceAll('"', '""')}"` : cell;
  return [header, ...rows].map((row) => row.map(quoted).join(',')).join('\n') + '\n';
}

function vms(): string {
  const rows = INSTANCE_TYPES.flatMap((type) =>
    Object.entries(ZONE_IDS).flatMap(([region, zones]) =>
      zones.map((zone, index): Cell[] => [
        type.name,
        type.gpu?.name ?? '',
        type.gpu?.count ?? '',
        type.vcpus,
        type.memoryGib,
        type.gpu ? gpuInfo(type.gpu) : '',
        money(hourlyPrice(type)),
        money(spotPrice(type, index)),
        region,
        zone,
        type.arch,
      ]),
    ),
  );
  return csv(
    [
      'InstanceType',
      'AcceleratorName',
      'AcceleratorCount',
      'vCPUs',
      'MemoryGiB',
      'GpuInfo',
      'Price',
      'SpotPrice',
      'Region',
      'AvailabilityZone',
      'Arch',
    ],
    rows,
  );
}

function images(): string {
  return csv(
    ['Tag', 'Region', 'OS', 'OSVersion', 'ImageId', 'CreationDate', 'BaseImageId'],
    IMAGE_TAGS.flatMap((tag) =>
      REGIONS.map((region) => [tag, region, 'ubuntu', '22.04', AMI_ID, '20260101', '']),
    ),
  );
}

function accelerators(): string {
  return csv(
    ['AcceleratorName', 'Clouds'],
    INSTANCE_TYPES.flatMap(({ gpu }) => (gpu ? [[gpu.name, "['AWS']"]] : [])),
  );
}

function acceleratorMemory(): string {
  return csv(
    ['GPU', 'MemoryGB'],
    INSTANCE_TYPES.flatMap(({ gpu }) =>
      gpu ? [[gpu.name, Math.round((gpu.memoryMib * 2 ** 20) / 1e9)]] : [],
    ),
  );
}

/** The catalog's files: path below `~/.sky/catalogs/v8`, content. */
export function catalogFiles(): Readonly<Record<string, string>> {
  return {
    'aws/vms.csv': vms(),
    // Where a review says its prices are from.
    'aws/vms.csv.origin': 'made up for the emulated account, whose machines cost nothing\n',
    'aws/images.csv': images(),
    // Without quota codes SkyPilot asks for no quotas.
    'aws/instance_quota_mapping.csv': csv(['InstanceType', 'SpotInstanceCode', 'OnDemandInstanceCode'], []),
    'common/accelerators.csv': accelerators(),
    'common/metadata.csv': acceleratorMemory(),
  };
}
