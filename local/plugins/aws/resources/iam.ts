import type { Tag } from '@aws-sdk/client-iam';
import { unlessAbsent } from '../clients';
import { flag, json, number, tagMap, type Tags, text } from '../inputs';
import { prefixedName } from '../naming';
import { type Aws, resourceType } from '../resource-type';

const GONE = ['NoSuchEntity', 'NoSuchEntityException'];
const IN_USE = ['DeleteConflict', 'DeleteConflictException'];
const tagged = { tags: tagMap, tagsAll: tagMap };

const tagsOf = (tags: readonly Tag[] | undefined): Tags =>
  Object.fromEntries((tags ?? []).map(({ Key = '', Value = '' }) => [Key, Value]));
const tagList = (tags: Tags | undefined) =>
  Object.entries(tags ?? {}).map(([Key, Value]) => ({ Key, Value }));
const named = { name: text({ computed: true, replaces: true }), namePrefix: text({ replaces: true }) };
const autonamed = (maxLength: number) => ({ property: 'name', prefixProperty: 'namePrefix', maxLength });
const timestamp = (date: Date | undefined) => date?.toISOString().replace('.000Z', 'Z');
/** IAM gives documents back URL-encoded. */
const document = (encoded: string | undefined) =>
  encoded === undefined ? undefined : decodeURIComponent(encoded);

export const role = resourceType({
  global: true,
  inputs: {
    ...tagged,
    ...named,
    assumeRolePolicy: json({ required: true }),
    description: text(),
    forceDetachPolicies: flag({ default: false }),
    maxSessionDuration: number({ default: 3600 }),
    path: text({ default: '/', replaces: true }),
    permissionsBoundary: text(),
  },
  outputs: ['arn', 'createDate', 'uniqueId'],
  autoname: autonamed(64),
  async create(aws, props, created) {
    const iam = await aws.iam();
    const RoleName = props.name ?? prefixedName(props.namePrefix ?? '');
    await iam.createRole({
      RoleName,
      AssumeRolePolicyDocument: props.assumeRolePolicy,
      MaxSessionDuration: props.maxSessionDuration,
      Path: props.path,
      Tags: tagList(props.tagsAll),
      ...(props.description === undefined ? {} : { Description: props.description }),
      ...(props.permissionsBoundary === undefined ? {} : { PermissionsBoundary: props.permissionsBoundary }),
    });
    created(RoleName);
    return RoleName;
  },
  async read(aws, RoleName) {
    const iam = await aws.iam();
    const Role = (await unlessAbsent(GONE, iam.getRole({ RoleName })))?.Role;
    return (
      Role && {
        name: Role.RoleName,
        assumeRolePolicy: document(Role.AssumeRolePolicyDocument),
        description: Role.Description,
        maxSessionDuration: Role.MaxSessionDuration,
        path: Role.Path,
        permissionsBoundary: Role.PermissionsBoundary?.PermissionsBoundaryArn,
        tagsAll: tagsOf(Role.Tags),
        arn: Role.Arn,
        createDate: timestamp(Role.CreateDate),
        uniqueId: Role.RoleId,
      }
    );
  },
  async update(aws, RoleName, { props, changed }) {
    const iam = await aws.iam();
    if (changed('assumeRolePolicy')) {
      await iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: props.assumeRolePolicy });
    }
    if (changed('description', 'maxSessionDuration')) {
      const { description = '', maxSessionDuration } = props;
      await iam.updateRole({ RoleName, Description: description, MaxSessionDuration: maxSessionDuration });
    }
    if (!changed('permissionsBoundary')) return;
    if (props.permissionsBoundary === undefined) await iam.deleteRolePermissionsBoundary({ RoleName });
    else await iam.putRolePermissionsBoundary({ RoleName, PermissionsBoundary: props.permissionsBoundary });
  },
  async tag(aws, RoleName, { set, removed }) {
    const iam = await aws.iam();
    if (removed.length > 0) await iam.untagRole({ RoleName, TagKeys: [...removed] });
    if (Object.keys(set).length > 0) await iam.tagRole({ RoleName, Tags: tagList(set) });
  },
  async delete(aws, RoleName, { forceDetachPolicies }) {
    const iam = await aws.iam();
    const holders = await unlessAbsent(GONE, iam.listInstanceProfilesForRole({ RoleName }));
    for (const { InstanceProfileName } of holders?.InstanceProfiles ?? []) {
      await unlessAbsent(GONE, iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName }));
    }
    if (forceDetachPolicies) await detachPolicies(aws, RoleName);
    await unlessAbsent(
      GONE,
      aws.whileRefused(IN_USE, () => iam.deleteRole({ RoleName })),
    );
  },
});

async function detachPolicies(aws: Aws, RoleName: string): Promise<void> {
  const iam = await aws.iam();
  const attached = await unlessAbsent(GONE, iam.listAttachedRolePolicies({ RoleName }));
  for (const { PolicyArn } of attached?.AttachedPolicies ?? []) {
    await unlessAbsent(GONE, iam.detachRolePolicy({ RoleName, PolicyArn }));
  }
  const inline = await unlessAbsent(GONE, iam.listRolePolicies({ RoleName }));
  for (const PolicyName of inline?.PolicyNames ?? []) {
    await unlessAbsent(GONE, iam.deleteRolePolicy({ RoleName, PolicyName }));
  }
}

