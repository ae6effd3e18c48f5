import { readNodeFiles } from '../deployment/operator/node-files';
import { parsePreview, previewStack } from '../deployment/operator/preview';
import { configRenderer } from './bacalhau-config';
import { readCatalog, usualCatalog } from './cost/catalog';
import { readPrices } from './cost/prices';
import type { StackReview } from './model';
import { reviewStack } from './review';
import { saveReview } from './saved-plan';

/** Options that every command has that reviews. */
export const reviewOptions = {
  stack: { type: 'string', multiple: true },
  'config-file': { type: 'string' },
  catalog: { type: 'string' },
  prices: { type: 'string' },
} as const;

/** What they mean. */
export const reviewOptionsHelp =
  '  --config-file FILE  the stack file, where it is not Pulumi.<stack>.yaml\n' +
  `  --catalog FILE      SkyPilot's catalog of AWS machines, for their prices; ${usualCatalog()} where it is left out\n` +
  '  --prices FILE       prices of your own before those of review/cost/prices.yaml, in the same form\n';

export interface ReviewSettings {
  'config-file'?: string;
  catalog?: string;
  prices?: string;
  /** File to save the plan to. */
  savePlan?: string;
}

/**
 * Previews stacks, one after the other, and says what an `up` would do.
 *
 * @throws Error where a preview fails, or a file that is named is not there.
 */
export async function reviewStacks(
  names: readonly string[],
  settings: ReviewSettings,
): Promise<StackReview[]> {
  const { 'config-file': configFile, savePlan } = settings;
  const catalog = readCatalog(settings.catalog ?? usualCatalog());
  if (catalog === undefined && settings.catalog !== undefined) {
    throw new Error(`there is no catalog ${settings.catalog}`);
  }
  const inputs = {
    files: readNodeFiles(),
    prices: readPrices(settings.prices),
    catalog,
    renderConfig: configRenderer(),
  };
  const args = [
    '--show-sames',
    ...(configFile === undefined ? [] : ['--config-file', configFile]),
    ...(savePlan === undefined ? [] : ['--save-plan', savePlan]),
  ];
  const reviews: StackReview[] = [];
  for (const name of names) {
    process.stderr.write(`previewing ${name} …\n`);
    const review = reviewStack(name, parsePreview(await previewStack(name, args)), inputs);
    if (savePlan !== undefined) saveReview(savePlan, review);
    reviews.push(review);
  }
  return reviews;
}
