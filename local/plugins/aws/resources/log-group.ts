import type { LogGroup } from '@aws-sdk/client-cloudwatch-logs';
import { unlessAbsent } from '../clients';
import { flag, number, tagMap, text } from '../inputs';
import { prefixedName } from '../naming';
import { type Aws, resourceType } from '../resource-type';

const GONE = ['ResourceNotFoundException'];

async function logGroupOf(aws: Aws, name: string): Promise<LogGroup | undefined> {
  const logs = await aws.logs();
  let nextToken: string | undefined;
  do {
    // A prefix is all that a group can be looked for by.
    const page = await logs.describeLogGroups({
      logGroupNamePrefix: name,
      ...(nextToken === undefined ? {} : { nextToken }),
    });
    const found = page.logGroups?.find(({ logGroupName }) => logGroupName === name);
    if (found !== undefined) return found;
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
  return undefined;
}

/** In the form without `:*` behind it, which tags and other services want. */
const arnOf = (group: LogGroup | undefined): string =>
  (group?.logGroupArn ?? group?.arn ?? '').replace(/:\*$/, '');

async function putRetention(aws: Aws, logGroupName: string, retentionInDays: number): Promise<void> {
  const logs = await aws.logs();
  if (retentionInDays > 0) await logs.putRetentionPolicy({ logGroupName, retentionInDays });
  else await logs.deleteRetentionPolicy({ logGroupName });
}

export const logGroup = resourceType({
  inputs: {
    name: text({ computed: true, replaces: true }),
    namePrefix: text({ replaces: true }),
    // 0: what is logged stays for ever.
    retentionInDays: number({ default: 0 }),
    skipDestroy: flag({ default: false }),
    tags: tagMap,
    tagsAll: tagMap,
  },
  outputs: ['arn'],
  autoname: { property: 'name', prefixProperty: 'namePrefix', maxLength: 255 },
  async create(aws, props, created) {
    const logs = await aws.logs();
    const logGroupName = props.name ?? prefixedName(props.namePrefix ?? '');
    const tags = props.tagsAll ?? {};
    await logs.createLogGroup({ logGroupName, ...(Object.keys(tags).length === 0 ? {} : { tags }) });
    created(logGroupName);
    if (props.retentionInDays > 0) await putRetention(aws, logGroupName, props.retentionInDays);
    return logGroupName;
  },
  async read(aws, name) {
    const group = await logGroupOf(aws, name);
    if (group === undefined) return undefined;
    const logs = await aws.logs();
    const { tags = {} } = await logs.listTagsForResource({ resourceArn: arnOf(group) });
    return { name, retentionInDays: group.retentionInDays ?? 0, tagsAll: tags, arn: arnOf(group) };
  },
  async update(aws, name, { props, changed }) {
    if (changed('retentionInDays')) await putRetention(aws, name, props.retentionInDays);
  },
  async tag(aws, name, { set, removed }) {
    const logs = await aws.logs();
    const resourceArn = arnOf(await logGroupOf(aws, name));
    if (removed.length > 0) await logs.untagResource({ resourceArn, tagKeys: [...removed] });
    if (Object.keys(set).length > 0) await logs.tagResource({ resourceArn, tags: set });
  },
  async delete(aws, logGroupName, { skipDestroy }) {
    if (skipDestroy) return;
    const logs = await aws.logs();
    const remove = () => logs.deleteLogGroup({ logGroupName });
    await unlessAbsent(GONE, aws.whileRefused(['OperationAbortedException'], remove));
  },
});
