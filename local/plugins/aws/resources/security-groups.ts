import type { IpPermission, SecurityGroupRule, SecurityGroupRuleRequest } from '@aws-sdk/client-ec2';
import type { Properties } from '../../properties';
import { unlessAbsent } from '../clients';
import { flag, number, record, set, text } from '../inputs';
import { prefixedName } from '../naming';
import { type Aws, resourceType } from '../resource-type';
import { tagChange } from '../state';
import { arn, IN_USE, tag, tagged, tagsAtCreation, tagsOf } from './ec2';

const GROUP_GONE = ['InvalidGroup.NotFound'];
const RULE_GONE = ['InvalidSecurityGroupRuleId.NotFound', 'InvalidPermission.NotFound', ...GROUP_GONE];

type Direction = 'ingress' | 'egress';

/** The rules inside a group, as its `ingress` and `egress` inputs have them. */
const inlineRules = () =>
  set(
    record({
      protocol: text({ required: true }),
      fromPort: number({ required: true }),
      toPort: number({ required: true }),
      cidrBlocks: set(text()),
      ipv6CidrBlocks: set(text()),
      prefixListIds: set(text()),
      securityGroups: set(text()),
      self: flag(),
      description: text(),
    }),
    { computed: true },
  );

interface Sources {
  cidrBlocks: string[];
  ipv6CidrBlocks: string[];
  prefixListIds: string[];
  securityGroups: string[];
  self: boolean;
}

interface InlineRule extends Partial<Sources> {
  protocol: string;
  fromPort: number;
  toPort: number;
  description?: string;
}

/** One source of one rule, which is what AWS keeps, numbers and revokes. */
interface Flow {
  readonly protocol: string;
  readonly fromPort: number;
  readonly toPort: number;
  readonly source: { readonly kind: keyof Sources; readonly value: string };
  readonly description: string;
}

function protocolOf(protocol: string): string {
  return protocol === 'all' ? '-1' : protocol.toLowerCase();
}

/** Of all protocols together, ports mean nothing. */
function portsOf(protocol: string, from = 0, to = 0): { fromPort: number; toPort: number } {
  return protocol === '-1' ? { fromPort: 0, toPort: 0 } : { fromPort: from, toPort: to };
}

function flowsOf(rules: readonly InlineRule[], groupId: string): Flow[] {
  return rules.flatMap((rule) => {
    const protocol = protocolOf(rule.protocol);
    const { description = '' } = rule;
    const flow = (kind: keyof Sources) => (value: string) => ({
      protocol,
      ...portsOf(protocol, rule.fromPort, rule.toPort),
      source: { kind, value },
      description,
    });
    return [
      ...(rule.cidrBlocks ?? []).map(flow('cidrBlocks')),
      ...(rule.ipv6CidrBlocks ?? []).map(flow('ipv6CidrBlocks')),
      ...(rule.prefixListIds ?? []).map(flow('prefixListIds')),
      ...(rule.securityGroups ?? []).map(flow('securityGroups')),
      ...(rule.self ? [flow('self')(groupId)] : []),
    ];
  });
}

function flowOf(rule: SecurityGroupRule, groupId: string): Flow {
  const protocol = rule.IpProtocol ?? '';
  const group = rule.ReferencedGroupInfo?.GroupId;
  const sources: [keyof Sources, string | undefined][] = [
    ['cidrBlocks', rule.CidrIpv4],
    ['ipv6CidrBlocks', rule.CidrIpv6],
    ['prefixListIds', rule.PrefixListId],
    [group === groupId ? 'self' : 'securityGroups', group],
  ];
  const [kind, value = ''] = sources.find(([, source]) => source !== undefined) ?? ['cidrBlocks'];
  const description = rule.Description ?? '';
  return { protocol, ...portsOf(protocol, rule.FromPort, rule.ToPort), source: { kind, value }, description };
}

function permissionOf({
  protocol,
  fromPort,
  toPort,
  source: { kind, value },
  description,
}: Flow): IpPermission {
  const described = description === '' ? {} : { Description: description };
  const sources: Record<keyof Sources, IpPermission> = {
    cidrBlocks: { IpRanges: [{ CidrIp: value, ...described }] },
    ipv6CidrBlocks: { Ipv6Ranges: [{ CidrIpv6: value, ...described }] },
    prefixListIds: { PrefixListIds: [{ PrefixListId: value, ...described }] },
    securityGroups: { UserIdGroupPairs: [{ GroupId: value, ...described }] },
    self: { UserIdGroupPairs: [{ GroupId: value, ...described }] },
  };
  const ports = protocol === '-1' ? {} : { FromPort: fromPort, ToPort: toPort };
  return { IpProtocol: protocol, ...ports, ...sources[kind] };
}

