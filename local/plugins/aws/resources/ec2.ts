/** What all of EC2 has in common: tags, names, and when something cannot go yet. */
import type { ResourceType as Ec2Type, Tag, TagSpecification } from '@aws-sdk/client-ec2';
import { type Tags, tagMap } from '../inputs';
import type { Aws, TagChange } from '../resource-type';

/** Inputs of everything that EC2 tags; `tagsAll` has the provider's default tags in it. */
export const tagged = { tags: tagMap, tagsAll: tagMap };

export function tagsAtCreation(
  type: Ec2Type,
  tags: Tags | undefined,
): { TagSpecifications?: TagSpecification[] } {
  const Tags = Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
  return Tags.length === 0 ? {} : { TagSpecifications: [{ ResourceType: type, Tags }] };
}

export function tagsOf(tags: readonly Tag[] | undefined): Tags {
  const own = (tags ?? []).filter(({ Key }) => !Key?.startsWith('aws:'));
  return Object.fromEntries(own.map(({ Key = '', Value = '' }) => [Key, Value]));
}

export async function tag(aws: Aws, id: string, { set, removed }: TagChange): Promise<void> {
  const ec2 = await aws.ec2();
  if (removed.length > 0) await ec2.deleteTags({ Resources: [id], Tags: removed.map((Key) => ({ Key })) });
  const Tags = Object.entries(set).map(([Key, Value]) => ({ Key, Value }));
  if (Tags.length > 0) await ec2.createTags({ Resources: [id], Tags });
}

export function arn(aws: Aws, owner: string | undefined, resource: string): string {
  return `arn:${aws.partition}:ec2:${aws.region}:${owner ?? ''}:${resource}`;
}

/** What AWS cannot delete yet, because what depends on it is still going away. */
export const IN_USE = ['DependencyViolation'];
