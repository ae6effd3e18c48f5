import { z } from 'zod';
import { instanceType, region, zone } from '../config/atoms';
import { parseAccelerator, parseQuantity } from './quantity';
import { legacyTags } from './tags';

/**
 * A SkyPilot task (https://docs.skypilot.co/en/latest/reference/yaml-spec.html), and what the tasks of the wrapper have
 * besides: `num_nodes` and lists of regions under `resources`, which SkyPilot refuses (bacalhau-cluster.yaml and
 * skypilot-deployment/bacalhau-cluster.yaml in https://github.com/bacalhau-project/aws-spot-deployer). Only what is
 * taken over is checked.
 */

const quantity = (example: string) =>
  z
    .union([z.string(), z.number()], `must be an amount such as ${example}; correct it`)
    .refine((text) => parseQuantity(text) !== undefined, `must be an amount such as ${example}; correct it`);

const nodes = z.int('must be a whole number; correct it').min(1, 'must be 1 or more; raise it').nullish();

const amiOrOther = z.string('must be the id of an image; correct it');

const resources = z.looseObject(
  {
    infra: z
      .string('must be a text such as aws/us-west-2; correct it')
      .regex(
        /^aws(\/[^/]+){0,2}$/i,
        'must be aws, aws/<region> or aws/<region>/<zone>: Skyfleet knows AWS alone; correct it',
      )
      .nullish(),
    cloud: z
      .string('must be aws; correct it')
      .regex(/^aws$/i, 'must be aws: Skyfleet knows AWS alone; correct it')
      .nullish(),
    region: z.union([region, z.array(region)], 'must be a region such as us-west-2; correct it').nullish(),
    zone: zone.nullish(),
    instance_type: instanceType.nullish(),
    cpus: quantity('4 or "4+"').nullish(),
    memory: quantity('16 or "16+"').nullish(),
    accelerators: z
      .union(
        [z.string(), z.record(z.string(), z.number().nullable())],
        'must be such as T4 or T4:1; correct it',
      )
      .refine(
        (written) => parseAccelerator(written) !== undefined,
        'must name one kind of accelerator, such as T4:1; leave the others out',
      )
      .nullish(),
    use_spot: z.boolean('must be true or false; correct it').nullish(),
    disk_size: quantity('30').nullish(),
    image_id: z
      .union(
        [amiOrOther, z.record(z.string(), amiOrOther)],
        'must be an image, or a map from regions to images; correct it',
      )
      .nullish(),
    max_hourly_cost: z.number('must be a number; correct it').positive('must be above 0; raise it').nullish(),
    labels: legacyTags.nullish(),
    num_nodes: nodes,
  },
  'must be a map; correct it',
);

export const taskSchema = z
  .looseObject({
    name: z.string('must be a text; correct it').nullish(),
    num_nodes: nodes,
    resources: resources.nullish(),
    file_mounts: z.record(z.string(), z.unknown(), 'must be a map; correct it').nullish(),
    envs: z.record(z.string(), z.unknown(), 'must be a map; correct it').nullish(),
    secrets: z.unknown().optional(),
  })
  .refine(
    ({ num_nodes, resources: its }) =>
      num_nodes == null || its?.num_nodes == null || num_nodes === its.num_nodes,
    { path: ['num_nodes'], error: 'must be what resources.num_nodes says; keep one of them' },
  );

export type SkyTaskFile = z.output<typeof taskSchema>;
export type SkyResources = z.output<typeof resources>;

/** The keys that are taken over or told one by one. */
export const taskKeys = {
  top: Object.keys(taskSchema.shape),
  resources: Object.keys(resources.shape),
};

/**
 * What SkyPilot 0.14 takes where nothing is written: `_DEFAULT_NUM_VCPUS` and `_DEFAULT_MEMORY_CPU_RATIO` in
 * sky/catalog/aws_catalog.py, `DEFAULT_DISK_SIZE_GB` in sky/resources.py.
 */
export const skyDefaults = { cpus: 8, memoryGiB: 32, diskSizeGiB: 256, spot: false } as const;
