import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { z } from 'zod';
import { stackReviewSchema, type StackReview } from './model';

const savedReview = z.strictObject({ plan: z.string(), review: stackReviewSchema });

const reviewFile = (plan: string): string => `${plan}.review.json`;

const digest = (file: string): string => createHash('sha256').update(fs.readFileSync(file)).digest('hex');

/** Keeps what was reviewed beside the plan that Pulumi saved of it. */
export function saveReview(plan: string, review: StackReview): void {
  const saved: z.infer<typeof savedReview> = { plan: digest(plan), review };
  fs.writeFileSync(reviewFile(plan), `${JSON.stringify(saved, null, 2)}\n`);
}

/**
 * The review of a saved plan.
 *
 * @throws Error where there is none, or it is of another plan or stack.
 */
export function readSavedReview(plan: string, stack: string): StackReview {
  const file = reviewFile(plan);
  for (const needed of [plan, file]) {
    if (!fs.existsSync(needed)) {
      throw new Error(`there is no ${needed}: save a reviewed plan with --save-plan ${plan} of the review`);
    }
  }
  const { success, data } = savedReview.safeParse(JSON.parse(fs.readFileSync(file, 'utf8')));
  if (!success) throw new Error(`${file} is of another version of the review: review again`);
  if (data.plan !== digest(plan)) throw new Error(`${plan} is not the plan that was reviewed: review again`);
  if (data.review.stack !== stack) {
    throw new Error(`${plan} is a plan of stack ${data.review.stack}, not of ${stack}: name its own stack`);
  }
  return data.review;
}
