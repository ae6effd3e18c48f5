/** What a conformance test knows of a type, and what the cases of several types have in common. */
import type { Tag } from '@aws-sdk/client-ec2';
import type { Properties } from '../../../local/plugins/properties';
import type { Ground, Sdk } from './ground';

export interface Case {
  readonly type: string;
  /** Every input but those that exclude one another, which stand in `variants`. */
  readonly inputs: (ground: Ground) => Properties;
  readonly variants?: (ground: Ground) => Properties[];
  /** What AWS's API says, under the names of the inputs; undefined where the resource is gone. */
  readonly actual: (sdk: Sdk, id: string, inputs: Properties) => Promise<Properties | undefined>;
  /** Inputs that only the plugin knows of, so that AWS cannot be asked. */
  readonly kept?: readonly string[];
  /** Inputs that change in place. */
  readonly update?: (ground: Ground) => Properties;
  /** Inputs that replace, one by one. */
  readonly replace: (ground: Ground) => Properties;
  /** Inputs that cannot stand beside the one that replaces. */
  readonly excludes?: Readonly<Record<string, readonly string[]>>;
  readonly deleteBeforeReplace?: boolean;
  /** Somebody else's change, and the input in which it shows. */
  readonly drift?: {
    readonly make: (sdk: Sdk, id: string, inputs: Properties, ground: Ground) => Promise<unknown>;
    readonly shows: string;
  };
  /** What a program reads of it. */
  readonly outputs: readonly string[];
  /** The id for an import, where it is not the resource's own. */
  readonly importId?: (inputs: Properties) => string;
  /** Inputs that an import cannot find out. */
  readonly notImported?: readonly string[];
  /** AWS keeps it when the program no longer wants it. */
  readonly outlives?: boolean;
}

type TagLike = Pick<Tag, 'Key' | 'Value'>;
export const tagsOf = (tags: TagLike[] | undefined) =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
export const text = (value: unknown): string => (typeof value === 'string' ? value : '');
export const gone = async <T>(request: Promise<T>): Promise<T | undefined> => {
  try {
    return await request;
  } catch (error) {
    const absent = /NotFound|NoSuch|NotFoundError/;
    if (error instanceof Error && absent.test(error.name)) return undefined;
    throw error;
  }
};
export const tags = { Name: 'conformance', owner: 'fleet' };
export const otherTags = { Name: 'changed', added: 'yes' };
export const retag = {
  make: ({ ec2 }: Sdk, id: string) =>
    ec2.createTags({ Resources: [id], Tags: [{ Key: 'alien', Value: 'x' }] }),
  shows: 'tags',
};
