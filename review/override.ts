import type { Override } from '../components/override';
import type { StackReview } from './model';

/**
 * What is kept of an override.
 *
 * @throws Error where there is nothing to override.
 */
export function overrideOf({ blocked, policy }: StackReview, reason: string, at: Date): Override {
  if (!blocked) throw new Error('nothing is blocked: leave --override out');
  const rules = policy.findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
  return { reason, rules: [...new Set(rules)], at: at.toISOString() };
}

/** What a plan says of the outputs of a resource (`PlanDiffV1` of Pulumi's `apitype`). */
interface OutputDiff {
  adds?: Record<string, unknown>;
  deletes?: string[];
  updates?: Record<string, unknown>;
}

/** A plan as Pulumi saves it, as far as it is changed here. */
interface SavedPlan {
  resourcePlans: Record<string, { goal?: { outputDiff?: OutputDiff } }>;
}

const output = 'reviewOverride';

/**
 * A plan that adds the override to the outputs of its stack. It was not known when the plan was saved, and Pulumi keeps
 * no outputs at all, without a word, where they are others than the plan says.
 *
 * @throws Error where the text is no plan of a stack.
 */
export function planWithOverride(text: string, override: Override): string {
  const plan = JSON.parse(text) as SavedPlan;
  const [stack] = Object.entries(plan.resourcePlans).filter(([urn]) =>
    urn.includes('::pulumi:pulumi:Stack::'),
  );
  if (stack === undefined) throw new Error('the plan does not say what becomes of its stack');
  const [urn, { goal, ...resource }] = stack;
  const { adds, deletes = [], updates } = goal?.outputDiff ?? {};
  const outputDiff = {
    // What is to be added may be there already, with another value.
    adds: { ...adds, [output]: override },
    deletes: deletes.filter((name) => name !== output),
    updates: Object.fromEntries(Object.entries(updates ?? {}).filter(([name]) => name !== output)),
  };
  return JSON.stringify({
    ...plan,
    resourcePlans: { ...plan.resourcePlans, [urn]: { ...resource, goal: { ...goal, outputDiff } } },
  });
}
