import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { readNodeFiles } from '../deployment/operator/node-files';
import { parsePreview, previewStack } from '../deployment/operator/preview';
import { reviewMarkdown } from './markdown';
import { exitCodeOf, exitCodes, type Review } from './model';
import { reviewStack } from './review';
import { reviewText } from './text';

const usage =
  'usage: review --stack NAME [--stack NAME …] [--config-file FILE] [--out FOLDER] [--json]\n' +
  'Previews stacks and says what an up would do: as text, or as JSON with --json; --out writes review.md and review.json.\n' +
  `Exit codes: ${exitCodes.unchanged} nothing would change, ${exitCodes.changes} something would, ${exitCodes.failed} the review failed.`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      stack: { type: 'string', multiple: true },
      'config-file': { type: 'string' },
      out: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const { stack: names = [], 'config-file': configFile, out } = values;
  if (names.length === 0 || names.includes('') || (names.length > 1 && configFile !== undefined)) {
    throw new Error(usage);
  }
  const files = Object.keys(readNodeFiles());
  const more = configFile === undefined ? [] : ['--config-file', configFile];
  const review: Review = { version: 1, stacks: [] };
  for (const name of names) {
    process.stderr.write(`previewing ${name} …\n`);
    review.stacks.push(reviewStack(name, parsePreview(await previewStack(name, more)), files));
  }
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
