import { failed, ok, unknown, type Check } from './check';
import { listed, type Policy, type Statement } from './policy-documents';

/** What the placeholders of the policies stand for (docs/aws.md). */
export interface Surroundings {
  /** Account id. */
  account: string;
  region: string;
  /** Full name of the stack, `organization/project/stack`. */
  stack: string;
  /** ARN of the permissions boundary of the stack's roles; that of the documents where the stack names none. */
  permissionsBoundary: string | undefined;
}

/** A question for IAM's simulator: may these actions be done on these resources, in this context? */
export interface Simulation {
  /** Name of the policy document, and the statement of it that allows it. */
  policy: string;
  sid: string;
  actions: string[];
  resources: string[];
  context: { key: string; value: string; type: 'string' | 'boolean' }[];
}

/**
 * The actions that a pattern with a wildcard stands for, of those that Pulumi's provider asks for: the simulator takes no
 * wildcards.
 */
export const actionPatterns: Readonly<Record<string, readonly string[]>> = {
  's3:GetBucket*': [
    's3:GetBucketAcl',
    's3:GetBucketCORS',
    's3:GetBucketLocation',
    's3:GetBucketLogging',
    's3:GetBucketNotification',
    's3:GetBucketObjectLockConfiguration',
    's3:GetBucketOwnershipControls',
    's3:GetBucketPolicy',
    's3:GetBucketPublicAccessBlock',
    's3:GetBucketRequestPayment',
    's3:GetBucketTagging',
    's3:GetBucketVersioning',
    's3:GetBucketWebsite',
  ],
};

/** Kinds of resources of EC2 for which a statement may say `*`. */
const ec2Kinds = [
  ...['elastic-ip', 'instance', 'internet-gateway', 'natgateway', 'route-table', 'security-group'],
  ...['security-group-rule', 'subnet', 'volume', 'vpc', 'vpc-endpoint', 'vpc-flow-log'],
];

/** An ARN of the kind that a pattern allows, named as the stack names what it makes. */
function examplesOf(pattern: string, { account, region, stack }: Surroundings): string[] {
  const name = stack.split('/').at(-1) ?? stack;
  const kinds = pattern.endsWith(':*/*') ? ec2Kinds.map((kind) => `:${kind}/*`) : [undefined];
  return kinds.map((kind) =>
    (kind === undefined ? pattern : pattern.replace(/:\*\/\*$/, kind))
      .replace('ACCOUNT_ID', account)
      .replace(/^(arn:aws:[^:]+):\*:/, `$1:${region}:`)
      .replace(/skyfleet-\*(?=-)/, `skyfleet-${name}`)
      .replace(/skyfleet-\*/, `skyfleet-${name}-doctor`)
      .replaceAll('*', 'doctor'),
  );
}

/** A value that fulfils a condition on a key. */
function contextValue(key: string, wanted: string, surroundings: Surroundings): string {
  if (key === 'iam:PermissionsBoundary' && surroundings.permissionsBoundary !== undefined) {
    return surroundings.permissionsBoundary;
  }
  if (wanted === 'organization/skyfleet/*') return surroundings.stack;
  return wanted.replace('ACCOUNT_ID', surroundings.account).replace(/^REGION$/, surroundings.region);
}

/** The context in which a statement allows what it allows; what it must not find is left out. */
function contextOf({ Condition = {} }: Statement, surroundings: Surroundings): Simulation['context'] {
  const conditions = Object.entries(Condition)
    .filter(([operator]) => !operator.includes('Not'))
    .flatMap(([operator, keys]) =>
      Object.entries(keys).map(([key, values]) => ({
        key,
        value: contextValue(key, listed(values)[0] ?? '', surroundings),
        type: operator === 'Bool' ? ('boolean' as const) : ('string' as const),
      })),
    );
  return conditions.filter(({ key }, index) => conditions.findIndex((one) => one.key === key) === index);
}

/** What to ask the simulator to find out whether what a policy allows is allowed. */
export function simulationsOf(policy: string, document: Policy, surroundings: Surroundings): Simulation[] {
  return document.Statement.filter(({ Effect }) => Effect === 'Allow').map((statement) => ({
    policy,
    sid: statement.Sid ?? '',
    actions: listed(statement.Action).flatMap((action) => actionPatterns[action] ?? [action]),
    resources: listed(statement.Resource)
      .filter((pattern) => pattern !== '*')
      .flatMap((pattern) => examplesOf(pattern, surroundings)),
    context: contextOf(statement, surroundings),
  }));
}

/** What `aws iam simulate-principal-policy` says of one action. */
export interface Evaluation {
  EvalActionName: string;
  /** `allowed`, `explicitDeny` or `implicitDeny`. */
  EvalDecision: string;
  ResourceSpecificResults?: { EvalResourceDecision: string }[];
  /** Keys of conditions of the principal's policies that the context does not have. */
  MissingContextValues?: string[];
}

/**
 * Whether an action is allowed, on one of the kinds of resources that the statement names at least: most actions do not
 * exist for all of them.
 */
const isAllowed = ({ EvalDecision, ResourceSpecificResults = [] }: Evaluation): boolean =>
  ResourceSpecificResults.length > 0
    ? ResourceSpecificResults.some(({ EvalResourceDecision }) => EvalResourceDecision === 'allowed')
    : EvalDecision === 'allowed';

/** A simulation with what came of it: IAM's answer, or why there is none. */
export interface Simulated {
  simulation: Simulation;
  answer: Evaluation[] | { problem: string };
}

/** What names the right to ask, where IAM does not answer. */
export const simulationRemedy =
  'allow iam:SimulatePrincipalPolicy on the principal itself (docs/doctor.md), or compare its policies with';

/** One policy of the documents: whether all that it allows is allowed. */
export function judgePolicy(policy: string, simulated: readonly Simulated[]): Check {
  const check = `AWS permissions ${policy}`;
  const file = `docs/policies/${policy}.json`;
  const problems = simulated.flatMap(({ answer }) => ('problem' in answer ? [answer.problem] : []));
  if (problems.length > 0) {
    return unknown(check, [...new Set(problems)].join('\n'), `${simulationRemedy} ${file}`);
  }
  const answers = simulated.flatMap(({ simulation, answer }) =>
    'problem' in answer ? [] : answer.map((evaluation) => ({ sid: simulation.sid, evaluation })),
  );
  const denied = answers.filter(({ evaluation }) => !isAllowed(evaluation));
  const open = denied.filter(({ evaluation }) => (evaluation.MissingContextValues ?? []).length > 0);
  const text = (some: typeof denied): string =>
    some.map(({ sid, evaluation }) => `${evaluation.EvalActionName} (${sid})`).join(', ');
  const attach = `attach ${file} to the principal, filled in as docs/aws.md says`;
  if (denied.length > open.length) {
    return failed(check, `not allowed: ${text(denied.filter((one) => !open.includes(one)))}`, attach);
  }
  if (open.length > 0) {
    const keys = [...new Set(open.flatMap(({ evaluation }) => evaluation.MissingContextValues ?? []))];
    return unknown(
      check,
      `depends on ${keys.join(', ')}: ${text(open)}`,
      `compare its policies with ${file}`,
    );
  }
  return ok(check, `all ${answers.length} actions are allowed`);
}
