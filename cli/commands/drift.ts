import { reviewerOf, type ReviewSettings } from '../../review/run';
import { exitCodes } from '../exit-codes';
import { jsonText } from '../output';
import { concluded, sideBySide, valuesOf } from '../side-by-side';
import { whileSpinning } from '../spinner';
import { stacksOf, type StackChoice } from '../stacks';

export interface DriftOptions extends StackChoice, Pick<ReviewSettings, 'configFile'> {
  json: boolean;
}

/** Says what is not as the last `up` left it: the same that a preview tells and an `up` repairs. */
export async function drift(options: DriftOptions): Promise<number> {
  const stacks = await stacksOf(options);
  const reviewer = reviewerOf(options);
  const outcomes = await whileSpinning(`previewing ${stacks.join(', ')}`, () =>
    sideBySide(stacks, async (stack) => {
      const { drift: found, notes } = await reviewer(stack);
      return { found, notes };
    }),
  );
  const found = valuesOf(outcomes).flatMap(({ stack, value }) =>
    value.found.map((one) => ({ stack, ...one })),
  );
  for (const { stack, value } of valuesOf(outcomes)) {
    for (const note of value.notes) process.stderr.write(`${stack}: ${note}\n`);
  }
  if (options.json) process.stdout.write(jsonText(found));
  else if (found.length > 0) {
    const several = stacks.length > 1;
    for (const { stack, place, what } of found) {
      process.stdout.write(`${several ? `${stack}: ` : ''}${place}: ${what}\n`);
    }
  } else if (valuesOf(outcomes).length > 0) process.stdout.write('all is as the last up left it\n');
  return concluded(outcomes, (one) => (one.found.length > 0 ? exitCodes.found : exitCodes.done));
}
