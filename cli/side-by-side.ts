import { exitCodes, worstOf } from './exit-codes';

/** How the work for one stack ended. */
export type Outcome<T> = { stack: string; value: T } | { stack: string; error: Error };

/** Does the work for each stack at once; what fails for one does not stop the others. */
export async function sideBySide<T>(
  stacks: readonly string[],
  work: (stack: string) => Promise<T>,
): Promise<Outcome<T>[]> {
  return Promise.all(
    stacks.map(async (stack): Promise<Outcome<T>> => {
      try {
        return { stack, value: await work(stack) };
      } catch (error) {
        return { stack, error: error instanceof Error ? error : new Error(String(error)) };
      }
    }),
  );
}

/** The values of the stacks for which the work went well. */
export function valuesOf<T>(outcomes: readonly Outcome<T>[]): { stack: string; value: T }[] {
  return outcomes.filter((outcome) => 'value' in outcome);
}

/** How many of several stacks failed, and which; empty where none did, or where there is one. */
export const sumText = (failed: readonly string[], all: readonly unknown[]): string =>
  failed.length > 0 && all.length > 1
    ? `${failed.length} of ${all.length} stacks failed: ${failed.join(', ')}\n`
    : '';

/** What failed, one paragraph a stack, and the sum of it; empty where nothing did. */
export function failuresText(outcomes: readonly Outcome<unknown>[]): string {
  const failed = outcomes.filter((outcome) => 'error' in outcome);
  const said = failed.map(({ stack, error }) => `${stack}: ${error.message}\n`).join('');
  return (
    said +
    sumText(
      failed.map(({ stack }) => stack),
      outcomes,
    )
  );
}

/**
 * Says on standard error what failed, and gives the exit code of the whole.
 *
 * @param codeOf the exit code of a stack for which the work went well.
 */
export function concluded<T>(outcomes: readonly Outcome<T>[], codeOf: (value: T) => number): number {
  process.stderr.write(failuresText(outcomes));
  return worstOf(outcomes.map((outcome) => ('error' in outcome ? exitCodes.failed : codeOf(outcome.value))));
}
