import * as fs from 'node:fs';
import * as path from 'node:path';
import { policyRuleNames, policyRules } from '../../../config/policy-rules';
import { emptyPlan, examples } from '../../../review/policy/examples';
import type { Plan } from '../../../review/policy/plan';
import { judge } from '../../../review/policy/policy';
import { policyReference } from '../../../review/policy/reference';
import { isPinned, rules } from '../../../review/policy/rules';

const plan = (part: Partial<Plan>): Plan => ({ ...emptyPlan, ...part });
const resource = (type: string, inputs: Record<string, unknown>): Plan['resources'][number] => ({
  name: 'it',
  type,
  inputs,
  from: {},
});

describe.each(policyRuleNames)('%s', (rule) => {
  test('finds nothing in its good example', () => {
    expect(rules[rule](plan(examples[rule].good))).toEqual([]);
  });

  test('finds its bad example, and says what to do', () => {
    const found = rules[rule](plan(examples[rule].bad));
    expect(found).not.toEqual([]);
    for (const { resource: about, what, remedy } of found) {
      expect([about, what, remedy].every((text) => text !== '')).toBe(true);
    }
  });
});

test('docs/policy.md shows the rules as they are', () => {
  const file = path.join(__dirname, '../../../docs/policy.md');
  expect(fs.readFileSync(file, 'utf8')).toBe(policyReference());
});

test('no rule finds anything in an empty plan', () => {
  expect(policyRuleNames.flatMap((rule) => rules[rule](emptyPlan))).toEqual([]);
});

describe('a judgement', () => {
  const bad = plan({
    ...examples['on-demand-for-spot'].bad,
    resources: examples['open-to-world'].bad.resources ?? [],
  });

  test('has the errors first', () => {
    const { findings } = judge(bad, {});
    expect(findings.map(({ rule, severity }) => `${rule}: ${severity}`)).toEqual([
      'open-to-world: error',
      'missing-tags: error',
      'on-demand-for-spot: warning',
    ]);
  });

  test('goes by the severities of the stack file, and tells them with their reasons', () => {
    const reason = 'the bastion is to be reached from anywhere';
    const { findings, settings } = judge(bad, {
      'open-to-world': { severity: 'warning', reason },
      'missing-tags': { severity: 'off', reason: 'tags come with the account' },
    });
    expect(findings.map(({ rule, severity }) => `${rule}: ${severity}`)).toEqual([
      'open-to-world: warning',
      'on-demand-for-spot: warning',
    ]);
    expect(settings).toContainEqual({ rule: 'open-to-world', severity: 'warning', reason });
  });

  test('leaves out what is off from the start', () => {
    expect(policyRules['unpinned-machine-image'].severity).toBe('off');
    expect(judge(plan(examples['unpinned-machine-image'].bad), {}).findings).toEqual([]);
  });

  test('names the policies that are known only after the up', () => {
    const unknown = resource('aws:iam/rolePolicy:RolePolicy', {
      policy: '04da6b54-80e4-46f7-96ec-b56ff0331ba9',
    });
    expect(judge(plan({ resources: [unknown] }), {})).toMatchObject({
      findings: [],
      unchecked: ['the policy of it'],
    });
  });
});

describe('open-to-world', () => {
  test.each([
    ['aws:ec2/securityGroup:SecurityGroup', { ingress: [{ ipv6CidrBlocks: ['::/0'] }] }],
    ['aws:ec2/defaultSecurityGroup:DefaultSecurityGroup', { ingress: [{ cidrBlocks: ['0.0.0.0/0'] }] }],
    ['aws:ec2/securityGroupRule:SecurityGroupRule', { type: 'ingress', cidrBlocks: ['0.0.0.0/0'] }],
    ['aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule', { cidrIpv6: '::/0' }],
  ])('finds it in %s', (type, inputs) => {
    expect(rules['open-to-world'](plan({ resources: [resource(type, inputs)] }))).toEqual([
      expect.objectContaining({ what: 'every port is open to every address' }),
    ]);
  });

  test('has nothing against a way out', () => {
    const out = resource('aws:ec2/securityGroupRule:SecurityGroupRule', {
      type: 'egress',
      cidrBlocks: ['0.0.0.0/0'],
    });
    expect(rules['open-to-world'](plan({ resources: [out] }))).toEqual([]);
  });
});

describe('wildcard-iam', () => {
  const found = (statement: Record<string, unknown>): string[] => {
    const policy = JSON.stringify({ Statement: [statement] });
    return rules['wildcard-iam'](plan({ resources: [resource('aws:iam/policy:Policy', { policy })] })).map(
      ({ what }) => what,
    );
  };

  test.each<[string, Record<string, unknown>, string[]]>([
    ['every action', { Effect: 'Allow', Action: '*', Resource: 'x' }, ['allows *']],
    [
      'every resource',
      { Effect: 'Allow', Action: ['ec2:RunInstances'], Resource: '*' },
      ['allows ec2:RunInstances on every resource'],
    ],
    [
      'everybody',
      { Effect: 'Allow', Action: 's3:GetObject', Resource: 'x', Principal: { AWS: ['*'] } },
      ['allows everybody'],
    ],
    [
      'what AWS has no resource for',
      { Effect: 'Allow', Action: ['ssmmessages:OpenDataChannel'], Resource: '*' },
      [],
    ],
    ['a refusal', { Effect: 'Deny', Action: 's3:*', Resource: '*', Principal: '*' }, []],
  ])('%s', (_, statement, expected) => {
    expect(found(statement)).toEqual(expected);
  });
});

describe('plain-token', () => {
  const inConfig = (config: Record<string, unknown>): string[] =>
    rules['plain-token'](plan({ config })).map(({ resource: where, what }) => `${where}: ${what}`);

  test('knows credentials by their form, wherever they stand', () => {
    expect(
      inConfig({ 'skyfleet:fleets': [{ labels: { a: 'AKIAIOSFODNN7EXAMPLE' } }], 'aws:region': 'us-west-2' }),
    ).toEqual(['skyfleet:fleets[0].labels.a: an AWS access key in plain text']);
  });

  test('knows secrets by the names of their keys', () => {
    expect(inConfig({ 'aws:secretKey': 'x', 'skyfleet:orchestratorToken': 'y', 'x:tokenKey': '' })).toEqual([
      'skyfleet:orchestratorToken: a secret in plain text',
    ]);
  });

  test('looks into the files that nodes get', () => {
    const files = { 'scripts/a.sh': 'K="-----BEGIN RSA PRIVATE KEY-----"\n' };
    expect(rules['plain-token'](plan({ files }))).toEqual([
      expect.objectContaining({ resource: 'scripts/a.sh', what: 'a private key in plain text' }),
    ]);
  });
});

test('a gateway is in vain where no node has a private address only, and a single one serves every zone', () => {
  const { places = [], resources = [] } = examples['nat-without-need'].good;
  const outside = places.map((one) => ({ ...one, skypilot: { aws: { use_internal_ips: false } } }));
  expect(rules['nat-without-need'](plan({ places: outside, resources }))).toEqual([
    expect.objectContaining({ what: 'no node has a private address only' }),
  ]);
});

test.each([
  ['example.com/a:1.2', true],
  ['example.com:5000/a', false],
  ['a@sha256:00', true],
  ['a:latest', false],
  ['a', false],
])('%s: pinned is %s', (image, pinned) => {
  expect(isPinned(image)).toBe(pinned);
});
