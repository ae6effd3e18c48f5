import { addCompletion } from './completion';
import { exitCodes } from './exit-codes';
import { buildProgram } from './program';

/** Whoever reads standard output may stop early, such as `head`; that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

/**
 * Runs the command that the arguments of the process name, and sets its exit code.
 *
 * @param version of the package.
 */
export async function skyfleet(version: string): Promise<void> {
  try {
    const program = buildProgram(version);
    await addCompletion(program);
    await program.parseAsync();
  } catch (error) {
    process.stderr.write(`skyfleet: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = exitCodes.failed;
  }
}
