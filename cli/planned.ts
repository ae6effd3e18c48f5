import * as fs from 'node:fs';
import type { Override } from '../components/override';
import { planWithOverride } from '../review/override';
import { applyChange } from './apply';
import type { ProgressDisplay } from './progress-display';
import { currentProject } from './stacks';

/** A plan that a stack is held to, and why it is applied against the findings, where it is. */
export interface Planned {
  /** File of the plan. */
  plan: string;
  override: Override | undefined;
  /** The places that alone are to change; all where there is none. */
  places: readonly string[];
}

/**
 * Applies a plan; an override is written into it, and made sure of afterwards.
 *
 * @throws Error with Pulumi's own errors, or where the override was not kept.
 */
export async function applyPlanned(
  stack: string,
  { plan, override, places }: Planned,
  options: { configFile: string | undefined; display: ProgressDisplay },
): Promise<void> {
  if (override === undefined) return applyChange(stack, { kind: 'up', plan, places }, options);
  const told = `${plan}.overridden`;
  fs.writeFileSync(told, planWithOverride(fs.readFileSync(plan, 'utf8'), override), { mode: 0o600 });
  try {
    const env = { SKYFLEET_OVERRIDE: JSON.stringify(override) };
    await applyChange(stack, { kind: 'up', plan: told, places, env }, options);
  } finally {
    fs.rmSync(told);
  }
  // Pulumi says nothing where it keeps no outputs.
  const kept = (await (await currentProject()).stackOutputs(stack))['reviewOverride'];
  if ((kept?.value as Override | undefined)?.at === override.at) return;
  throw new Error(
    `the up went well, and the outputs of ${stack} do not hold the reason of the override: ${JSON.stringify(kept?.value)}`,
  );
}
