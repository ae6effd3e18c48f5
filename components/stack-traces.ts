/**
 * Has errors keep no more than the place where they were made. Pulumi's SDK makes one for each of its promises, and has its
 * stack mapped to the sources: a quarter of what the program of a large stack computes, for a message about promises that
 * never end (`runtime/debuggable.js` of @pulumi/pulumi 3). Whoever asks for that message gets whole stacks.
 */
export function shortenStackTraces(environment: NodeJS.ProcessEnv = process.env): void {
  if (environment['PULUMI_DEBUG_PROMISE_LEAKS'] === undefined) Error.stackTraceLimit = 1;
}
