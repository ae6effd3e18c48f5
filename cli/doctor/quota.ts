import { failed, ok, unknown, type Check } from './check';
import type { Need } from './vcpus';

/** A quota as Service Quotas tells it, or why it cannot be told. */
export type QuotaAnswer = { value: number } | { problem: string };

/** The call that shows a quota, or asks for a higher one. */
const serviceQuotas = (verb: string, service: string, code: string, region: string): string =>
  `aws service-quotas ${verb} --service-code ${service} --quota-code ${code} --region ${region}`;

/** What is needed of a quota, what others have taken, and how much there may be. */
export interface QuotaQuestion {
  check: string;
  service: string;
  code: string;
  region: string;
  /** Such as `vCPUs`. */
  unit: string;
  needed: number;
  usedByOthers: number;
  answer: QuotaAnswer;
}

/** Whether a quota is large enough. */
export function judgeQuota(question: QuotaQuestion): Check {
  const { check, service, code, region, unit, needed, usedByOthers, answer } = question;
  const need = `the stack needs ${needed} ${unit}, others in the account use ${usedByOthers}`;
  if ('problem' in answer) {
    return unknown(
      check,
      `${need}; the quota ${code} cannot be read: ${answer.problem}`,
      `allow servicequotas:GetServiceQuota (docs/doctor.md), or look: ${serviceQuotas('get-service-quota', service, code, region)}`,
    );
  }
  const said = `${need}; the quota ${code} allows ${answer.value}`;
  const wanted = needed + usedByOthers;
  if (wanted <= answer.value) return ok(check, said);
  return failed(
    check,
    said,
    `ask for more: ${serviceQuotas('request-service-quota-increase', service, code, region)} --desired-value ${wanted}`,
  );
}

/** Name of the check of a quota of vCPUs. */
export const vcpuCheck = ({ family, spot }: Pick<Need, 'family' | 'spot'>): string =>
  `quota of ${spot ? 'spot' : 'on-demand'} vCPUs, ${family.name}`;

/** What is said of a fleet whose need cannot be told. */
export const needUnknown = (fleet: string, problem: string): Check =>
  unknown(
    `quota of vCPUs, fleet ${fleet}`,
    problem,
    `name an instanceType of the region, or compare with: aws service-quotas list-service-quotas --service-code ec2`,
  );
