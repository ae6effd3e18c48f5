import { currentOverride, type Override } from './override';
import { recordedStack } from './recorded-stack';

/**
 * Why what a review blocked was applied all the same: the reason that this `up` is told, or else the one that the last
 * `up` has left. A program keeps it as its output `reviewOverride`, where `skyfleet create --override` looks for it.
 *
 * @returns undefined where nothing was ever overridden.
 */
export async function reviewOverride(): Promise<Override | undefined> {
  return currentOverride(process.env['SKYFLEET_OVERRIDE'], (await recordedStack()).override);
}
