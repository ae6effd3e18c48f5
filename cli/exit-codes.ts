/** Exit codes of every command, as scripts may read them. */
export const exitCodes = {
  /** Done, or there was nothing to do or to tell. */
  done: 0,
  /** The command failed, and says why. */
  failed: 1,
  /** Something was found that wants a look: changes, drift, a node that is not well, a remedy that is due. */
  found: 2,
  /** A decision is needed that only a person takes: blocked by policy or budget, resources that nobody has recorded. */
  undecided: 3,
} as const;

/** Exit codes of a program that was ended by a signal, as shells have them. */
export const interrupted = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

/** The exit code for several stacks: what failed first, then what is undecided. */
export function worstOf(codes: readonly number[]): number {
  const known: readonly number[] = [exitCodes.failed, exitCodes.undecided, exitCodes.found];
  return known.find((code) => codes.includes(code)) ?? codes.find((code) => code !== 0) ?? exitCodes.done;
}
