import { version } from '../package.json';
import { addCompletion } from './completion';
import { exitCodes } from './exit-codes';
import { buildProgram } from './program';

/** Whoever reads standard output may stop early, such as `head`; that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit();
  throw error;
});

async function main(): Promise<void> {
  const program = buildProgram(version);
  await addCompletion(program);
  await program.parseAsync();
}

main().catch((error: unknown) => {
  process.stderr.write(`skyfleet: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodes.failed;
});