/** Put together where only the source differs, as the real provider has them. */
function inlineRulesOf(flows: readonly Flow[]): Properties[] {
  const grouped = new Map<string, Properties>();
  for (const { source, description, ...ports } of flows) {
    const key = JSON.stringify([description, ports]);
    const rule = grouped.get(key) ?? { ...ports, ...(description === '' ? {} : { description }) };
    const others = rule[source.kind];
    rule[source.kind] = source.kind === 'self' || [...(Array.isArray(others) ? others : []), source.value];
    grouped.set(key, rule);
  }
  return [...grouped.values()];
}

async function rulesOf(aws: Aws, groupId: string, direction: Direction): Promise<SecurityGroupRule[]> {
  const ec2 = await aws.ec2();
  const { SecurityGroupRules = [] } = await ec2.describeSecurityGroupRules({
    Filters: [{ Name: 'group-id', Values: [groupId] }],
  });
  return SecurityGroupRules.filter(({ IsEgress }) => (IsEgress ?? false) === (direction === 'egress'));
}

/** Makes the group's rules of one direction just these: first revokes what is too much, then adds what is missing. */
async function applyRules(
  aws: Aws,
  GroupId: string,
  direction: Direction,
  rules: readonly InlineRule[],
): Promise<void> {
  const ec2 = await aws.ec2();
  const ingress = direction === 'ingress';
  const wanted = flowsOf(rules, GroupId);
  const present = (await rulesOf(aws, GroupId, direction)).map((rule) => ({
    id: rule.SecurityGroupRuleId ?? '',
    key: JSON.stringify(flowOf(rule, GroupId)),
  }));
  const wantedKeys = wanted.map((flow) => JSON.stringify(flow));
  const surplus = present.filter(({ key }) => !wantedKeys.includes(key)).map(({ id }) => id);
  const lacking = wanted.filter((_, i) => !present.some(({ key }) => key === wantedKeys[i]));
  if (surplus.length > 0) {
    const request = { GroupId, SecurityGroupRuleIds: surplus };
    await (ingress ? ec2.revokeSecurityGroupIngress(request) : ec2.revokeSecurityGroupEgress(request));
  }
  if (lacking.length > 0) {
    const request = { GroupId, IpPermissions: lacking.map(permissionOf) };
    await (ingress ? ec2.authorizeSecurityGroupIngress(request) : ec2.authorizeSecurityGroupEgress(request));
  }
}

async function readGroup(aws: Aws, id: string) {
  const ec2 = await aws.ec2();
  const found = await unlessAbsent(GROUP_GONE, ec2.describeSecurityGroups({ GroupIds: [id] }));
  const group = found?.SecurityGroups?.[0];
  const inline = async (direction: Direction) =>
    inlineRulesOf((await rulesOf(aws, id, direction)).map((rule) => flowOf(rule, id)));
  return (
    group && {
      name: group.GroupName,
      description: group.Description,
      vpcId: group.VpcId,
      ingress: await inline('ingress'),
      egress: await inline('egress'),
      tagsAll: tagsOf(group.Tags),
      arn: arn(aws, group.OwnerId, `security-group/${id}`),
      ownerId: group.OwnerId,
    }
  );
}

