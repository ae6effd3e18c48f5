import { labelKeys } from '../../deployment/operator/incarnation';
import { AwsCliError, type AwsCli } from '../../deployment/operator/aws-cli';
import type { SkyfleetConfig } from '../../config/schema';
import { failed, unknown, type Check } from './check';
import { judgeQuota, needUnknown, vcpuCheck, type QuotaAnswer } from './quota';
import { vpcQuota } from './quota-codes';
import {
  addedUp,
  firstType,
  needOf,
  usedByOthers,
  type CountedInstance,
  type Need,
  type TypeCpus,
} from './vcpus';

async function quotaOf(aws: AwsCli, service: string, code: string): Promise<QuotaAnswer> {
  try {
    const { Quota } = await aws.ask<{ Quota: { Value: number } }>(
      ...['service-quotas', 'get-service-quota', '--service-code', service, '--quota-code', code],
    );
    return { value: Quota.Value };
  } catch (error) {
    if (error instanceof AwsCliError) return { problem: error.said };
    throw error;
  }
}

/** The machines of the account in the region that quotas count. */
async function countedInstances(aws: AwsCli): Promise<CountedInstance[]> {
  const query = `Reservations[].Instances[].{type: InstanceType, life: InstanceLifecycle, stack: Tags[?Key=='${labelKeys.stack}'] | [0].Value}`;
  const instances = await aws.ask<{ type: string; life: string | null; stack: string | null }[]>(
    ...['ec2', 'describe-instances', '--filters', 'Name=instance-state-name,Values=pending,running'],
    ...['--query', query],
  );
  return instances.map(({ type, life, stack }) => ({
    type,
    spot: life === 'spot',
    stack: stack ?? undefined,
  }));
}

/** vCPUs of those of the types that the region offers. */
async function typeCpus(aws: AwsCli, types: readonly string[]): Promise<TypeCpus> {
  if (types.length === 0) return new Map();
  const described = await aws.ask<{ type: string; cpus: number }[]>(
    // A filter takes names that the region does not know, where `--instance-types` refuses the whole call.
    ...['ec2', 'describe-instance-types', '--filters', `Name=instance-type,Values=${types.join(',')}`],
    ...['--query', 'InstanceTypes[].{type: InstanceType, cpus: VCpuInfo.DefaultVCpus}'],
  );
  return new Map(described.map(({ type, cpus }) => [type, cpus]));
}

/** What the checks of the quotas of a stack go by. */
export interface QuotasQuestion {
  aws: AwsCli;
  config: SkyfleetConfig;
  /** Full name of the stack. */
  stack: string;
  /** Whether its VPC is there. */
  hasVpc: boolean;
}

async function checkVcpuQuota(
  { aws, stack }: QuotasQuestion,
  need: Need,
  instances: readonly CountedInstance[],
  cpus: TypeCpus,
): Promise<Check> {
  const { family, spot, vcpus } = need;
  const code = spot ? family.spot : family.onDemand;
  const check = vcpuCheck(need);
  if (code === undefined) {
    return failed(
      check,
      `AWS has no spot instances of the family ${family.name}`,
      'set spot: false, or choose another type',
    );
  }
  return judgeQuota({
    ...{ check, code, service: 'ec2', region: aws.region, unit: 'vCPUs', needed: vcpus },
    usedByOthers: usedByOthers(instances, stack, need, cpus),
    answer: await quotaOf(aws, 'ec2', code),
  });
}

async function checkVcpus(question: QuotasQuestion): Promise<Check[]> {
  const { aws, config } = question;
  const instances = await countedInstances(aws);
  const types = new Set([
    ...instances.map(({ type }) => type),
    ...config.fleets.flatMap((one) => firstType(one) ?? []),
  ]);
  const cpus = await typeCpus(aws, [...types].sort());
  const needs = config.fleets.map((fleet) => ({ fleet, need: needOf(fleet, cpus) }));
  const told = await Promise.all(
    addedUp(needs.flatMap(({ need }) => ('problem' in need ? [] : [need]))).map((need) =>
      checkVcpuQuota(question, need, instances, cpus),
    ),
  );
  const untold = needs.flatMap(({ fleet, need }) =>
    'problem' in need ? [needUnknown(fleet.name, need.problem)] : [],
  );
  return [...told, ...untold];
}

async function checkVpcs({ aws }: QuotasQuestion): Promise<Check[]> {
  const vpcs = await aws.ask<string[]>('ec2', 'describe-vpcs', '--query', 'Vpcs[].VpcId');
  const { service, code } = vpcQuota;
  return [
    judgeQuota({
      ...{ check: 'quota of VPCs', service, code, region: aws.region, unit: 'VPC', needed: 1 },
      usedByOthers: vpcs.length,
      answer: await quotaOf(aws, service, code),
    }),
  ];
}

/** What AWS does not tell is no reason to leave out the rest. */
async function orUnknown(check: string, right: string, asked: Promise<Check[]>): Promise<Check[]> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof AwsCliError)) throw error;
    return [unknown(check, error.message, `allow ${right} (docs/doctor.md)`)];
  }
}

/** Whether the account's quotas in the region are large enough for what the stack declares. */
export async function checkQuotas(question: QuotasQuestion): Promise<Check[]> {
  const checks = await Promise.all([
    orUnknown('quotas of vCPUs', 'ec2:DescribeInstances and ec2:DescribeInstanceTypes', checkVcpus(question)),
    ...(question.hasVpc ? [] : [orUnknown('quota of VPCs', 'ec2:DescribeVpcs', checkVpcs(question))]),
  ]);
  return checks.flat();
}
