import * as fs from 'node:fs';
import { parseArgs } from 'node:util';
import { reviewSchema, type Review } from '../model';

const usage =
  'usage: drift --review FILE\n' +
  'Prints, as Markdown, what a review says is not as the last up left it.\n' +
  'Exit codes: 0 all is, 2 something is not, 1 the review cannot be read.';

/** What is not as the last `up` left it, as Markdown; undefined where all is. */
export function driftMarkdown({ stacks }: Review): string | undefined {
  const sections = stacks
    .filter(({ drift }) => drift.length > 0)
    .map(({ stack, drift }) =>
      [`## ${stack}`, ...drift.map(({ place, what }) => `- ${place}: ${what}`)].join('\n'),
    );
  return sections.length === 0 ? undefined : `${sections.join('\n\n')}\n`;
}

function main(): void {
  const { values } = parseArgs({ options: { review: { type: 'string' } } });
  if (values.review === undefined) throw new Error(usage);
  const drift = driftMarkdown(reviewSchema.parse(JSON.parse(fs.readFileSync(values.review, 'utf8'))));
  process.stdout.write(drift ?? 'All is as the last up left it.\n');
  if (drift !== undefined) process.exitCode = 2;
}

if (require.main === module) {
  try {
    main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
