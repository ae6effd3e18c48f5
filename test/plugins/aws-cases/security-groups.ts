import type { SecurityGroupRule } from '@aws-sdk/client-ec2';
import { type Case, gone, otherTags, tags, tagsOf, text } from './case';
import type { Ground, Sdk } from './ground';

const inline = (rules: SecurityGroupRule[], egress: boolean) =>
  rules
    .filter(({ IsEgress }) => (IsEgress ?? false) === egress)
    .map((rule) => ({
      protocol: rule.IpProtocol,
      fromPort: rule.IpProtocol === '-1' ? 0 : rule.FromPort,
      toPort: rule.IpProtocol === '-1' ? 0 : rule.ToPort,
      cidrBlocks: rule.CidrIpv4 === undefined ? undefined : [rule.CidrIpv4],
      ipv6CidrBlocks: rule.CidrIpv6 === undefined ? undefined : [rule.CidrIpv6],
      prefixListIds: rule.PrefixListId === undefined ? undefined : [rule.PrefixListId],
      securityGroups:
        rule.ReferencedGroupInfo?.GroupId === undefined ? undefined : [rule.ReferencedGroupInfo.GroupId],
      description: rule.Description === '' ? undefined : rule.Description,
    }));

const group = async ({ ec2 }: Sdk, id: string) => {
  const found = (await gone(ec2.describeSecurityGroups({ GroupIds: [id] })))?.SecurityGroups?.[0];
  if (found === undefined) return undefined;
  const { SecurityGroupRules = [] } = await ec2.describeSecurityGroupRules({
    Filters: [{ Name: 'group-id', Values: [id] }],
  });
  return {
    name: found.GroupName,
    namePrefix: found.GroupName?.slice(0, -26),
    description: found.Description,
    vpcId: found.VpcId,
    ingress: inline(SecurityGroupRules, false),
    egress: inline(SecurityGroupRules, true),
    tags: tagsOf(found.Tags),
  };
};

/** moto forgets the description of a rule whose source is a group or a prefix list, so those have none. */
const groupRules = (ground: Ground) => ({
  ingress: [
    { protocol: 'tcp', fromPort: 22, toPort: 22, cidrBlocks: ['10.0.0.0/8'], description: 'ssh' },
    { protocol: 'udp', fromPort: 53, toPort: 54, ipv6CidrBlocks: ['fd00::/8'], description: 'dns' },
    { protocol: 'tcp', fromPort: 80, toPort: 80, securityGroups: [ground.groupId] },
    { protocol: 'tcp', fromPort: 443, toPort: 443, prefixListIds: [ground.prefixListId] },
  ],
  egress: [{ protocol: '-1', fromPort: 0, toPort: 0, cidrBlocks: ['0.0.0.0/0'], description: 'all' }],
});

const otherGroupRules = {
  ingress: [
    { protocol: 'tcp', fromPort: 2222, toPort: 2222, cidrBlocks: ['10.1.0.0/16'], description: 'other' },
  ],
  egress: [{ protocol: 'tcp', fromPort: 443, toPort: 443, cidrBlocks: ['0.0.0.0/0'], description: 'https' }],
};

const openToTheWorld = {
  make: ({ ec2 }: Sdk, id: string) =>
    ec2.authorizeSecurityGroupIngress({
      GroupId: id,
      IpPermissions: [
        { IpProtocol: 'tcp', FromPort: 1234, ToPort: 1234, IpRanges: [{ CidrIp: '0.0.0.0/0' }] },
      ],
    }),
  shows: 'ingress',
};

