import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { StackReview } from '../../review/model';
import { overrideOf } from '../../review/override';
import { reviewerOf, type ReviewSettings } from '../../review/run';
import { readSavedReview } from '../../review/saved-plan';
import { blockedText, reviewText } from '../../review/text';
import { agreed } from '../asking';
import { exitCodes, worstOf } from '../exit-codes';
import { jsonText } from '../output';
import { applyPlanned, type Planned } from '../planned';
import { ProgressDisplay } from '../progress-display';
import { sideBySide, sumText, valuesOf, type Outcome } from '../side-by-side';
import { whileSpinning } from '../spinner';
import { stacksOf, type StackChoice } from '../stacks';
import { reviewOf } from './review';

export interface CreateOptions extends StackChoice, ReviewSettings {
  /** File of a plan that a review has saved, instead of reviewing now. */
  plan?: string;
  /** Why what is blocked is applied all the same. */
  override?: string;
  /** Does not ask. */
  yes: boolean;
  json: boolean;
  verbose: boolean;
}

/** Why a review is not applied; undefined where it may be. */
export type Refusal = (review: StackReview) => string | undefined;

/** What became of a stack, as `--json` prints it. */
interface CreatedStack {
  stack: string;
  result: 'applied' | 'unchanged' | 'blocked' | 'declined' | 'failed';
  /** Why it is blocked or failed; null where it is neither. */
  problem: string | null;
  /** What was, or would have been, applied; null where the review itself failed. */
  review: StackReview | null;
}

/** Shortest reason that says anything. */
const leastReason = 10;

/** @throws Error where options do not go together. */
function checkOptions({ override: reason, place, plan }: CreateOptions, stacks: readonly string[]): void {
  if (reason !== undefined && reason.trim().length < leastReason) {
    throw new Error(`--override must say why, in ${leastReason} characters or more`);
  }
  if (place !== undefined && stacks.length > 1) {
    throw new Error('--place names places of one stack, and several are meant');
  }
  if (plan !== undefined && stacks.length > 1) {
    throw new Error('--plan is the plan of one stack, and several are meant');
  }
}

/** What is to be done with a stack that was reviewed: apply a plan, or nothing, for a reason. */
function decide(
  review: StackReview,
  plan: string,
  { override: reason, place: places = [] }: CreateOptions,
): Planned | Pick<CreatedStack, 'result' | 'problem'> {
  const override = reason === undefined ? undefined : overrideOf(review, reason, new Date());
  if (review.blocked && override === undefined) {
    return {
      result: 'blocked',
      problem: `${blockedText(review)}. Mend what is found, or say why not: --override REASON`,
    };
  }
  return review.changes ? { plan, override, places } : { result: 'unchanged', problem: null };
}

/** The review of a stack, made now or saved with its plan. */
function reviewing(options: CreateOptions): (stack: string, planFile: string) => Promise<StackReview> {
  const { plan } = options;
  return plan === undefined
    ? reviewerOf(options)
    : (stack) => Promise.resolve().then(() => readSavedReview(plan, stack));
}

/** Applies plans side by side, with one display of how far each has come. */
async function applyAll(
  planned: ReadonlyMap<string, Planned>,
  { configFile, verbose }: CreateOptions,
): Promise<Outcome<void>[]> {
  const stacks = [...planned.keys()];
  const names = stacks.length > 1;
  const display = new ProgressDisplay(`bringing up ${stacks.join(', ')}`, { verbose, names });
  await display.start();
  try {
    return await sideBySide(stacks, (stack) =>
      applyPlanned(stack, planned.get(stack) as Planned, { configFile, display }),
    );
  } finally {
    display.stop();
  }
}

/** What became of each stack. */
async function createAll(
  stacks: readonly string[],
  options: CreateOptions,
  refusal: Refusal,
  planOf: (stack: string) => string,
): Promise<CreatedStack[]> {
  const review = reviewing(options);
  const reviews = await whileSpinning(`previewing ${stacks.join(', ')}`, () =>
    sideBySide(stacks, async (stack) => {
      const made = await review(stack, planOf(stack));
      const refused = refusal(made);
      if (refused !== undefined) throw new Error(refused);
      return { review: made, decision: decide(made, planOf(stack), options) };
    }),
  );
  const values = valuesOf(reviews);
  const whole = reviewOf(values.map(({ stack, value }) => ({ stack, value: value.review })));
  if (whole !== undefined && !options.json) process.stdout.write(reviewText(whole));
  const planned = new Map(
    values.flatMap(({ stack, value: { decision } }): [string, Planned][] =>
      'plan' in decision ? [[stack, decision]] : [],
    ),
  );
  const names = [...planned.keys()].join(', ');
  const left = reviews.filter(({ stack }) => !planned.has(stack)).map(({ stack }) => stack);
  if (planned.size > 0 && left.length > 0) process.stderr.write(`left out: ${left.join(', ')}\n`);
  const go = planned.size > 0 && (options.yes || (await agreed(`Apply this to ${names}?`, '--yes')));
  const applied = go ? await applyAll(planned, options) : [];
  return reviews.map((outcome): CreatedStack => {
    const { stack } = outcome;
    if ('error' in outcome) return { stack, result: 'failed', problem: outcome.error.message, review: null };
    const { review: made, decision } = outcome.value;
    if (!('plan' in decision)) return { stack, ...decision, review: made };
    const end = applied.find((one) => one.stack === stack);
    if (end === undefined) return { stack, result: 'declined', problem: null, review: made };
    return 'error' in end
      ? { stack, result: 'failed', problem: end.error.message, review: made }
      : { stack, result: 'applied', problem: null, review: made };
  });
}

const codes = {
  applied: exitCodes.done,
  unchanged: exitCodes.done,
  blocked: exitCodes.undecided,
  declined: exitCodes.failed,
  failed: exitCodes.failed,
} as const;

/**
 * Brings stacks up to what is declared: reviews them, asks, and applies just what was reviewed, side by side. Refuses what
 * a review blocks.
 */
export async function create(options: CreateOptions, refusal: Refusal = () => undefined): Promise<number> {
  const stacks = await stacksOf(options);
  checkOptions(options, stacks);
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-create-'));
  const planOf = (stack: string): string =>
    options.plan ?? path.join(folder, `${stack.replaceAll('/', '.')}.plan`);
  try {
    const created = await createAll(stacks, options, refusal, planOf);
    if (options.json) process.stdout.write(jsonText(created));
    for (const { stack, result, problem } of created) {
      if (problem !== null)
        process.stderr.write(`${stack}${result === 'blocked' ? ' is ' : ': '}${problem}\n`);
    }
    process.stderr.write(
      sumText(
        created.filter(({ result }) => result === 'failed').map(({ stack }) => stack),
        stacks,
      ),
    );
    return worstOf(created.map(({ result }) => codes[result]));
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
