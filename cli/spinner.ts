/**
 * Shows on a terminal, on standard error, that something is being worked on; without one it says nothing.
 *
 * @param work begins once the spinner turns.
 */
export async function whileSpinning<T>(title: string, work: () => Promise<T>): Promise<T> {
  if (!process.stderr.isTTY) return work();
  // A package that only exists as an ES module.
  const { default: ora } = await import('ora');
  const spinner = ora({ text: `${title} …`, stream: process.stderr, discardStdin: false }).start();
  try {
    return await work();
  } finally {
    spinner.stop();
  }
}
