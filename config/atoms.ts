import { z } from 'zod';
import { cidrOf, rangeOf } from './cidr';

/** Values that the sections of the configuration are made of. */

export const dnsLabel = z
  .string()
  .regex(
    /^[a-z]([a-z0-9-]*[a-z0-9])?$/,
    'must be lower-case letters, digits and hyphens, starting with a letter',
  )
  .max(24, 'must be 24 characters at most, because cluster names are built from it');

export const cidr = z
  .cidrv4('must be an IPv4 CIDR block such as 10.42.0.0/16')
  .refine((block) => !isCidr(block) || cidrOf(rangeOf(block)) === block, {
    error: ({ input }) => `has bits set behind its prefix; write ${cidrOf(rangeOf(input as string))}`,
  });

function isCidr(text: string): boolean {
  return z.cidrv4().safeParse(text).success;
}

/** Address ranges that may use SSH. */
export const sshCidrs = z
  .array(
    cidr.refine(
      (range) => range !== '0.0.0.0/0',
      'must not be open to the world; name the addresses that connect',
    ),
  )
  .min(1, 'must name at least one address range');

export const zone = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d[a-z]$/, 'must be a zone such as us-west-2a');

export const region = z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'must be a region such as us-west-2');

export const instanceType = z
  .string()
  .regex(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, 'must be an EC2 instance type such as t3.medium');

/** A Docker image reference that names a version: a tag other than `latest`, or a digest. */
export const pinnedImage = z
  .string()
  .regex(
    /^[^\s:@]+(:[0-9]+\/[^\s:@]+)?(:(?!latest$)[\w][\w.-]{0,127}|@sha256:[0-9a-f]{64})$/,
    'must name a version: repository:tag (not :latest) or repository@sha256:digest',
  );

const tagKey = z
  .string()
  .regex(
    /^(?!aws:|skyfleet-)\S{1,127}$/,
    'must be a tag key without spaces that does not begin with aws: or skyfleet-',
  );

/** SkyPilot puts the tags on instances and volumes, and takes none with white space (`is_label_valid` of its AWS cloud). */
export const tagMap = z.record(
  tagKey,
  z.string().regex(/^\S{0,255}$/, 'must be a tag value of 255 characters at most, without spaces'),
);

export const tagKeys = z.array(tagKey);

/** Labels that Skyfleet or Bacalhau itself sets on a node (`deployment/node/scripts/generate_bacalhau_config.py`). */
const reservedLabels = new Set(
  'stack fleet place ordinal instance_id region zone sensor_id sensor_type city state gpus accelerator name os_arch os_type'.split(
    ' ',
  ),
);

/** Bacalhau lower-cases label keys, and does not start with a dot in one; values follow Kubernetes' rules. */
export const labelMap = z.record(
  z
    .string()
    .regex(
      /^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$/,
      'must be a label key of lower-case letters, digits, _ and -',
    )
    .refine((key) => !reservedLabels.has(key), 'is set by Skyfleet or Bacalhau itself; use another key'),
  z
    .string()
    .regex(
      /^([A-Za-z0-9]([\w.-]{0,61}[A-Za-z0-9])?)?$/,
      'must be a label value of 63 letters, digits, _, . and - at most',
    ),
);

export const ordinalRange = z.strictObject({
  first: z.int().min(0).max(999_999).describe('First ordinal of the range, inclusive.'),
  last: z.int().min(0).max(999_999).describe('Last ordinal of the range, inclusive.'),
});

/** A limit in minutes. */
export const minutes = z.number().positive().max(240);
