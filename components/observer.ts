import * as aws from '@pulumi/aws';
import type { Sources } from '../deployment/operator/observe';
import { labelKeys } from '../deployment/operator/incarnation';

/** More keys than a stack can have nodes with a fault; the plugin gives a thousand where nothing is said. */
const mostKeys = 100_000;

export interface AwsSourcesArgs {
  /** Full name of the stack, which its instances carry as a tag. */
  stack: string;
  /** AWS region. */
  region: string;
  /** Name of the data bucket, as it is recorded. */
  bucket: string;
}

export type AwsSources = Pick<Sources, 'instances' | 'bucket'>;

/** AWS as the program asks it while it runs, in previews too: by invokes, which use the provider's own credentials. */
export function awsSources({ stack, region, bucket }: AwsSourcesArgs): AwsSources {
  return {
    instances: async (states) => {
      const { ids } = await aws.ec2.getInstances({
        instanceTags: { [labelKeys.stack]: stack },
        instanceStateNames: [...states],
        region,
      });
      return ids;
    },
    bucket: {
      list: async (prefix) => {
        const { keys } = await aws.s3.getObjects({ bucket, prefix, maxKeys: mostKeys, region });
        return keys;
      },
      read: async (key) => (await aws.s3.getObject({ bucket, key, region })).body,
    },
  };
}
