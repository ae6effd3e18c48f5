import { z } from 'zod';
import { instanceType, region } from '../config/atoms';
import { legacyTags } from './tags';

/**
 * `config.yaml` of aws-spot-deployer and of amauo, its successor, which reads the same keys: `config.yaml.example` and
 * `spot_deployer/core/config.py` in https://github.com/bacalhau-project/aws-spot-deployer; `core/config.py` and
 * `utils/config_validator.py` of amauo 3.0.27 on PyPI, from which the defaults are. Only what is taken over is checked.
 */

const amount = z.number('must be a number; correct it').positive('must be above 0; raise it');

const regionSettings = z.looseObject(
  {
    machine_type: z
      .literal('auto', 'must be auto or an EC2 instance type such as t3.medium; correct it')
      .or(instanceType)
      .optional(),
    image: z
      .string('must be auto or the id of an AMI; correct it')
      .regex(
        /^(auto|latest|ami-[0-9a-f]{8,17})$/,
        'must be auto or an AMI such as ami-0123456789abcdef0; correct it',
      )
      .optional(),
    spot_price_limit: amount.nullish(),
    instance_storage_gb: amount.nullish(),
    tags: legacyTags.nullish(),
  },
  'must be a map of machine_type, image and the like; correct it',
);

const regions = z
  .array(
    z
      .record(region, regionSettings.nullable(), 'must be a map from one region to its settings; correct it')
      .refine((entry) => Object.keys(entry).length === 1, 'must name exactly one region; divide it'),
    'must be a list of regions, each with its settings below it; correct it',
  )
  .min(1, 'must name at least one region; add it')
  .refine(
    (list) => new Set(list.flatMap(Object.keys)).size === list.flatMap(Object.keys).length,
    'must name each region once; remove what is there twice',
  );

const aws = z.looseObject(
  {
    total_instances: z
      .int('must be a whole number; correct it')
      .min(1, 'must be 1 or more, as there is nothing to move otherwise; raise it')
      .optional(),
    files_directory: z.string('must be the path of a folder; correct it').optional(),
    instance_storage_gb: amount.nullish(),
    spot_price_limit: amount.nullish(),
    tags: legacyTags.nullish(),
  },
  'must be a map of settings; correct it',
);

export const legacySchema = z.looseObject({ aws: aws.nullish(), regions });

export type LegacyConfig = z.output<typeof legacySchema>;
export type LegacyRegion = z.output<typeof regionSettings>;

/** The keys that are taken over; others have no counterpart (`withoutCounterpart`), or are unknown. */
export const takenOver = {
  top: Object.keys(legacySchema.shape),
  aws: Object.keys(aws.shape),
  region: Object.keys(regionSettings.shape),
};

/** What the earlier tools do where nothing is written. */
export const legacyDefaults = {
  nodes: 3,
  machineType: 't3.medium',
  image: 'auto',
  diskSizeGiB: 50,
} as const;