const ruleCase = (direction: 'Ingress' | 'Egress'): Case => ({
  type: `aws:vpc/securityGroup${direction}Rule:SecurityGroup${direction}Rule`,
  inputs: (ground) => ({
    securityGroupId: ground.groupId,
    ipProtocol: 'tcp',
    fromPort: 7000,
    toPort: 7010,
    cidrIpv4: '10.3.0.0/16',
    description: 'a rule',
    tags,
  }),
  variants: (ground) => [
    { securityGroupId: ground.groupId, ipProtocol: '-1', cidrIpv6: 'fd01::/16' },
    {
      securityGroupId: ground.groupId,
      ipProtocol: 'udp',
      fromPort: 5,
      toPort: 6,
      prefixListId: ground.prefixListId,
    },
    {
      securityGroupId: ground.groupId,
      ipProtocol: 'tcp',
      fromPort: 7,
      toPort: 8,
      referencedSecurityGroupId: ground.otherGroupId,
    },
  ],
  actual: async ({ ec2 }, id) => {
    const request = ec2.describeSecurityGroupRules({ SecurityGroupRuleIds: [id] });
    const rule = (await gone(request))?.SecurityGroupRules?.find(
      ({ SecurityGroupRuleId }) => SecurityGroupRuleId === id,
    );
    return (
      rule && {
        securityGroupId: rule.GroupId,
        ipProtocol: rule.IpProtocol,
        fromPort: rule.FromPort,
        toPort: rule.ToPort,
        cidrIpv4: rule.CidrIpv4,
        cidrIpv6: rule.CidrIpv6,
        prefixListId: rule.PrefixListId,
        referencedSecurityGroupId: rule.ReferencedGroupInfo?.GroupId,
        description: rule.Description,
        tags: tagsOf(rule.Tags),
      }
    );
  },
  update: () => ({
    fromPort: 7001,
    toPort: 7011,
    cidrIpv4: '10.4.0.0/16',
    description: 'changed',
    tags: otherTags,
  }),
  replace: (ground) => ({ securityGroupId: ground.otherGroupId }),
  drift: {
    make: ({ ec2 }, id, inputs) =>
      ec2.modifySecurityGroupRules({
        GroupId: text(inputs['securityGroupId']),
        SecurityGroupRules: [
          {
            SecurityGroupRuleId: id,
            SecurityGroupRule: {
              IpProtocol: 'tcp',
              FromPort: 7001,
              ToPort: 7011,
              CidrIpv4: '0.0.0.0/0',
              Description: 'changed',
            },
          },
        ],
      }),
    shows: 'cidrIpv4',
  },
  outputs: ['arn', 'securityGroupRuleId'],
});

export const securityGroupCases: readonly Case[] = [
  {
    type: 'aws:ec2/securityGroup:SecurityGroup',
    inputs: (ground) => ({
      name: 'conformance-group',
      description: 'a group',
      vpcId: ground.vpcId,
      ...groupRules(ground),
      revokeRulesOnDelete: true,
      tags,
    }),
    variants: ({ vpcId }) => [{ vpcId, namePrefix: 'conformance-prefix-' }],
    kept: ['revokeRulesOnDelete'],
    notImported: ['revokeRulesOnDelete'],
    actual: group,
    update: () => ({ ...otherGroupRules, tags: otherTags }),
    replace: ({ otherVpcId }) => ({
      vpcId: otherVpcId,
      description: 'another',
      name: 'conformance-other-group',
      namePrefix: 'conformance-prefix-',
    }),
    excludes: { namePrefix: ['name'] },
    deleteBeforeReplace: true,
    drift: openToTheWorld,
    outputs: ['arn', 'ownerId'],
  },
  {
    type: 'aws:ec2/defaultSecurityGroup:DefaultSecurityGroup',
    inputs: (ground) => ({ vpcId: ground.vpcId, ...groupRules(ground), tags }),
    variants: ({ vpcId }) => [{ vpcId, ingress: [], egress: [] }],
    actual: group,
    update: () => ({ ...otherGroupRules, tags: otherTags }),
    replace: ({ otherVpcId }) => ({ vpcId: otherVpcId }),
    drift: openToTheWorld,
    outputs: ['arn', 'description', 'name', 'ownerId'],
    outlives: true,
  },
  ruleCase('Ingress'),
  ruleCase('Egress'),
];
