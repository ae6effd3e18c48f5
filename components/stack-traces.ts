/**
 * Functions of Pulumi's SDK that make an error only to read its stack: for each promise, to say where one was made that
 * never ends (`runtime/debuggable.js`), and for each resource, to tell the engine where it is declared (`resource.js` of
 * @pulumi/pulumi 3).
 */
const readers = new Set(['debuggablePromise', 'callsites']);

/** Node's hook that makes the text of a stack; there is none unless somebody has set it. */
type StackHook = { prepareStackTrace?: (error: Error, frames: NodeJS.CallSite[]) => unknown };

/**
 * Spares those stacks, each of which is mapped frame by frame to the sources: a third of what the program of a large stack
 * computes. The engine is not told where a resource is declared, then. Errors that somebody is to read keep their stacks; and
 * whoever asks Pulumi for the promises that never end gets all of them.
 */
export function spareStackTraces(environment: NodeJS.ProcessEnv = process.env): void {
  if ((environment['PULUMI_DEBUG_PROMISE_LEAKS'] ?? '') !== '') return;
  const { prepareStackTrace: mapped } = Error as StackHook;
  if (mapped === undefined) return;
  (Error as StackHook).prepareStackTrace = (error, frames) =>
    readers.has(frames[0]?.getFunctionName() ?? '') ? String(error) : mapped(error, frames);
}
