import { spareStackTraces } from '../../../components/stack-traces';

const hook = Error as { prepareStackTrace?: (error: Error, frames: NodeJS.CallSite[]) => unknown };
const { prepareStackTrace: before } = hook;
let mapped: number;
beforeEach(() => {
  mapped = 0;
  hook.prepareStackTrace = (error, frames) => {
    mapped++;
    return `${String(error)}, ${frames.length} frames`;
  };
});
afterEach(() => {
  hook.prepareStackTrace = before;
});

/** By the name of the function in Pulumi's SDK that reads the stack of an error which nobody gets to see. */
function debuggablePromise(): string | undefined {
  return new Error('made').stack;
}
const thrown = (): string | undefined => new Error('thrown').stack;

test('what only the SDK reads is not mapped to the sources, and what a person may read is', () => {
  spareStackTraces({});
  expect(debuggablePromise()).toBe('Error: made');
  expect(mapped).toBe(0);
  expect(thrown()).toMatch(/^Error: thrown, \d+ frames$/);
  expect(mapped).toBe(1);
});

test('everything is mapped for whoever looks for promises that never end', () => {
  spareStackTraces({ PULUMI_DEBUG_PROMISE_LEAKS: 'true' });
  expect(debuggablePromise()).toMatch(/^Error: made, \d+ frames$/);
});

test('nothing is changed where stacks are not mapped', () => {
  delete hook.prepareStackTrace;
  spareStackTraces({});
  expect(hook.prepareStackTrace).toBeUndefined();
});
