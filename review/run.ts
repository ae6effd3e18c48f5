import { readNodeFiles } from '../deployment/operator/node-files';
import { parsePreview, previewStack, targetsOf } from '../deployment/operator/preview';
import { configRenderer } from './bacalhau-config';
import { readCatalog, usualCatalog } from './cost/catalog';
import { readPrices } from './cost/prices';
import type { StackReview } from './model';
import { reviewStack } from './review';
import { saveReview } from './saved-plan';

/** What a review takes beside the stack. */
export interface ReviewSettings {
  /** The stack file, where it is not `Pulumi.<stack>.yaml`. */
  configFile?: string;
  /** SkyPilot's catalog of AWS machines, for their prices; the one that the `sky` command keeps where absent. */
  catalog?: string;
  /** Prices of one's own before those of `review/cost/prices.yaml`, in the same form. */
  prices?: string;
  /** The places that alone are to change, of one stack; all where absent. */
  place?: string[];
}

/** Previews a stack and says what an `up` would do; the plan is saved where a file for it is named. */
export type Reviewer = (stack: string, savePlan?: string) => Promise<StackReview>;

/**
 * What reviews stacks.
 *
 * @throws Error where a file that is named is not there; the reviewer itself, where a preview fails.
 */
export function reviewerOf({ configFile, place = [], ...settings }: ReviewSettings): Reviewer {
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
  return async (stack, savePlan) => {
    const args = [
      '--show-sames',
      ...(configFile === undefined ? [] : ['--config-file', configFile]),
      ...(savePlan === undefined ? [] : ['--save-plan', savePlan]),
      ...place.flatMap(targetsOf).flatMap((target) => ['--target', target]),
    ];
    const review = reviewStack(stack, parsePreview(await previewStack(stack, args)), inputs);
    if (savePlan !== undefined) saveReview(savePlan, review);
    return review;
  };
}
