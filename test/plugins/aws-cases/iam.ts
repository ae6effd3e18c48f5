import { type Case, gone, otherTags, tags, tagsOf, text } from './case';
import { ALLOW, ASSUMED_BY } from './ground';

export const iamCases: readonly Case[] = [
  {
    type: 'aws:iam/role:Role',
    inputs: ({ boundaryArn }) => ({
      name: 'conformance-role',
      assumeRolePolicy: ASSUMED_BY('ec2.amazonaws.com'),
      description: 'a role',
      forceDetachPolicies: true,
      maxSessionDuration: 7200,
      path: '/skyfleet/',
      permissionsBoundary: boundaryArn,
      tags,
    }),
    variants: () => [
      { namePrefix: 'conformance-prefix-', assumeRolePolicy: ASSUMED_BY('ec2.amazonaws.com') },
    ],
    kept: ['forceDetachPolicies'],
    notImported: ['forceDetachPolicies'],
    actual: async ({ iam }, RoleName) => {
      const role = (await gone(iam.getRole({ RoleName })))?.Role;
      return (
        role && {
          name: role.RoleName,
          namePrefix: role.RoleName?.slice(0, -26),
          assumeRolePolicy: decodeURIComponent(role.AssumeRolePolicyDocument ?? ''),
          description: role.Description,
          maxSessionDuration: role.MaxSessionDuration,
          path: role.Path,
          permissionsBoundary: role.PermissionsBoundary?.PermissionsBoundaryArn,
          tags: tagsOf(role.Tags),
        }
      );
    },
    update: ({ otherPolicyArn }) => ({
      assumeRolePolicy: ASSUMED_BY('ssm.amazonaws.com'),
      description: 'changed',
      maxSessionDuration: 3600,
      permissionsBoundary: otherPolicyArn,
      tags: otherTags,
    }),
    replace: () => ({ path: '/other/', name: 'conformance-other-role', namePrefix: 'x-' }),
    excludes: { namePrefix: ['name'] },
    deleteBeforeReplace: true,
    drift: {
      make: ({ iam }, RoleName) =>
        iam.updateAssumeRolePolicy({ RoleName, PolicyDocument: ASSUMED_BY('lambda.amazonaws.com') }),
      shows: 'assumeRolePolicy',
    },
    outputs: ['arn', 'createDate', 'uniqueId'],
  },
  {
    type: 'aws:iam/rolePolicy:RolePolicy',
    inputs: ({ roleName }) => ({ name: 'conformance-policy', role: roleName, policy: ALLOW('s3:GetObject') }),
    variants: ({ roleName }) => [
      { namePrefix: 'conformance-', role: roleName, policy: ALLOW('s3:GetObject') },
    ],
    actual: async ({ iam }, id) => {
      const [RoleName, PolicyName] = id.split(':');
      const found = await gone(iam.getRolePolicy({ RoleName, PolicyName }));
      return (
        found && {
          name: found.PolicyName,
          namePrefix: found.PolicyName?.slice(0, -26),
          role: found.RoleName,
          policy: decodeURIComponent(found.PolicyDocument ?? ''),
        }
      );
    },
    update: () => ({ policy: ALLOW('s3:PutObject') }),
    replace: ({ otherRoleName }) => ({ role: otherRoleName, name: 'conformance-other', namePrefix: 'x-' }),
    excludes: { namePrefix: ['name'] },
    deleteBeforeReplace: true,
    drift: {
      make: ({ iam }, id) => {
        const [RoleName, PolicyName] = id.split(':');
        return iam.putRolePolicy({ RoleName, PolicyName, PolicyDocument: ALLOW('*') });
      },
      shows: 'policy',
    },
    outputs: [],
  },
  {
    type: 'aws:iam/rolePolicyAttachment:RolePolicyAttachment',
    inputs: ({ roleName, boundaryArn }) => ({ role: roleName, policyArn: boundaryArn }),
    actual: async ({ iam }, _, inputs) => {
      const { AttachedPolicies = [] } = await iam.listAttachedRolePolicies({
        RoleName: text(inputs['role']),
      });
      return AttachedPolicies.some(({ PolicyArn }) => PolicyArn === inputs['policyArn'])
        ? { role: inputs['role'], policyArn: inputs['policyArn'] }
        : undefined;
    },
    replace: ({ otherRoleName, otherPolicyArn }) => ({ role: otherRoleName, policyArn: otherPolicyArn }),
    outputs: [],
  },
  {
    type: 'aws:iam/instanceProfile:InstanceProfile',
    inputs: ({ roleName }) => ({ name: 'conformance-profile', path: '/skyfleet/', role: roleName, tags }),
    variants: () => [{ namePrefix: 'conformance-prefix-' }],
    actual: async ({ iam }, InstanceProfileName) => {
      const profile = (await gone(iam.getInstanceProfile({ InstanceProfileName })))?.InstanceProfile;
      return (
        profile && {
          name: profile.InstanceProfileName,
          namePrefix: profile.InstanceProfileName?.slice(0, -26),
          path: profile.Path,
          role: profile.Roles?.[0]?.RoleName,
          tags: tagsOf(profile.Tags),
        }
      );
    },
    update: ({ otherRoleName }) => ({ role: otherRoleName, tags: otherTags }),
    replace: () => ({ path: '/other/', name: 'conformance-other-profile', namePrefix: 'x-' }),
    excludes: { namePrefix: ['name'] },
    deleteBeforeReplace: true,
    drift: {
      make: ({ iam }, InstanceProfileName, inputs) =>
        iam.removeRoleFromInstanceProfile({ InstanceProfileName, RoleName: text(inputs['role']) }),
      shows: 'role',
    },
    outputs: ['arn', 'createDate', 'uniqueId'],
  },
];
