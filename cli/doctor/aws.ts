import { bulkhead } from 'cockatiel';
import { AwsCli, AwsCliError } from '../../deployment/operator/aws-cli';
import type { SkyfleetConfig } from '../../config/schema';
import { failed, messageOf, ok, skipped, unknown, type Check } from './check';
import { homeRegion, principalOf, type CallerIdentity } from './identity';
import {
  judgePolicy,
  simulationRemedy,
  simulationsOf,
  type Evaluation,
  type Simulated,
  type Simulation,
  type Surroundings,
} from './permissions';
import { operatorPolicies } from './policy-documents';

/** Name of what is said of all permissions together. */
const permissions = 'AWS permissions';

/** Simulations that run at once, of all stacks: each is a process that needs a second of a processor. */
const simulations = bulkhead(4, Infinity);

/** Who the credentials are of; no identity where there is none. */
export async function checkCredentials(
  region: string,
  minutes: number,
): Promise<{ check: Check; identity?: CallerIdentity }> {
  try {
    const aws = new AwsCli(homeRegion(region), minutes);
    const identity = await aws.ask<CallerIdentity>('sts', 'get-caller-identity');
    return { check: ok('AWS credentials', identity.Arn), identity };
  } catch (error) {
    const remedy = 'log in (aws sso login, aws configure), or set AWS_PROFILE to a profile that is';
    return { check: failed('AWS credentials', messageOf(error), remedy) };
  }
}

/** Codes with which AWS answers credentials that are good elsewhere, in a region that the account has not enabled. */
const notEnabled = ['AuthFailure', 'OptInRequired', 'UnrecognizedClientException', 'InvalidClientTokenId'];

/** Whether the region is enabled, and has the zones that the network names. */
export async function checkRegion(aws: AwsCli, zones: readonly string[]): Promise<Check> {
  const check = 'AWS region';
  try {
    const { AvailabilityZones } = await aws.ask<{ AvailabilityZones: { ZoneName: string; State: string }[] }>(
      ...['ec2', 'describe-availability-zones'],
    );
    const there = AvailabilityZones.filter(({ State }) => State === 'available').map(
      ({ ZoneName }) => ZoneName,
    );
    const missing = zones.filter((zone) => !there.includes(zone));
    return missing.length === 0
      ? ok(check, `${aws.region} is enabled${zones.length === 0 ? '' : `, with ${zones.join(', ')}`}`)
      : failed(
          check,
          `${aws.region} has no zone ${missing.join(', ')} that is available`,
          `name others in skyfleet:network.zones: ${there.join(', ')}`,
        );
  } catch (error) {
    const code = error instanceof AwsCliError ? error.code : undefined;
    if (code !== undefined && notEnabled.includes(code)) {
      const remedy = `enable it: aws account enable-region --region-name ${aws.region}; or choose another aws:region`;
      return failed(check, `${aws.region} is not enabled for the account: ${messageOf(error)}`, remedy);
    }
    if (code === undefined) {
      return failed(check, messageOf(error), 'correct aws:region, or the way to AWS from here');
    }
    return unknown(
      check,
      messageOf(error),
      'allow ec2:DescribeAvailabilityZones (docs/policies/pulumi-operator.json)',
    );
  }
}

/** The ARN of a role, whose path only IAM knows; the plain one where the role may not be read. */
async function roleArn(aws: AwsCli, role: { name: string; arn: string }): Promise<string> {
  try {
    return (await aws.ask<{ Role: { Arn: string } }>('iam', 'get-role', '--role-name', role.name)).Role.Arn;
  } catch (error) {
    if (error instanceof AwsCliError) return role.arn;
    throw error;
  }
}

async function simulate(aws: AwsCli, principal: string, simulation: Simulation): Promise<Simulated> {
  const { actions, resources, context } = simulation;
  const entries = context.map(({ key, value, type }) => ({
    ContextKeyName: key,
    ContextKeyValues: [value],
    ContextKeyType: type,
  }));
  try {
    const { EvaluationResults } = await aws.ask<{ EvaluationResults: Evaluation[] }>(
      ...['iam', 'simulate-principal-policy', '--policy-source-arn', principal],
      ...['--action-names', ...actions],
      ...(resources.length === 0 ? [] : ['--resource-arns', ...resources]),
      ...(entries.length === 0 ? [] : ['--context-entries', JSON.stringify(entries)]),
    );
    return { simulation, answer: EvaluationResults };
  } catch (error) {
    if (!(error instanceof AwsCliError)) throw error;
    return { simulation, answer: { problem: `IAM does not simulate them: ${error.said}` } };
  }
}

/** Statements that a stack needs only where its configuration says so (docs/aws.md, Whoever runs Pulumi). */
function needed({ sid }: Simulation, config: SkyfleetConfig | undefined): boolean {
  if (config === undefined) return true;
  if (sid === 'EmptyDataBuckets') return config.buckets.onDestroy === 'delete';
  if (sid === 'ListLogGroups' || sid === 'FlowLogGroups') return config.network.flowLogs !== undefined;
  return sid !== 'Orders' || config.fleets.some(({ recovery }) => recovery === 'managed');
}

/** Whether whoever runs Pulumi may do what the policies of the documents allow, by IAM's own simulator. */
export async function checkPermissions(
  aws: AwsCli,
  identity: CallerIdentity,
  stack: string,
  config: SkyfleetConfig | undefined,
): Promise<Check[]> {
  const policies = Object.entries(operatorPolicies);
  const principal = principalOf(identity);
  if (principal.kind === 'none') {
    return [
      unknown(permissions, principal.reason, 'use a user or a role with just these rights (docs/aws.md)'),
    ];
  }
  const arn = principal.kind === 'role' ? await roleArn(aws, principal) : principal.arn;
  const surroundings: Surroundings = {
    ...{ account: identity.Account, region: aws.region, stack },
    permissionsBoundary: config?.governance.permissionsBoundary,
  };
  const questions = policies.flatMap(([policy, document]) =>
    simulationsOf(policy, document, surroundings).filter((one) => needed(one, config)),
  );
  const [first, ...others] = questions;
  if (first === undefined) return [];
  // Whoever may not ask once may not ask at all.
  const answered = await simulate(aws, arn, first);
  if ('problem' in answered.answer) {
    const files = policies.map(([policy]) => `docs/policies/${policy}.json`).join(', ');
    return [unknown(permissions, answered.answer.problem, `${simulationRemedy} ${files}`)];
  }
  const all = [
    answered,
    ...(await Promise.all(others.map((one) => simulations.execute(() => simulate(aws, arn, one))))),
  ];
  return policies.map(([policy]) =>
    judgePolicy(
      policy,
      all.filter(({ simulation }) => simulation.policy === policy),
    ),
  );
}

/** What is said of AWS where it cannot be asked. */
export const awsSkipped = (reason: string): Check[] => [
  skipped('AWS region', reason),
  skipped(permissions, reason),
];
