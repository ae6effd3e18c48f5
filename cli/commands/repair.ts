import type { StackReview } from '../../review/model';
import { operationText } from '../../review/text';
import { create, type CreateOptions } from './create';

/** What a review would do beside repairing, in words; undefined where it does nothing else. */
export function besideRepairs({ stack, operations, resources }: StackReview): string | undefined {
  const others = [
    ...operations.filter(({ kind }) => kind !== 'repair' && kind !== 'none').map(operationText),
    ...resources.map(({ op, type, name }) => `${op} ${type} ${name}`),
  ];
  return others.length === 0
    ? undefined
    : `there is more to do than to repair, and nothing was done; npx skyfleet create --stack ${stack} does all of it:\n${others.map((one) => `  ${one}`).join('\n')}`;
}

/** Brings back what is gone, stopped, unhealthy or disconnected, and does nothing else. */
export const repair = (options: CreateOptions): Promise<number> => create(options, besideRepairs);
