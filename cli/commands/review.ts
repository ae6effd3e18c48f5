import * as fs from 'node:fs';
import * as path from 'node:path';
import { reviewMarkdown } from '../../review/markdown';
import type { Review, StackReview } from '../../review/model';
import { reviewerOf, type ReviewSettings } from '../../review/run';
import { reviewText } from '../../review/text';
import { exitCodes } from '../exit-codes';
import { jsonText } from '../output';
import { concluded, sideBySide, valuesOf, type Outcome } from '../side-by-side';
import { whileSpinning } from '../spinner';
import { stacksOf, type StackChoice } from '../stacks';

export interface ReviewOptions extends StackChoice, ReviewSettings {
  /** Folder that gets `review.md` and `review.json`. */
  out?: string;
  /** File that gets the plan of the one stack. */
  savePlan?: string;
  json: boolean;
}

/** The exit code that a stack's review comes to. */
export function codeOf({ blocked, changes }: StackReview): number {
  if (blocked) return exitCodes.undecided;
  return changes ? exitCodes.found : exitCodes.done;
}

/** The stacks of which there is a review, as one; undefined where there is none. */
export function reviewOf(outcomes: readonly Outcome<StackReview>[]): Review | undefined {
  const stacks = valuesOf(outcomes).map(({ value }) => value);
  return stacks.length === 0 ? undefined : { version: 1, stacks };
}

/** Reviews stacks: says what an `up` would do, and changes nothing. */
export async function review(options: ReviewOptions): Promise<number> {
  const { out, savePlan, json } = options;
  const stacks = await stacksOf(options);
  if (savePlan !== undefined && stacks.length > 1) {
    throw new Error('--save-plan saves the plan of one stack, and several are meant');
  }
  const reviewer = reviewerOf(options);
  const outcomes = await whileSpinning(`previewing ${stacks.join(', ')}`, () =>
    sideBySide(stacks, (stack) => reviewer(stack, savePlan)),
  );
  const whole = reviewOf(outcomes);
  if (whole !== undefined) {
    if (out !== undefined) {
      fs.mkdirSync(out, { recursive: true });
      fs.writeFileSync(path.join(out, 'review.md'), reviewMarkdown(whole));
      fs.writeFileSync(path.join(out, 'review.json'), jsonText(whole));
    }
    process.stdout.write(json ? jsonText(whole) : reviewText(whole));
  }
  return concluded(outcomes, codeOf);
}
