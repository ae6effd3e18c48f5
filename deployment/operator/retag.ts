import { AwsCliError, type AwsCli } from './aws-cli';
import { awsCliOf, type CommandEnvironment } from './command-environment';
import { labelKeys } from './incarnation';

/** An instance or volume with its tags. */
export interface TaggedResource {
  id: string;
  tags: Record<string, string>;
}

/** Tags that some resources get and lose. */
export interface TagChange {
  ids: string[];
  set: Record<string, string>;
  /** Keys. */
  remove: string[];
}

/** Tags of the user's configuration, as it is and as it was. */
export interface ConfiguredTags {
  wanted: Record<string, string>;
  /** Keys that the configuration had when it was last applied. */
  previous: readonly string[];
}

/** Tags by which AWS, SkyPilot or Skyfleet know their own; SkyPilot gives every instance a `Name`. */
const keptKeys = /^(aws:|ray-|skypilot-|skyfleet-|Name$)/;

/** What has to be changed, for all resources that need the same change at once. Nothing for those that are right. */
export function tagChanges(
  resources: readonly TaggedResource[],
  { wanted, previous }: ConfiguredTags,
): TagChange[] {
  const changes = new Map<string, TagChange>();
  for (const { id, tags } of resources) {
    const set = Object.fromEntries(Object.entries(wanted).filter(([key, value]) => tags[key] !== value));
    const remove = previous.filter((key) => key in tags && !(key in wanted) && !keptKeys.test(key));
    if (Object.keys(set).length + remove.length === 0) continue;
    const change = JSON.stringify([set, remove]);
    const same = changes.get(change);
    if (same === undefined) changes.set(change, { ids: [id], set, remove });
    else same.ids.push(id);
  }
  return [...changes.values()];
}

interface AwsTag {
  Key: string;
  Value: string;
}

/** As AWS lists it. */
interface ListedResource {
  id: string;
  tags: AwsTag[];
}

/** The instances and volumes of an incarnation that AWS has not terminated. */
async function resourcesOf(incarnation: string, aws: AwsCli): Promise<TaggedResource[]> {
  const mine = `Name=tag:${labelKeys.incarnation},Values=${incarnation}`;
  const alive = 'Name=instance-state-name,Values=pending,running,stopping,stopped';
  const list = (operation: string, query: string, ...filters: string[]): Promise<ListedResource[]> =>
    aws.ask('ec2', operation, '--query', query, '--filters', mine, ...filters);
  const lists = await Promise.all([
    list('describe-instances', 'Reservations[].Instances[].{id:InstanceId,tags:Tags}', alive),
    list('describe-volumes', 'Volumes[].{id:VolumeId,tags:Tags}'),
  ]);
  return lists
    .flat()
    .map(({ id, tags }) => ({ id, tags: Object.fromEntries(tags.map(({ Key, Value }) => [Key, Value])) }));
}

async function apply({ ids, set, remove }: TagChange, aws: AwsCli): Promise<void> {
  const call = async (operation: string, tags: Partial<AwsTag>[]): Promise<void> => {
    if (tags.length > 0)
      await aws.ask('ec2', operation, '--resources', ...ids, '--tags', JSON.stringify(tags));
  };
  await call(
    'create-tags',
    Object.entries(set).map(([Key, Value]) => ({ Key, Value })),
  );
  await call(
    'delete-tags',
    remove.map((Key) => ({ Key })),
  );
}

/**
 * Brings the AWS tags of an incarnation's instances and volumes to what the configuration says, in place. Tags that the
 * configuration never had stay.
 *
 * @returns the ids of what was changed; nothing is called for the rest.
 * @throws Error naming the cluster and what AWS said.
 */
export async function retag(
  incarnation: string,
  tags: ConfiguredTags,
  environment: CommandEnvironment,
): Promise<string[]> {
  const aws = awsCliOf(environment);
  try {
    const changes = tagChanges(await resourcesOf(incarnation, aws), tags);
    for (const change of changes) await apply(change, aws);
    return changes.flatMap(({ ids }) => ids);
  } catch (error) {
    if (!(error instanceof AwsCliError)) throw error;
    throw new Error(
      `changing the AWS tags of cluster ${incarnation} failed: ${error.message}\n` +
        'Compare your rights with docs/policies/pulumi-operator.json; then run pulumi up again',
      { cause: error },
    );
  }
}
