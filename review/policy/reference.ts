import { policyRuleNames, policyRules, type PolicyRuleName } from '../../config/policy-rules';
import { toYaml } from '../../deployment/operator/task';
import { emptyPlan, examples } from './examples';
import { rules } from './rules';

const introduction = `# The rules of a review

<!-- Made from config/policy-rules.ts and review/policy/examples.ts by \`make docs\`. -->

A review holds a stack as it is to be to these rules: the resources that Pulumi plans, the tasks that SkyPilot gets, the files
that nodes get, the configuration, and what it costs. A finding is an \`error\`, which blocks an \`up\` of the project's own
command, or a \`warning\`.

A stack file sets a rule otherwise with \`governance.policy\`, with the reason for it, which the review shows:

    skyfleet:governance:
      policy:
        on-demand-for-spot: { severity: off, reason: sensors must not fall silent at night }`;

/** An example as text: what is in it beside nothing. */
const shown = (part: unknown): string => `\`\`\`yaml\n${toYaml(part).trimEnd()}\n\`\`\``;

function section(rule: PolicyRuleName): string {
  const { good, bad } = examples[rule];
  const [found] = rules[rule]({ ...emptyPlan, ...bad });
  return [
    `## ${rule}`,
    `Finds ${policyRules[rule].finds}.`,
    `**Found** in this part of a plan: ${found?.resource ?? ''}: ${found?.what ?? ''}. Remedy: ${found?.remedy ?? ''}.`,
    shown(bad),
    'Nothing is found in this one:',
    shown(good),
  ].join('\n\n');
}

/** The reference of the rules, `docs/policy.md`. */
export function policyReference(): string {
  const rows = policyRuleNames.map(
    (rule) => `| [\`${rule}\`](#${rule}) | ${policyRules[rule].severity} | ${policyRules[rule].finds} |`,
  );
  const overview = ['| rule | severity | finds |', '| --- | --- | --- |', ...rows].join('\n');
  return `${[introduction, overview, ...policyRuleNames.map(section)].join('\n\n')}\n`;
}
