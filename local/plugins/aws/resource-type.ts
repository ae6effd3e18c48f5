import type { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import type { EC2 } from '@aws-sdk/client-ec2';
import type { IAM } from '@aws-sdk/client-iam';
import type { S3 } from '@aws-sdk/client-s3';
import type { Properties } from '../properties';
import type { Input, Inputs, PropsOf, Tags } from './inputs';

/** AWS as one operation sees it: in the resource's region, until the operation is cancelled or out of time. */
export interface Aws {
  readonly region: string;
  readonly partition: string;
  ec2(): Promise<EC2>;
  iam(): Promise<IAM>;
  logs(): Promise<CloudWatchLogs>;
  s3(): Promise<S3>;
  /** The account's number. */
  account(): Promise<string>;
  /** Asks again, ever more slowly, until the answer is no longer undefined; `what` is for the error. */
  until<T>(what: string, ask: () => Promise<T | undefined>): Promise<T>;
  /** Tries again while AWS refuses with one of `codes`, because what depends on the resource goes away with a delay. */
  whileRefused<T>(codes: readonly string[], request: () => Promise<T>): Promise<T>;
}

export interface TagChange {
  readonly all: Tags;
  readonly set: Tags;
  readonly removed: readonly string[];
}

/** How a name is made of the resource's Pulumi name where the program gives none. */
export interface Autoname {
  readonly property: string;
  /** Given instead of the name by the program; AWS-side name is then made at creation. */
  readonly prefixProperty: string;
  readonly maxLength: number;
  readonly lowerCase?: boolean;
}

export interface Definition<I extends Inputs> {
  readonly inputs: I;
  /** What `read` gives besides the inputs. */
  readonly outputs: readonly string[];
  /** Outputs that AWS makes anew when one of these inputs changes, so that the preview of an update does not know them. */
  readonly renewed?: Readonly<Record<string, readonly (keyof I & string)[]>>;
  readonly autoname?: Autoname;
  /** IAM is one for all regions; everything else takes a `region` of its own. */
  readonly global?: boolean;
  /** How long each operation may take where the program sets no `customTimeouts`. */
  readonly minutes?: number;
  /** Calls `created` as soon as something exists that would be left behind by a failure of the rest. */
  create(aws: Aws, props: PropsOf<I>, created: (id: string) => void): Promise<string>;
  /** The state as AWS tells it, with undefined for what it does not; undefined where the resource is gone. */
  read(aws: Aws, id: string, known: Partial<PropsOf<I>>): Promise<Properties | undefined>;
  update?(aws: Aws, id: string, change: Change<I>): Promise<void>;
  tag?(aws: Aws, id: string, change: TagChange): Promise<void>;
  delete(aws: Aws, id: string, known: Partial<PropsOf<I>>): Promise<void>;
}

export interface Change<I extends Inputs> {
  readonly props: PropsOf<I>;
  readonly olds: Partial<PropsOf<I>>;
  /** Whether any of these inputs is another than before. */
  readonly changed: (...inputs: (keyof I & string)[]) => boolean;
}

/** A definition whose input types have been forgotten, so that a table can hold it. */
export type ResourceType = Omit<
  Definition<Record<string, Input>>,
  'create' | 'read' | 'update' | 'delete'
> & {
  create(aws: Aws, props: Properties, created: (id: string) => void): Promise<string>;
  read(aws: Aws, id: string, known: Properties): Promise<Properties | undefined>;
  update?(
    aws: Aws,
    id: string,
    change: { props: Properties; olds: Properties; changed: (...inputs: string[]) => boolean },
  ): Promise<void>;
  delete(aws: Aws, id: string, known: Properties): Promise<void>;
};

/** Check has made sure that the values have the shape that the handlers are typed with. */
export function resourceType<I extends Inputs>(definition: Definition<I>): ResourceType {
  return definition as unknown as ResourceType;
}
