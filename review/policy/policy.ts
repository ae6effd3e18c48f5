import { policyRuleNames, policyRules, type PolicyRuleName, type Severity } from '../../config/policy-rules';
import type { SkyfleetConfig } from '../../config/schema';
import { isKnown } from '../../deployment/operator/preview';
import type { Plan } from './plan';
import { policyDocuments, rules, type Hit } from './rules';

/** What a rule has found, with how grave it is. */
export interface Finding extends Hit {
  rule: PolicyRuleName;
  severity: Exclude<Severity, 'off'>;
}

/** How a stack does with the rules. */
export interface Judgement {
  /** Errors first. */
  findings: Finding[];
  /** The rules that the stack file sets otherwise, each with its reason. */
  settings: { rule: PolicyRuleName; severity: Severity; reason: string }[];
  /** What could not be looked at, because it is known only after the `up`. */
  unchecked: string[];
}

/**
 * Holds a plan to the rules.
 *
 * @param own severities that the stack file sets, with their reasons.
 */
export function judge(plan: Plan, own: SkyfleetConfig['governance']['policy']): Judgement {
  const findings = policyRuleNames.flatMap((rule): Finding[] => {
    const severity: Severity = own[rule]?.severity ?? policyRules[rule].severity;
    return severity === 'off' ? [] : rules[rule](plan).map((hit) => ({ rule, severity, ...hit }));
  });
  const documents = policyDocuments as Record<string, string | undefined>;
  return {
    findings: findings.sort((a, b) => Number(b.severity === 'error') - Number(a.severity === 'error')),
    settings: policyRuleNames.flatMap((rule) => {
      const set = own[rule];
      return set === undefined ? [] : [{ rule, ...set }];
    }),
    unchecked: plan.resources
      .filter(({ type, inputs }) => {
        const property = documents[type];
        return property !== undefined && !isKnown(inputs[property]);
      })
      .map(({ name, type }) => `the ${documents[type] ?? ''} of ${name}`),
  };
}