export const securityGroup = resourceType({
  inputs: {
    ...tagged,
    name: text({ computed: true, replaces: true }),
    namePrefix: text({ replaces: true }),
    description: text({ default: 'Managed by Pulumi', replaces: true }),
    vpcId: text({ computed: true, replaces: true }),
    ingress: inlineRules(),
    egress: inlineRules(),
    revokeRulesOnDelete: flag({ default: false }),
  },
  outputs: ['arn', 'ownerId'],
  autoname: { property: 'name', prefixProperty: 'namePrefix', maxLength: 255 },
  minutes: 15,
  async create(aws, props, created) {
    const ec2 = await aws.ec2();
    const { GroupId = '' } = await ec2.createSecurityGroup({
      GroupName: props.name ?? prefixedName(props.namePrefix ?? ''),
      Description: props.description,
      ...(props.vpcId === undefined ? {} : { VpcId: props.vpcId }),
      ...tagsAtCreation('security-group', props.tagsAll),
    });
    created(GroupId);
    await applyRules(aws, GroupId, 'ingress', props.ingress ?? []);
    // AWS gives each new group a rule that lets everything out; like the real provider's, ours starts without.
    await applyRules(aws, GroupId, 'egress', props.egress ?? []);
    return GroupId;
  },
  read: readGroup,
  async update(aws, id, { props, changed }) {
    if (changed('ingress')) await applyRules(aws, id, 'ingress', props.ingress ?? []);
    if (changed('egress')) await applyRules(aws, id, 'egress', props.egress ?? []);
  },
  tag,
  async delete(aws, GroupId, { revokeRulesOnDelete }) {
    const ec2 = await aws.ec2();
    if (revokeRulesOnDelete) {
      await unlessAbsent(GROUP_GONE, applyRules(aws, GroupId, 'ingress', []));
      await unlessAbsent(GROUP_GONE, applyRules(aws, GroupId, 'egress', []));
    }
    await unlessAbsent(
      GROUP_GONE,
      aws.whileRefused([...IN_USE, 'InvalidGroup.InUse'], () => ec2.deleteSecurityGroup({ GroupId })),
    );
  },
});

/** Not made, but adopted: the group that AWS gave the VPC, emptied of all rules but those of the program. */
export const defaultSecurityGroup = resourceType({
  inputs: {
    ...tagged,
    vpcId: text({ required: true, replaces: true }),
    ingress: inlineRules(),
    egress: inlineRules(),
  },
  outputs: ['arn', 'description', 'name', 'ownerId'],
  async create(aws, props) {
    const ec2 = await aws.ec2();
    const { SecurityGroups = [] } = await ec2.describeSecurityGroups({
      Filters: [
        { Name: 'group-name', Values: ['default'] },
        { Name: 'vpc-id', Values: [props.vpcId] },
      ],
    });
    const [group] = SecurityGroups;
    const id = group?.GroupId;
    if (id === undefined) throw new Error(`VPC ${props.vpcId} has no default security group`);
    await tag(aws, id, tagChange(tagsOf(group?.Tags), props.tagsAll ?? {}));
    await applyRules(aws, id, 'ingress', props.ingress ?? []);
    await applyRules(aws, id, 'egress', props.egress ?? []);
    return id;
  },
  read: readGroup,
  async update(aws, id, { props, changed }) {
    if (changed('ingress')) await applyRules(aws, id, 'ingress', props.ingress ?? []);
    if (changed('egress')) await applyRules(aws, id, 'egress', props.egress ?? []);
  },
  tag,
  // AWS deletes it with its VPC and refuses to do so before.
  delete: () => Promise.resolve(),
});

interface RuleProps {
  ipProtocol: string;
  fromPort?: number | undefined;
  toPort?: number | undefined;
  cidrIpv4?: string | undefined;
  cidrIpv6?: string | undefined;
  prefixListId?: string | undefined;
  referencedSecurityGroupId?: string | undefined;
  description?: string | undefined;
}

const ruleSources = ({ cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId }: RuleProps) =>
  [cidrIpv4, cidrIpv6, prefixListId, referencedSecurityGroupId].filter((source) => source !== undefined);

function rulePermission(rule: RuleProps): IpPermission {
  if (ruleSources(rule).length !== 1) {
    throw new Error(
      'a security group rule takes one of cidrIpv4, cidrIpv6, prefixListId and referencedSecurityGroupId',
    );
  }
  const Description = rule.description;
  return {
    IpProtocol: protocolOf(rule.ipProtocol),
    ...(rule.fromPort === undefined ? {} : { FromPort: rule.fromPort }),
    ...(rule.toPort === undefined ? {} : { ToPort: rule.toPort }),
    ...(rule.cidrIpv4 === undefined ? {} : { IpRanges: [{ CidrIp: rule.cidrIpv4, Description }] }),
    ...(rule.cidrIpv6 === undefined ? {} : { Ipv6Ranges: [{ CidrIpv6: rule.cidrIpv6, Description }] }),
    ...(rule.prefixListId === undefined
      ? {}
      : { PrefixListIds: [{ PrefixListId: rule.prefixListId, Description }] }),
    ...(rule.referencedSecurityGroupId === undefined
      ? {}
      : { UserIdGroupPairs: [{ GroupId: rule.referencedSecurityGroupId, Description }] }),
  };
}

