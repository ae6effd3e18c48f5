import * as path from 'node:path';
import { Command, Option } from 'commander';
import { installPlugins } from '../plugins/install';
import { BACALHAU_API } from '../rig/addresses';
import { ensureSecret, orchestratorTokenFile } from '../rig/environment';
import { CHECKOUT, rigPaths } from '../rig/paths';
import { leftInAccount } from './account';
import { diagnosticsOf, progressOf, runMainJob } from './main-job';
import { LocalStack } from './stack';

/** Runs inside the network of a rig, started by `local/cli.ts`, with the environment of the rig's operator. */
interface Options {
  rig: string;
  stack: string;
  verbose: boolean;
}

const rigOption = new Option('--rig <name>', 'name of the rig').makeOptionMandatory();
const stackOption = new Option('--stack <name>', 'name of the stack').makeOptionMandatory();
const verboseOption = new Option('--verbose', 'show all that Pulumi prints').default(false);

function stackOf({ rig, stack }: Options): { stack: LocalStack; paths: ReturnType<typeof rigPaths> } {
  const paths = rigPaths(rig);
  const token = ensureSecret(orchestratorTokenFile(paths));
  const settings = {
    projectDir: CHECKOUT,
    folder: paths.pulumi,
    stack,
    env: process.env,
    orchestratorToken: token,
  };
  return { stack: new LocalStack(settings), paths };
}

const show = (line: string): void => void process.stderr.write(`${line}\n`);

async function up(options: Options): Promise<void> {
  const { stack, paths } = stackOf(options);
  await installPlugins(path.join(paths.pulumi, 'home'));
  await stack.prepare();
  const table = await runMainJob(stack, {
    projectDir: CHECKOUT,
    stackName: options.stack,
    orchestrator: BACALHAU_API,
    logs: paths.logs,
    show,
    verbose: options.verbose,
  });
  process.stdout.write(`${table}\n`);
}

async function down(options: Options): Promise<void> {
  const { stack } = stackOf(options);
  if (!stack.exists()) return;
  show(`pulumi destroy, stack ${options.stack}`);
  const { code, output } = await stack.run('destroy', ['--yes', '--skip-preview'], (line) => {
    const progress = options.verbose ? line : progressOf(line);
    if (progress !== undefined) show(progress);
  });
  if (code !== 0) throw new Error(`pulumi destroy failed:\n${diagnosticsOf(output)}`);
  const left = await leftInAccount(process.env['AWS_REGION'] ?? '');
  if (left.length > 0) throw new Error(`pulumi destroy left in the emulated account: ${left.join(', ')}`);
}

const program = new Command();
for (const [name, action] of Object.entries({ up, down })) {
  program.command(name).addOption(rigOption).addOption(stackOption).addOption(verboseOption).action(action);
}
program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
