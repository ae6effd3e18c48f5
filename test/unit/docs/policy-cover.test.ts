import { actionsOf, matches, uncovered, type Policy, type Statement } from '../../policies';

const policy = (...statements: Partial<Statement>[]): Policy => ({
  Version: '2012-10-17',
  Statement: statements.map((statement) => ({ Effect: 'Allow', Action: [], Resource: '*', ...statement })),
});

describe('uncovered', () => {
  test('names the actions that nothing allows, each once, sorted', () => {
    const given = policy({ Action: 'ec2:RunInstances' });
    expect(
      uncovered(given, ['s3:PutObject', 'ec2:RunInstances', 'ec2:StopInstances', 's3:PutObject']),
    ).toEqual(['ec2:StopInstances', 's3:PutObject']);
  });

  test.each([
    ['s3:Get*', 's3:GetObject', true],
    ['s3:Get*', 's3:PutObject', false],
    ['s3:*Object', 's3:PutObject', true],
    ['s3:*Object', 's3:PutObjectTagging', false],
    ['s3:?etObject', 's3:GetObject', true],
    ['s3:?etObject', 's3:ReetObject', false],
    ['S3:getobject', 's3:GetObject', true],
    ['s3:GetObject', 's3-outposts:GetObject', false],
    ['*', 'iam:CreateUser', true],
  ])('%s and %s: %s', (pattern, action, allowed) => {
    expect(uncovered(policy({ Action: ['sqs:SendMessage', pattern] }), [action])).toEqual(
      allowed ? [] : [action],
    );
  });

  test('takes a pattern literally but for its wildcards', () => {
    expect(matches('arn:aws:s3:::a.b/*', 'arn:aws:s3:::a.b/c')).toBe(true);
    expect(matches('arn:aws:s3:::a.b/*', 'arn:aws:s3:::aXb/c')).toBe(false);
    expect(matches('role/Node', 'role/node')).toBe(false);
  });

  test('judges several policies as one', () => {
    const both = [policy({ Action: 's3:GetObject' }), policy({ Action: 'ec2:Describe*' })];
    expect(uncovered(both, ['s3:GetObject', 'ec2:DescribeVpcs', 'ec2:CreateVpc'])).toEqual(['ec2:CreateVpc']);
  });

  test('counts a Deny of everything, but not one with a condition or for some resources', () => {
    const allow = { Action: 's3:*' };
    const deny: Partial<Statement> = { Effect: 'Deny', Action: 's3:Delete*' };
    const tls = { Bool: { 'aws:SecureTransport': 'false' } };
    expect(uncovered(policy(allow, deny), ['s3:DeleteObject', 's3:GetObject'])).toEqual(['s3:DeleteObject']);
    expect(uncovered(policy(allow, { ...deny, Condition: tls }), ['s3:DeleteObject'])).toEqual([]);
    expect(uncovered(policy(allow, { ...deny, Resource: 'arn:aws:s3:::b/*' }), ['s3:DeleteObject'])).toEqual(
      [],
    );
  });

  test('asks nobody for what AWS allows to all', () => {
    expect(uncovered(policy(), ['sts:GetCallerIdentity', 'sts:AssumeRole'])).toEqual(['sts:AssumeRole']);
  });
});

describe('the actions of a request log', () => {
  test("go by IAM's names where S3's operations have others", () => {
    const requests = ['HeadBucket', 'GetBucketEncryption', 'PutObject', 'DeleteObjects'].map((action) => ({
      service: 's3',
      action,
    }));
    expect(actionsOf(requests)).toEqual([
      's3:DeleteObject',
      's3:DeleteObjectVersion',
      's3:GetEncryptionConfiguration',
      's3:ListBucket',
      's3:PutObject',
    ]);
  });

  test('tell versions of objects from objects', () => {
    const deleted = { service: 's3', action: 'DeleteObject' };
    expect(actionsOf([{ ...deleted, resource: '/b/k?versionId=1' }])).toEqual(['s3:DeleteObjectVersion']);
    expect(actionsOf([{ ...deleted, resource: '/b/k' }])).toEqual(['s3:DeleteObject']);
  });

  test('hold what a launch needs besides its own action', () => {
    const launch = { service: 'ec2', action: 'RunInstances' };
    expect(actionsOf([launch])).toEqual(['ec2:RunInstances']);
    const params = { 'TagSpecification.1.ResourceType': 'instance', 'IamInstanceProfile.Name': 'nodes' };
    expect(actionsOf([{ ...launch, params }])).toEqual([
      'ec2:CreateTags',
      'ec2:RunInstances',
      'iam:PassRole',
    ]);
    expect(actionsOf([{ service: 'iam', action: 'AddRoleToInstanceProfile' }])).toEqual([
      'iam:AddRoleToInstanceProfile',
      'iam:PassRole',
    ]);
  });

  test('leave out requests that were not signed or not understood', () => {
    expect(
      actionsOf([
        { service: null, action: 'ListBuckets' },
        { service: 'ec2', action: null },
      ]),
    ).toEqual([]);
  });
});
