import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { Override } from '../../components/override';
import type { StackReview } from '../../review/model';
import { overrideOf, planWithOverride } from '../../review/override';
import { reviewerOf, type ReviewSettings } from '../../review/run';
import { readSavedReview } from '../../review/saved-plan';
import { blockedText, reviewText } from '../../review/text';
import { applyChange } from '../apply';
import { agreed } from '../asking';
import { exitCodes, worstOf } from '../exit-codes';
import { ProgressDisplay } from '../progress-display';
import { concluded, failuresText, sideBySide, valuesOf, type Outcome } from '../side-by-side';
import { currentProject, stacksOf, type StackChoice } from '../stacks';
import { reviewOf } from './review';

export interface CreateOptions extends StackChoice, ReviewSettings {
  /** File of a plan that a review has saved, instead of reviewing now. */
  plan?: string;
  /** Why what is blocked is applied all the same. */
  override?: string;
  /** Does not ask. */
  yes: boolean;
  verbose: boolean;
}

/** Why a review is not applied; undefined where it may be. */
export type Refusal = (review: StackReview) => string | undefined;

/** Shortest reason that says anything. */
const leastReason = 10;

/** A stack that is to be changed, with the plan that it is held to. */
interface Planned {
  plan: string;
  override: Override | undefined;
}

/** Applies a plan; an override is written into it, and made sure of afterwards. */
async function applied(
  stack: string,
  { plan, override }: Planned,
  options: { configFile: string | undefined; display: ProgressDisplay },
): Promise<void> {
  if (override === undefined) return applyChange(stack, { kind: 'up', plan }, options);
  const told = `${plan}.overridden`;
  fs.writeFileSync(told, planWithOverride(fs.readFileSync(plan, 'utf8'), override), { mode: 0o600 });
  const env = { SKYFLEET_OVERRIDE: JSON.stringify(override) };
  await applyChange(stack, { kind: 'up', plan: told, env }, options);
  // Pulumi says nothing where it keeps no outputs.
  const kept = (await (await currentProject()).stackOutputs(stack))['reviewOverride'];
  if ((kept?.value as Override | undefined)?.at === override.at) return;
  throw new Error(
    `the up went well, and the outputs of ${stack} do not hold the reason of the override: ${JSON.stringify(kept?.value)}`,
  );
}

/** What is to be applied, and what is refused. */
function decided(
  reviewed: readonly { stack: string; value: StackReview }[],
  planOf: (stack: string) => string,
  reason: string | undefined,
): { planned: Map<string, Planned>; refused: number } {
  const planned = new Map<string, Planned>();
  let refused: number = exitCodes.done;
  for (const { stack, value: review } of reviewed) {
    const override = reason === undefined ? undefined : overrideOf(review, reason, new Date());
    if (review.blocked && override === undefined) {
      process.stderr.write(
        `${stack} is ${blockedText(review)}. Mend what is found, or say why not: --override REASON\n`,
      );
      refused = exitCodes.undecided;
    } else if (review.changes) planned.set(stack, { plan: planOf(stack), override });
  }
  return { planned, refused };
}

/** The review of a stack, made now or saved with its plan. */
function reviewing(options: CreateOptions): (stack: string, planFile: string) => Promise<StackReview> {
  const { plan } = options;
  return plan === undefined
    ? reviewerOf(options)
    : (stack) => Promise.resolve().then(() => readSavedReview(plan, stack));
}

/** Applies the plans side by side, with one display of how far each has come. */
async function applyAll(
  planned: ReadonlyMap<string, Planned>,
  { configFile, verbose }: { configFile: string | undefined; verbose: boolean },
): Promise<Outcome<void>[]> {
  const stacks = [...planned.keys()];
  const display = new ProgressDisplay(`bringing up ${stacks.join(', ')}`, {
    verbose,
    names: stacks.length > 1,
  });
  await display.start();
  try {
    return await sideBySide(stacks, async (stack) => {
      const plan = planned.get(stack);
      if (plan !== undefined) await applied(stack, plan, { configFile, display });
    });
  } finally {
    display.stop();
  }
}

/**
 * Brings stacks up to what is declared: reviews them, asks, and applies just what was reviewed, side by side. Refuses what
 * a review blocks.
 */
export async function create(options: CreateOptions, refusal: Refusal = () => undefined): Promise<number> {
  const { override: reason, plan } = options;
  if (reason !== undefined && reason.trim().length < leastReason) {
    throw new Error(`--override must say why, in ${leastReason} characters or more`);
  }
  const stacks = await stacksOf(options);
  if (plan !== undefined && stacks.length > 1) {
    throw new Error('--plan is the plan of one stack, and several are meant');
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-create-'));
  const planOf = (stack: string): string => plan ?? path.join(folder, `${stack.replaceAll('/', '.')}.plan`);
  try {
    const review = reviewing(options);
    if (plan === undefined) process.stderr.write(`previewing ${stacks.join(', ')} …\n`);
    const reviews = await sideBySide(stacks, async (stack) => {
      const made = await review(stack, planOf(stack));
      const refused = refusal(made);
      if (refused !== undefined) throw new Error(refused);
      return made;
    });
    const whole = reviewOf(reviews);
    if (whole !== undefined) process.stdout.write(reviewText(whole));
    const { planned, refused } = decided(valuesOf(reviews), planOf, reason);
    const failed = reviews.filter((one) => 'error' in one);
    if (planned.size === 0) {
      return worstOf([concluded(failed, () => exitCodes.done), refused]);
    }
    process.stderr.write(failuresText(failed));
    const names = [...planned.keys()];
    if (!options.yes && !(await agreed(`Apply this to ${names.join(', ')}?`, '--yes')))
      return exitCodes.failed;
    const outcomes = await applyAll(planned, { configFile: options.configFile, verbose: options.verbose });
    return worstOf([concluded([...failed, ...outcomes], () => exitCodes.done), refused]);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
