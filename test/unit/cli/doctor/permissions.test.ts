import {
  actionPatterns,
  judgePolicy,
  simulationsOf,
  type Evaluation,
  type Simulation,
  type Surroundings,
} from '../../../../cli/doctor/permissions';
import { operatorPolicies, type Statement } from '../../../../cli/doctor/policy-documents';
import { listed, matches, readPolicy } from '../../../policies';

const surroundings: Surroundings = {
  account: '123456789012',
  region: 'eu-west-1',
  stack: 'organization/skyfleet/dev',
  permissionsBoundary: undefined,
};
const asked = Object.entries(operatorPolicies).flatMap(([policy, document]) =>
  simulationsOf(policy, document, surroundings).map((simulation, index) => ({
    name: `${policy} ${simulation.sid}`,
    simulation,
    statement: document.Statement[index] as Statement,
  })),
);

test('asks about the policies as they stand in the documents', () => {
  for (const [name, document] of Object.entries(operatorPolicies)) expect(document).toEqual(readPolicy(name));
});

describe.each(asked)('$name', ({ simulation, statement }) => {
  test('is asked without placeholders and wildcards', () => {
    const { actions, resources, context } = simulation;
    const texts = [...actions, ...resources, ...context.map(({ value }) => value)];
    expect(texts.filter((text) => /[*?]|ACCOUNT_ID|REGION/.test(text))).toEqual([]);
    expect(actions).not.toEqual([]);
  });

  test('is asked about what it allows, so that the policy itself passes', () => {
    const filled = (pattern: string): string => pattern.replace('ACCOUNT_ID', surroundings.account);
    const patterns = listed(statement.Resource).map(filled);
    for (const resource of simulation.resources) {
      expect(patterns.filter((pattern) => matches(pattern, resource))).not.toEqual([]);
    }
    for (const action of simulation.actions) {
      expect(listed(statement.Action).some((pattern) => matches(pattern, action, 'i'))).toBe(true);
    }
  });

  test('gets a context that fulfils its conditions', () => {
    const value = (key: string): string | undefined =>
      simulation.context.find((one) => one.key === key)?.value;
    for (const [operator, keys] of Object.entries(statement.Condition ?? {})) {
      for (const [key, wanted] of Object.entries(keys)) {
        if (operator.includes('Not')) expect(value(key)).toBeUndefined();
        else {
          const patterns = listed(wanted).map((one) =>
            one.replace('ACCOUNT_ID', surroundings.account).replace(/^REGION$/, surroundings.region),
          );
          expect(patterns.some((pattern) => matches(pattern, value(key) ?? ''))).toBe(true);
        }
      }
    }
  });
});

test('every action with a wildcard stands for actions that it matches', () => {
  const wild = asked
    .flatMap(({ statement }) => listed(statement.Action))
    .filter((action) => action.includes('*'));
  expect([...new Set(wild)]).toEqual(Object.keys(actionPatterns));
  for (const [pattern, actions] of Object.entries(actionPatterns)) {
    expect(actions.every((action) => matches(pattern, action))).toBe(true);
  }
});

test("asks with the stack's own boundary and names", () => {
  const boundary = 'arn:aws:iam::123456789012:policy/own';
  const own = simulationsOf('pulumi-operator-data', readPolicy('pulumi-operator-data'), {
    ...surroundings,
    permissionsBoundary: boundary,
  });
  const grant = own.find(({ sid }) => sid === 'GrantWithinBoundary');
  expect(grant?.context).toEqual([{ key: 'iam:PermissionsBoundary', value: boundary, type: 'string' }]);
  expect(grant?.resources).toEqual(['arn:aws:iam::123456789012:role/skyfleet-dev-doctor']);
  expect(own.find(({ sid }) => sid === 'DataBuckets')?.resources).toEqual([
    'arn:aws:s3:::skyfleet-dev-data-doctor',
  ]);
});

describe('the judgement of a policy', () => {
  const simulation: Simulation = { policy: 'p', sid: 'Look', actions: [], resources: [], context: [] };
  const judged = (...answer: Evaluation[]) => judgePolicy('p', [{ simulation, answer }]);
  const allowed: Evaluation = { EvalActionName: 'ec2:DescribeVpcs', EvalDecision: 'allowed' };
  const denied: Evaluation = { EvalActionName: 'ec2:CreateVpc', EvalDecision: 'implicitDeny' };

  test('is well where all is allowed', () => {
    expect(judged(allowed)).toMatchObject({ state: 'ok', detail: 'all 1 actions are allowed' });
  });

  test('names what is not allowed, and the policy to attach', () => {
    expect(judged(allowed, denied)).toMatchObject({
      state: 'failed',
      detail: 'not allowed: ec2:CreateVpc (Look)',
      remedy: 'attach docs/policies/p.json to the principal, filled in as docs/aws.md says',
    });
  });

  test('takes an action as allowed that is so for one kind of resource, and not for none', () => {
    const forKinds = (...decisions: string[]): Evaluation => ({
      ...denied,
      ResourceSpecificResults: decisions.map((EvalResourceDecision) => ({ EvalResourceDecision })),
    });
    expect(judged(forKinds('implicitDeny', 'allowed')).state).toBe('ok');
    expect(judged(forKinds('implicitDeny', 'explicitDeny')).state).toBe('failed');
  });

  test('cannot tell where it depends on conditions that are not known here, or IAM does not answer', () => {
    expect(judged({ ...denied, MissingContextValues: ['aws:SourceIp'] })).toMatchObject({
      state: 'unknown',
      detail: 'depends on aws:SourceIp: ec2:CreateVpc (Look)',
    });
    expect(judgePolicy('p', [{ simulation, answer: { problem: 'AccessDenied' } }]).state).toBe('unknown');
  });
});
