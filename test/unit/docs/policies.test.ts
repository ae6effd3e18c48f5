import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { nodePolicy } from '../../../components/node-role';
import { labelKeys } from '../../../deployment/operator/incarnation';
import {
  actionsOf,
  listed,
  matches,
  policyFolder,
  readPolicy,
  uncovered,
  type Policy,
  type Statement,
} from '../../policies';

const checkout = path.join(__dirname, '..', '..', '..');
const policies = fs.readdirSync(policyFolder).map((file) => path.basename(file, '.json'));
const statements = policies.flatMap((name) =>
  readPolicy(name).Statement.map((statement) => ({
    name,
    sid: `${name} ${statement.Sid ?? '?'}`,
    statement,
  })),
);

/** Policies that belong to a role, a bucket or a key: they name who may. */
const ofResources = ['github-preview-trust', 'github-up-trust', 'state-bucket', 'state-key'];

/** Actions that are allowed on `*`, by the reason. */
const withoutResource: Record<string, string[]> = {
  'EC2 lists have no resource-level permissions': [
    'ec2:DescribeAddresses',
    'ec2:DescribeAddressesAttribute',
    'ec2:DescribeAvailabilityZones',
    'ec2:DescribeFlowLogs',
    'ec2:DescribeImages',
    'ec2:DescribeInstances',
    'ec2:DescribeInternetGateways',
    'ec2:DescribeNatGateways',
    'ec2:DescribeNetworkAcls',
    'ec2:DescribeNetworkInterfaces',
    'ec2:DescribePrefixLists',
    'ec2:DescribeRegions',
    'ec2:DescribeRouteTables',
    'ec2:DescribeSecurityGroupRules',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSubnets',
    'ec2:DescribeTags',
    'ec2:DescribeVolumes',
    'ec2:DescribeVpcEndpoints',
    'ec2:DescribeVpcs',
  ],
  'What was made and not recorded has to be looked for in all of the account': [
    'iam:ListRoles',
    's3:ListAllMyBuckets',
  ],
  "The channels of Systems Manager's agent have no resource, and its registration comes before there is one":
    [
      'ssm:UpdateInstanceInformation',
      'ssmmessages:CreateControlChannel',
      'ssmmessages:CreateDataChannel',
      'ssmmessages:OpenControlChannel',
      'ssmmessages:OpenDataChannel',
    ],
};

/** In a key's own policy `*` is that key. */
const isKeyItself = ({ Principal, Action }: Statement): boolean =>
  Principal !== undefined && listed(Action).every((action) => action.startsWith('kms:'));

const keysOf = ({ Condition = {} }: Statement): string[] =>
  Object.values(Condition).flatMap((condition) => Object.keys(condition));

const valuesOf = ({ Condition = {} }: Statement, key: string): string[] =>
  Object.values(Condition).flatMap((condition) => listed(condition[key]));

const withAction = (action: string): typeof statements =>
  statements.filter(
    ({ statement: { Effect, Action } }) =>
      Effect === 'Allow' && listed(Action).some((pattern) => matches(pattern, action, 'i')),
  );

