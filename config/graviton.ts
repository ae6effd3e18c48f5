/** Graviton families by their GiB of memory for each vCPU (https://aws.amazon.com/ec2/instance-types/, generation 7g). */
const gravitonFamilies = [
  { family: 'c7g', gibPerCpu: 2 },
  { family: 'm7g', gibPerCpu: 4 },
  { family: 'r7g', gibPerCpu: 8 },
];

/** Sizes of these families by their vCPUs. */
const gravitonSizes = [
  { size: 'medium', cpus: 1 },
  { size: 'large', cpus: 2 },
  { size: 'xlarge', cpus: 4 },
  { size: '2xlarge', cpus: 8 },
  { size: '4xlarge', cpus: 16 },
  { size: '8xlarge', cpus: 32 },
  { size: '12xlarge', cpus: 48 },
  { size: '16xlarge', cpus: 64 },
];

/**
 * The smallest arm64 type of each family that is large enough, the one with the fewest vCPUs and the least memory first.
 * SkyPilot chooses among x86_64 types only, where it is not told the type.
 */
export function gravitonTypes(cpus: number, memoryGiB: number): string[] {
  return gravitonFamilies
    .flatMap(({ family, gibPerCpu }) => {
      const fitting = gravitonSizes.find((size) => size.cpus >= cpus && size.cpus * gibPerCpu >= memoryGiB);
      return fitting === undefined
        ? []
        : [{ type: `${family}.${fitting.size}`, cpus: fitting.cpus, memory: fitting.cpus * gibPerCpu }];
    })
    .sort((a, b) => a.cpus - b.cpus || a.memory - b.memory)
    .map(({ type }) => type);
}

/**
 * Whether a type is of AWS's own arm64 processors, as far as its name tells: `g` among the letters behind the generation
 * (`t4g`, `c7gn`), and `a1`, which is older than that (https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html).
 */
export function isGraviton(type: string): boolean {
  return /^(a1|[a-z]+\d+[a-z]*g[a-z]*)\./.test(type);
}
