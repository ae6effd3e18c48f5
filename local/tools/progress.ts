const QUIET_MS = 3000;

/** Prints one line when `work` has gone on for a few seconds, and one with the time that it took. */
export async function reportStep<T>(label: string, work: () => Promise<T>): Promise<T> {
  const start = Date.now();
  const timer = setTimeout(() => console.error(`${label} ...`), QUIET_MS);
  const end = (outcome: string) => {
    clearTimeout(timer);
    const took = Date.now() - start;
    if (took >= QUIET_MS) console.error(`${label}: ${outcome} ${Math.round(took / 1000)} s`);
  };
  try {
    const result = await work();
    end('done in');
    return result;
  } catch (error) {
    end('failed after');
    throw error;
  }
}
