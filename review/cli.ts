import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { reviewMarkdown } from './markdown';
import { exitCodeOf, exitCodes, type Review } from './model';
import { reviewOptions, reviewOptionsHelp, reviewStacks } from './run';
import { reviewText } from './text';

const usage =
  'usage: review --stack NAME [--stack NAME …] [--out FOLDER] [--json] [--save-plan FILE] …\n' +
  'Previews stacks and says what an up would do: as text, or as JSON with --json; --out writes review.md and review.json.\n' +
  '  --save-plan FILE    save the plan of the one stack, for up --plan FILE\n' +
  reviewOptionsHelp +
  `Exit codes: ${exitCodes.unchanged} nothing would change, ${exitCodes.changes} something would, ${exitCodes.blocked} blocked by policy or budget, ${exitCodes.failed} the review failed.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      ...reviewOptions,
      'save-plan': { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { stack: names = [], 'save-plan': savePlan, out } = values;
  // A stack file and a plan are of one stack.
  const ofOne = values['config-file'] !== undefined || savePlan !== undefined;
  if (names.length === 0 || names.includes('') || (names.length > 1 && ofOne)) throw new Error(usage);
  const review: Review = { version: 1, stacks: await reviewStacks(names, { ...values, savePlan }) };
  const json = `${JSON.stringify(review, null, 2)}\n`;
  if (out !== undefined) {
    fs.mkdirSync(out, { recursive: true });
    fs.writeFileSync(path.join(out, 'review.md'), reviewMarkdown(review));
    fs.writeFileSync(path.join(out, 'review.json'), json);
  }
  process.stdout.write(values.json ? json : reviewText(review));
  process.exitCode = exitCodeOf(review);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodes.failed;
});