function ruleRequest(rule: RuleProps): SecurityGroupRuleRequest {
  return {
    IpProtocol: protocolOf(rule.ipProtocol),
    FromPort: rule.fromPort ?? -1,
    ToPort: rule.toPort ?? -1,
    Description: rule.description ?? '',
    ...(rule.cidrIpv4 === undefined ? {} : { CidrIpv4: rule.cidrIpv4 }),
    ...(rule.cidrIpv6 === undefined ? {} : { CidrIpv6: rule.cidrIpv6 }),
    ...(rule.prefixListId === undefined ? {} : { PrefixListId: rule.prefixListId }),
    ...(rule.referencedSecurityGroupId === undefined
      ? {}
      : { ReferencedGroupId: rule.referencedSecurityGroupId }),
  };
}

const securityGroupRule = (direction: Direction) =>
  resourceType({
    inputs: {
      ...tagged,
      securityGroupId: text({ required: true, replaces: true }),
      ipProtocol: text({ required: true }),
      fromPort: number(),
      toPort: number(),
      cidrIpv4: text(),
      cidrIpv6: text(),
      prefixListId: text(),
      referencedSecurityGroupId: text(),
      description: text(),
    },
    outputs: ['arn', 'securityGroupRuleId'],
    async create(aws, props, created) {
      const ec2 = await aws.ec2();
      const request = {
        GroupId: props.securityGroupId,
        IpPermissions: [rulePermission(props)],
        ...tagsAtCreation('security-group-rule', props.tagsAll),
      };
      const { SecurityGroupRules = [] } = await (direction === 'ingress'
        ? ec2.authorizeSecurityGroupIngress(request)
        : ec2.authorizeSecurityGroupEgress(request));
      const id = SecurityGroupRules[0]?.SecurityGroupRuleId ?? '';
      created(id);
      return id;
    },
    async read(aws, id) {
      const ec2 = await aws.ec2();
      const request = ec2.describeSecurityGroupRules({ SecurityGroupRuleIds: [id] });
      const rule = (await unlessAbsent(RULE_GONE, request))?.SecurityGroupRules?.[0];
      const port = (value: number | undefined) => (rule?.IpProtocol === '-1' ? undefined : value);
      return (
        rule && {
          securityGroupId: rule.GroupId,
          ipProtocol: rule.IpProtocol,
          fromPort: port(rule.FromPort),
          toPort: port(rule.ToPort),
          cidrIpv4: rule.CidrIpv4,
          cidrIpv6: rule.CidrIpv6,
          prefixListId: rule.PrefixListId,
          referencedSecurityGroupId: rule.ReferencedGroupInfo?.GroupId,
          description: rule.Description,
          tagsAll: tagsOf(rule.Tags),
          arn: arn(aws, rule.GroupOwnerId, `security-group-rule/${id}`),
          securityGroupRuleId: id,
        }
      );
    },
    async update(aws, id, { props, changed }) {
      const parts = ['ipProtocol', 'fromPort', 'toPort', 'description'] as const;
      const sources = ['cidrIpv4', 'cidrIpv6', 'prefixListId', 'referencedSecurityGroupId'] as const;
      if (!changed(...parts, ...sources)) return;
      const ec2 = await aws.ec2();
      await ec2.modifySecurityGroupRules({
        GroupId: props.securityGroupId,
        SecurityGroupRules: [{ SecurityGroupRuleId: id, SecurityGroupRule: ruleRequest(props) }],
      });
    },
    tag,
    async delete(aws, id, { securityGroupId }) {
      const ec2 = await aws.ec2();
      const request = { GroupId: securityGroupId, SecurityGroupRuleIds: [id] };
      await unlessAbsent(
        RULE_GONE,
        direction === 'ingress'
          ? ec2.revokeSecurityGroupIngress(request)
          : ec2.revokeSecurityGroupEgress(request),
      );
    },
  });

export const securityGroupIngressRule = securityGroupRule('ingress');
export const securityGroupEgressRule = securityGroupRule('egress');
