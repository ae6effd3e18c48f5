import { Command, Option } from 'commander';
import { installPlugins } from '../plugins/install';
import { BACALHAU_API } from '../rig/addresses';
import { ensureSecret, orchestratorTokenFile, pulumiBackend, pulumiHome } from '../rig/environment';
import { CHECKOUT, rigPaths, type RigPaths } from '../rig/paths';
import { leftInAccount } from './account';
import { diagnosticsOf, progressTo, runMainJob } from './main-job';
import { interruptedStacks, LocalStack, stacksOf } from './stack';

/** Runs inside the network of a rig, started by `local/cli.ts`, with the environment of the rig's operator. */
interface Options {
  rig: string;
  verbose: boolean;
}

const rigOption = new Option('--rig <name>', 'name of the rig').makeOptionMandatory();
const verboseOption = new Option('--verbose', 'show all that Pulumi prints').default(false);

function stackOf(paths: RigPaths, name: string): LocalStack {
  return new LocalStack({
    projectDir: CHECKOUT,
    folder: paths.pulumi,
    stack: name,
    env: process.env,
    orchestratorToken: ensureSecret(orchestratorTokenFile(paths)),
  });
}

const show = (line: string): void => void process.stderr.write(`${line}\n`);

async function up({ rig, stack, verbose }: Options & { stack: string[] }): Promise<void> {
  const paths = rigPaths(rig);
  await installPlugins(pulumiHome(paths));
  const stacks = stack.map((name) => stackOf(paths, name));
  // One after the other: each is Pulumi's own work with the files of the project.
  for (const one of stacks) await one.prepare();
  const table = await runMainJob(stacks, {
    projectDir: CHECKOUT,
    orchestrator: BACALHAU_API,
    beside: stacksOf(paths.pulumi)
      .filter((name) => !stack.includes(name))
      .map((name) => stackOf(paths, name)),
    logs: paths.logs,
    show,
    verbose,
  });
  process.stdout.write(`${table}\n`);
}

/** Destroys every stack of the rig. */
async function down({ rig, verbose }: Options): Promise<void> {
  const paths = rigPaths(rig);
  const names = stacksOf(paths.pulumi);
  const interrupted = interruptedStacks(pulumiBackend(paths));
  if (interrupted.length > 0) {
    show(
      `the last run on stack ${interrupted.join(', ')} was killed, and its state does not say what it made last; ` +
        'the emulated account goes as a whole, with what the stacks have in it',
    );
    return;
  }
  const stacks = names.map((name) => stackOf(paths, name));
  const failures = await Promise.all(
    stacks.map(async (stack) => {
      show(`pulumi destroy, stack ${stack.name}`);
      const options = ['--yes', '--skip-preview'];
      const { code, output } = await stack.run('destroy', options, progressTo({ show, verbose }));
      return code === 0 ? [] : [`pulumi destroy of stack ${stack.name} failed:\n${diagnosticsOf(output)}`];
    }),
  );
  if (failures.flat().length > 0) throw new Error(failures.flat().join('\n'));
  const left = await leftInAccount([...new Set(stacks.map(({ region }) => region))]);
  if (left.length > 0) throw new Error(`pulumi destroy left in the emulated account: ${left.join(', ')}`);
}

const program = new Command();
program
  .command('up')
  .addOption(rigOption)
  .addOption(verboseOption)
  .requiredOption('--stack <name...>', 'names of the stacks')
  .action(up);
program.command('down').addOption(rigOption).addOption(verboseOption).action(down);
program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