/** `ROLE:POLICY` */
function policyAddress(id: string): { RoleName: string; PolicyName: string } {
  const [RoleName = '', PolicyName = ''] = id.split(':');
  return { RoleName, PolicyName };
}

export const rolePolicy = resourceType({
  global: true,
  inputs: { ...named, role: text({ required: true, replaces: true }), policy: json({ required: true }) },
  outputs: [],
  autoname: autonamed(128),
  async create(aws, props, created) {
    const iam = await aws.iam();
    const PolicyName = props.name ?? prefixedName(props.namePrefix ?? '');
    await iam.putRolePolicy({ RoleName: props.role, PolicyName, PolicyDocument: props.policy });
    const id = `${props.role}:${PolicyName}`;
    created(id);
    return id;
  },
  async read(aws, id) {
    const iam = await aws.iam();
    const found = await unlessAbsent(GONE, iam.getRolePolicy(policyAddress(id)));
    return found && { name: found.PolicyName, role: found.RoleName, policy: document(found.PolicyDocument) };
  },
  async update(aws, id, { props }) {
    const iam = await aws.iam();
    await iam.putRolePolicy({ ...policyAddress(id), PolicyDocument: props.policy });
  },
  async delete(aws, id) {
    const iam = await aws.iam();
    await unlessAbsent(GONE, iam.deleteRolePolicy(policyAddress(id)));
  },
});

export const rolePolicyAttachment = resourceType({
  global: true,
  inputs: {
    role: text({ required: true, replaces: true }),
    policyArn: text({ required: true, replaces: true }),
  },
  outputs: [],
  async create(aws, { role: RoleName, policyArn }, created) {
    const iam = await aws.iam();
    await iam.attachRolePolicy({ RoleName, PolicyArn: policyArn });
    const id = `${RoleName}/${policyArn}`;
    created(id);
    return id;
  },
  async read(aws, id) {
    const iam = await aws.iam();
    const [RoleName = '', ...rest] = id.split('/');
    const policyArn = rest.join('/');
    const found = await unlessAbsent(GONE, iam.listAttachedRolePolicies({ RoleName }));
    const attached = found?.AttachedPolicies?.some(({ PolicyArn }) => PolicyArn === policyArn);
    return attached ? { role: RoleName, policyArn } : undefined;
  },
  async delete(aws, _, { role: RoleName, policyArn }) {
    const iam = await aws.iam();
    await unlessAbsent(GONE, iam.detachRolePolicy({ RoleName, PolicyArn: policyArn }));
  },
});

export const instanceProfile = resourceType({
  global: true,
  inputs: { ...tagged, ...named, path: text({ default: '/', replaces: true }), role: text() },
  outputs: ['arn', 'createDate', 'uniqueId'],
  autoname: autonamed(128),
  async create(aws, props, created) {
    const iam = await aws.iam();
    const InstanceProfileName = props.name ?? prefixedName(props.namePrefix ?? '');
    await iam.createInstanceProfile({ InstanceProfileName, Path: props.path, Tags: tagList(props.tagsAll) });
    created(InstanceProfileName);
    if (props.role !== undefined) {
      await iam.addRoleToInstanceProfile({ InstanceProfileName, RoleName: props.role });
    }
    return InstanceProfileName;
  },
  async read(aws, InstanceProfileName) {
    const iam = await aws.iam();
    const profile = (await unlessAbsent(GONE, iam.getInstanceProfile({ InstanceProfileName })))
      ?.InstanceProfile;
    return (
      profile && {
        name: profile.InstanceProfileName,
        path: profile.Path,
        role: profile.Roles?.[0]?.RoleName,
        tagsAll: tagsOf(profile.Tags),
        arn: profile.Arn,
        createDate: timestamp(profile.CreateDate),
        uniqueId: profile.InstanceProfileId,
      }
    );
  },
  async update(aws, InstanceProfileName, { props, olds, changed }) {
    if (!changed('role')) return;
    const iam = await aws.iam();
    if (olds.role !== undefined) {
      await unlessAbsent(
        GONE,
        iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName: olds.role }),
      );
    }
    if (props.role !== undefined) {
      await iam.addRoleToInstanceProfile({ InstanceProfileName, RoleName: props.role });
    }
  },
  async tag(aws, InstanceProfileName, { set, removed }) {
    const iam = await aws.iam();
    if (removed.length > 0) await iam.untagInstanceProfile({ InstanceProfileName, TagKeys: [...removed] });
    if (Object.keys(set).length > 0)
      await iam.tagInstanceProfile({ InstanceProfileName, Tags: tagList(set) });
  },
  async delete(aws, InstanceProfileName) {
    const iam = await aws.iam();
    const found = await unlessAbsent(GONE, iam.getInstanceProfile({ InstanceProfileName }));
    for (const { RoleName } of found?.InstanceProfile?.Roles ?? []) {
      await unlessAbsent(GONE, iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName }));
    }
    await unlessAbsent(GONE, iam.deleteInstanceProfile({ InstanceProfileName }));
  },
});
