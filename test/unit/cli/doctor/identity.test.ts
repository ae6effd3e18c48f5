import { homeRegion, principalOf } from '../../../../cli/doctor/identity';

const of = (Arn: string) => principalOf({ Account: '123456789012', Arn });

test('a session is judged by the policies of its role, a user by its own', () => {
  expect(of('arn:aws:sts::123456789012:assumed-role/engineers/ann')).toEqual({
    kind: 'role',
    name: 'engineers',
    arn: 'arn:aws:iam::123456789012:role/engineers',
  });
  expect(of('arn:aws-cn:sts::123456789012:assumed-role/engineers/ann')).toMatchObject({
    arn: 'arn:aws-cn:iam::123456789012:role/engineers',
  });
  expect(of('arn:aws:iam::123456789012:user/team/ann')).toEqual({
    kind: 'user',
    arn: 'arn:aws:iam::123456789012:user/team/ann',
  });
});

test.each(['arn:aws:iam::123456789012:root', 'arn:aws:sts::123456789012:federated-user/ann'])(
  'IAM simulates nothing of %s',
  (arn) => {
    expect(of(arn)).toMatchObject({ kind: 'none', reason: expect.stringContaining(arn) as string });
  },
);

test.each([
  ['eu-south-1', 'us-east-1'],
  ['cn-northwest-1', 'cn-north-1'],
  ['us-gov-east-1', 'us-gov-west-1'],
])('credentials for %s are asked for in %s', (region, home) => {
  expect(homeRegion(region)).toBe(home);
});