describe.each(policies)('the policy %s', (name) => {
  const text = fs.readFileSync(path.join(policyFolder, `${name}.json`), 'utf8');
  const policy = JSON.parse(text) as Policy;

  test('has the grammar of IAM', () => {
    expect(Object.keys(policy)).toEqual(['Version', 'Statement']);
    expect(policy.Version).toBe('2012-10-17');
    const sids = policy.Statement.map(({ Sid }) => Sid);
    expect(new Set(sids).size).toBe(sids.length);
    for (const statement of policy.Statement) {
      expect(statement.Sid).toMatch(/^[A-Za-z0-9]+$/);
      expect(['Allow', 'Deny']).toContain(statement.Effect);
      expect(['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'Condition']).toEqual(
        expect.arrayContaining(Object.keys(statement)),
      );
      expect('Principal' in statement).toBe(ofResources.includes(name));
      expect('Resource' in statement).toBe(!name.endsWith('-trust'));
      for (const action of listed(statement.Action)) expect(action).toMatch(/^[a-z0-9-]+:[A-Za-z*]+$/);
      for (const resource of listed(statement.Resource)) {
        expect(resource).toMatch(/^(\*|arn:aws:[a-z0-9-]+:[A-Z_*]*:(ACCOUNT_ID)?:\S+)$/);
      }
      for (const operator of Object.keys(statement.Condition ?? {})) {
        expect(operator).toMatch(
          /^(ForAllValues:)?(StringEquals|StringNotEquals|StringLike|ArnLike|Bool)(IfExists)?$/,
        );
      }
      for (const key of keysOf(statement)) expect(key).toMatch(/^[a-z0-9.-]+:[A-Za-z]+(\/[a-z:-]+)?$/);
    }
  });

  test('allows no whole service', () => {
    const allowed = policy.Statement.filter(({ Effect }) => Effect === 'Allow');
    for (const action of allowed.flatMap(({ Action }) => listed(Action))) {
      expect(action).not.toMatch(/(^|:)\*$/);
    }
  });

  test('allows on every resource only what AWS ties to none', () => {
    const open = policy.Statement.filter(
      (statement) =>
        statement.Effect === 'Allow' && listed(statement.Resource).includes('*') && !isKeyItself(statement),
    );
    expect(Object.values(withoutResource).flat()).toEqual(
      expect.arrayContaining(open.flatMap(({ Action }) => listed(Action))),
    );
  });

  test("is within AWS's size", () => {
    const limit = name.endsWith('-trust') ? 2048 : 6144;
    expect(text.replace(/\s/g, '').length).toBeLessThanOrEqual(limit);
  });

  test('leaves nothing to fill in that the documents do not explain', () => {
    const explained = ['aws.md', 'ci.md']
      .map((file) => fs.readFileSync(path.join(checkout, 'docs', file), 'utf8'))
      .join('\n');
    const placeholders = new Set(text.match(/\b[A-Z][A-Z_]{4,}\b/g));
    for (const placeholder of placeholders) expect(explained).toContain(`| \`${placeholder}\``);
  });
});

test('every action that stands in the table of those without a resource is used', () => {
  const used = statements
    .filter(({ statement: { Resource } }) => listed(Resource).includes('*'))
    .flatMap(({ statement: { Action } }) => listed(Action));
  expect(used).toEqual(expect.arrayContaining(Object.values(withoutResource).flat()));
});

describe('rights that lead to others', () => {
  const { name: project } = parse(fs.readFileSync(path.join(checkout, 'Pulumi.yaml'), 'utf8')) as {
    name: string;
  };
  /** What Pulumi calls the roles of `components/`: the logical name with a suffix of its own. */
  const role = (logical: string): string => `arn:aws:iam::ACCOUNT_ID:role/${project}-dev-${logical}-1a2b3c4`;
  const peoplesRoles = [
    ...readPolicy('state-key').Statement.flatMap((statement) => valuesOf(statement, 'aws:PrincipalArn')),
    'arn:aws:iam::ACCOUNT_ID:role/admin',
  ];

  test.each(withAction('iam:PassRole'))('$sid passes roles of stacks only, to a named service', (found) => {
    const resources = listed(found.statement.Resource);
    expect(resources.some((pattern) => matches(pattern, role('role')))).toBe(true);
    expect(peoplesRoles).toHaveLength(4);
    for (const other of peoplesRoles) {
      expect(resources.some((pattern) => matches(pattern, other))).toBe(false);
    }
    expect(found.statement.Condition?.['StringEquals']).toHaveProperty(['iam:PassedToService']);
  });

  test.each([...withAction('iam:CreateRole'), ...withAction('iam:PutRolePolicy')])(
    '$sid makes no role without the boundary',
    ({ statement }) => {
      expect(statement.Condition?.['StringEquals']).toEqual({
        'iam:PermissionsBoundary': 'arn:aws:iam::ACCOUNT_ID:policy/skyfleet-node-boundary',
      });
    },
  );

  test('the boundary cannot be taken from a role, nor can a policy be changed', () => {
    for (const action of [
      'iam:DeleteRolePermissionsBoundary',
      'iam:AttachRolePolicy',
      'iam:CreatePolicyVersion',
    ]) {
      expect(withAction(action)).toEqual([]);
    }
  });

  test('roles of people and of CI are out of reach for whoever runs Pulumi', () => {
    const changing = statements.filter(({ name, statement }) => {
      const actions = listed(statement.Action);
      return name.startsWith('pulumi-operator') && actions.some((action) => action.startsWith('iam:'));
    });
    expect(changing.length).toBeGreaterThan(0);
    for (const { statement } of changing) {
      for (const other of peoplesRoles) {
        expect(listed(statement.Resource).some((pattern) => matches(pattern, other))).toBe(false);
      }
    }
  });

  test.each(
    ['RunInstances', 'StartInstances', 'StopInstances', 'TerminateInstances'].flatMap((operation) =>
      withAction(`ec2:${operation}`).map((found) => ({ ...found, operation })),
    ),
  )('$sid allows $operation in named regions only', ({ statement }) => {
    expect(statement.Condition?.['StringEquals']).toMatchObject({ 'aws:RequestedRegion': ['REGION'] });
  });

  test.each(
    statements.filter(({ name, statement: { Action, Resource, Effect } }) => {
      const changes = listed(Action).some((action) => /^ec2:(?!Describe)|^ssm:StartSession/.test(action));
      const free = /:image\/|:document\//.test(listed(Resource).join());
      return Effect === 'Allow' && name !== 'permissions-boundary' && changes && !free;
    }),
  )('$sid is held to the tag of the stacks, or to the moment of creation', ({ statement }) => {
    const tags = keysOf(statement).filter((key) => /(Request|[Rr]esource)Tag\//.test(key));
    expect(tags.map((key) => key.split('/')[1])).toEqual(tags.map(() => labelKeys.stack));
    expect(tags.length > 0 || keysOf(statement).includes('ec2:CreateAction')).toBe(true);
  });

  test.each(['preview', 'up'])('only the environment of %s may take its role', (job) => {
    const [statement] = readPolicy(`github-${job}-trust`).Statement;
    expect(statement?.Condition).toEqual({
      StringEquals: {
        'token.actions.githubusercontent.com:aud': 'sts.amazonaws.com',
        'token.actions.githubusercontent.com:sub': `repo:OWNER/REPOSITORY:environment:skyfleet-${job}`,
      },
    });
  });
});

describe('the policy of the nodes', () => {
  test('fits under the example of a boundary', () => {
    const { Statement } = nodePolicy('arn:aws:s3:::b', 'fleets/', true) as unknown as Policy;
    const actions = Statement.flatMap(({ Action }) => listed(Action));
    expect(actions).toContain('s3:PutObject');
    expect(uncovered(readPolicy('permissions-boundary'), actions)).toEqual([]);
  });
});

describe('what was recorded', () => {
  /** SkyPilot 0.14.1: check, launch, relaunch after a stop, status and down, in a VPC, subnets and a group of its user's. */
  const bySkyPilot = [
    'ec2:CreateTags',
    'ec2:DescribeAvailabilityZones',
    'ec2:DescribeImages',
    'ec2:DescribeInstances',
    'ec2:DescribeRegions',
    'ec2:DescribeRouteTables',
    'ec2:DescribeSecurityGroups',
    'ec2:DescribeSubnets',
    'ec2:DescribeVpcs',
    'ec2:RunInstances',
    'ec2:StartInstances',
    'ec2:StopInstances',
    'ec2:TerminateInstances',
    'iam:PassRole',
    's3:ListAllMyBuckets',
    'servicequotas:GetServiceQuota',
    'sts:GetCallerIdentity',
  ];

  test('of SkyPilot is covered, but for the list of buckets, which only tells SkyPilot whether S3 is there', () => {
    expect(uncovered(readPolicy('skypilot-operator'), bySkyPilot)).toEqual(['s3:ListAllMyBuckets']);
  });

  test('of SkyPilot is all that its policy allows', () => {
    const allowed = readPolicy('skypilot-operator').Statement.flatMap(({ Action }) => listed(Action));
    expect(bySkyPilot).toEqual(expect.arrayContaining(allowed));
  });

  /** What the local plugin calls to make, change and delete every type of the program, by service. */
  const byPulumi = Object.entries({
    ec2: `
      AllocateAddress AssociateRouteTable AttachInternetGateway AuthorizeSecurityGroupEgress
      AuthorizeSecurityGroupIngress CreateFlowLogs CreateInternetGateway CreateNatGateway
      CreateRoute CreateRouteTable CreateSecurityGroup CreateSubnet CreateTags CreateVpc
      CreateVpcEndpoint DeleteFlowLogs DeleteInternetGateway DeleteNatGateway DeleteRoute
      DeleteRouteTable DeleteSecurityGroup DeleteSubnet DeleteTags DeleteVpc DeleteVpcEndpoints
      DescribeAddresses DescribeAvailabilityZones DescribeFlowLogs DescribeInstances
      DescribeInternetGateways DescribeNatGateways DescribeNetworkAcls DescribePrefixLists
      DescribeRouteTables DescribeSecurityGroupRules DescribeSecurityGroups DescribeSubnets
      DescribeVpcAttribute DescribeVpcEndpoints DescribeVpcs DetachInternetGateway
      DisassociateAddress DisassociateRouteTable ModifySecurityGroupRules ModifySubnetAttribute
      ModifyVpcAttribute ModifyVpcEndpoint ReleaseAddress ReplaceRoute ReplaceRouteTableAssociation
      RevokeSecurityGroupEgress RevokeSecurityGroupIngress`,
    iam: `
      AddRoleToInstanceProfile CreateInstanceProfile CreateRole DeleteInstanceProfile DeleteRole
      DeleteRolePolicy GetInstanceProfile GetRole GetRolePolicy ListAttachedRolePolicies
      ListInstanceProfilesForRole ListRolePolicies PassRole PutRolePermissionsBoundary PutRolePolicy
      RemoveRoleFromInstanceProfile TagInstanceProfile TagRole UntagInstanceProfile UntagRole
      UpdateAssumeRolePolicy UpdateRole`,
    logs: `
      CreateLogGroup DeleteLogGroup DeleteRetentionPolicy DescribeLogGroups ListTagsForResource
      PutRetentionPolicy TagResource UntagResource`,
    s3: `
      CreateBucket DeleteBucket DeleteBucketPolicy DeleteObject DeleteObjectVersion
      GetBucketLocation GetBucketObjectLockConfiguration GetBucketOwnershipControls GetBucketPolicy
      GetBucketPublicAccessBlock GetBucketTagging GetBucketVersioning GetEncryptionConfiguration
      GetLifecycleConfiguration GetObject GetObjectTagging ListBucket ListBucketVersions
      PutBucketOwnershipControls PutBucketPolicy PutBucketPublicAccessBlock PutBucketTagging
      PutBucketVersioning PutEncryptionConfiguration PutLifecycleConfiguration PutObject
      PutObjectTagging`,
    sts: 'GetCallerIdentity',
  }).flatMap(([service, operations]) =>
    operations
      .trim()
      .split(/\s+/)
      .map((operation) => `${service}:${operation}`),
  );

  test('of Pulumi is covered by the two halves of its policy, and by neither alone', () => {
    const halves = [readPolicy('pulumi-operator'), readPolicy('pulumi-operator-data')];
    expect(uncovered(halves, byPulumi)).toEqual([]);
    for (const half of halves) expect(uncovered(half, byPulumi)).not.toEqual([]);
  });

  test('of what keeps S3 state is covered, and a preview writes nothing', () => {
    const up = actionsOf(
      ['ListObjectsV2', 'GetObject', 'HeadObject', 'PutObject', 'CopyObject', 'DeleteObject'].map(
        (action) => ({
          service: 's3',
          action,
        }),
      ),
    );
    expect(uncovered(readPolicy('pulumi-state'), [...up, 'kms:Encrypt', 'kms:Decrypt'])).toEqual([]);
    expect(uncovered(readPolicy('pulumi-state-read'), [...up, 'kms:Encrypt', 'kms:Decrypt'])).toEqual([
      'kms:Encrypt',
      's3:DeleteObject',
      's3:PutObject',
    ]);
  });

  test('a preview may read what an update may read, and change nothing', () => {
    const preview = readPolicy('ci-preview').Statement.flatMap(({ Action }) => listed(Action));
    for (const action of preview) expect(action).toMatch(/:(Describe|Get|List)/);
    const update = [readPolicy('pulumi-operator'), readPolicy('pulumi-operator-data')];
    const reads = update
      .flatMap(({ Statement }) => Statement.flatMap(({ Action }) => listed(Action)))
      .filter((action) => /:(Describe|Get|List)/.test(action));
    expect(uncovered(readPolicy('ci-preview'), reads)).toEqual([]);
  });

  /** Resources on which some statement of a policy allows an action. */
  const resourcesOf = (name: string, action: string): string[] =>
    withAction(action)
      .filter((found) => found.name === name)
      .flatMap(({ statement }) => listed(statement.Resource));
  const reaches = (patterns: string[], arn: string): boolean =>
    patterns.some((pattern) => matches(pattern, arn));

  test.each(['ci-preview', 'pulumi-operator-data'])(
    '%s reads what nodes report of themselves, as whoever observes them does',
    (name) => {
      // The real plugin asks for an object of a versioned bucket by its version, and for its tags.
      for (const action of ['s3:GetObject', 's3:GetObjectVersion', 's3:GetObjectTagging']) {
        const report =
          'arn:aws:s3:::skyfleet-dev-data-1a2b3c4/fleets/sensors/health/faults/sensors-0-aaaa.json';
        expect(reaches(resourcesOf(name, action), report)).toBe(true);
        expect(reaches(resourcesOf(name, action), report.replace('/health/', '/sensor/'))).toBe(false);
      }
      expect(reaches(resourcesOf(name, 's3:ListBucket'), 'arn:aws:s3:::skyfleet-dev-data-1a2b3c4')).toBe(
        true,
      );
    },
  );

  test('a preview reads no earlier token', () => {
    const token = 'arn:aws:s3:::skyfleet-dev-data-1a2b3c4/fleets/sensors/credentials/orchestrator-token';
    expect(reaches(resourcesOf('ci-preview', 's3:GetObjectVersion'), token)).toBe(false);
  });

  test.each(['instance/i-0', 'volume/vol-0'])('an update changes the tags of a running %s', (resource) => {
    for (const action of ['ec2:CreateTags', 'ec2:DeleteTags']) {
      const own = withAction(action).filter(
        ({ name, statement }) =>
          name === 'pulumi-operator' && keysOf(statement).includes(`aws:ResourceTag/${labelKeys.stack}`),
      );
      const resources = own.flatMap(({ statement }) => listed(statement.Resource));
      expect(reaches(resources, `arn:aws:ec2:us-west-2:ACCOUNT_ID:${resource}`)).toBe(true);
    }
  });
});
