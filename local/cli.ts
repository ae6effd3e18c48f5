import { spawnSync } from 'node:child_process';
import { delimiter, dirname } from 'node:path';
import { Command } from 'commander';
import { endJobs, openRig, rigStatus, startRig, stopRig } from './rig';
import { allRigPaths, leftoversOf, leftoversOfBuilds } from './rig/leftovers';
import { CHECKOUT, rigPaths } from './rig/paths';
import { ensureTools, type Tools } from './setup';
import { cacheRoot } from './tools/cache';

const DEFAULT_RIG = 'main';

export const program = new Command('skyfleet-local')
  .description("Skyfleet's embedded default: AWS emulated, everything else real, on this machine")
  .enablePositionalOptions();

program
  .command('setup')
  .description('install and build what is missing into the cache')
  .action(async () => {
    await ensureTools();
    console.log(`everything that a rig needs is there (${cacheRoot()})`);
  });

const rigOption = ['--rig <name>', 'name of the rig', DEFAULT_RIG] as const;
const stackOption = [
  '--stack <name...>',
  'the stacks, which come up side by side; Pulumi.<stack>.yaml is the configuration of each',
  ['local'],
] as [string, string, string[]];
const verboseOption = ['--verbose', 'show all that Pulumi prints', false] as const;

interface JobOptions {
  rig: string;
  verbose: boolean;
}

/** Runs a step of the main job inside the network of a rig. */
async function runInside(step: readonly string[], { rig, verbose }: JobOptions): Promise<number> {
  const options = ['--rig', rig, ...(verbose ? ['--verbose'] : [])];
  const job = [process.execPath, '--import', 'tsx', 'local/job/inside.ts', ...step, ...options];
  return (await openRig({ name: rig })).execInteractive(job, { cwd: CHECKOUT });
}

/** Where the tests find the real programs that they run. */
function testEnvironment({ pulumi, pulumiLanguageNodejs, bacalhau, python }: Tools): Record<string, string> {
  const folders = [dirname(pulumi), dirname(pulumiLanguageNodejs), process.env['PATH'] ?? ''];
  return { SKYFLEET_PYTHON: python, SKYFLEET_BACALHAU: bacalhau, PATH: folders.join(delimiter) };
}

program
  .command('up')
  .description(
    'the main job: start the rig, bring the stacks up, show that their nodes are connected and at work',
  )
  .option(...rigOption)
  .option(...stackOption)
  .option(...verboseOption)
  .action(async (options: JobOptions & { stack: string[] }) => {
    await startRig({ name: options.rig });
    const stacks = [...new Set(options.stack)];
    process.exitCode = await runInside(['up', '--stack', ...stacks], options);
  });

program
  .command('down')
  .description('destroy the stacks, then end and remove everything of the rig')
  .option(...rigOption)
  .option(...verboseOption)
  .action(async (options: JobOptions) => {
    const { rig: name } = options;
    await endJobs({ name });
    const { state } = await rigStatus({ name });
    if (state === 'incomplete') {
      console.error(
        `rig ${name} does not run any more as a whole; what is left of it goes, its stacks included`,
      );
    }
    const code = state === 'running' ? await runInside(['down'], options) : 0;
    await stopRig({ name });
    console.log(`rig ${name} is gone`);
    process.exitCode = code;
  });

program
  .command('tests')
  .description('the tests; what follows is handed to jest')
  .argument('[options...]')
  .allowUnknownOption()
  .helpOption(false)
  .action(async (options: string[]) => {
    const jest = [require.resolve('jest/bin/jest'), '--config', 'jest.config.js', ...options];
    const env = { ...process.env, ...testEnvironment(await ensureTools()) };
    const run = spawnSync(process.execPath, jest, { cwd: CHECKOUT, env, stdio: 'inherit' });
    process.exitCode = run.status ?? 1;
  });

const rig = program
  .command('rig')
  .description('the emulated account and the servers')
  .enablePositionalOptions();

rig
  .command('start')
  .description('start what does not run yet')
  .argument('[name]', 'name of the rig', DEFAULT_RIG)
  .action(async (name: string) => {
    const { paths, endpoints } = await startRig({ name });
    console.log(`rig ${name} runs in network namespace ${paths.id}`);
    for (const [service, url] of Object.entries(endpoints)) console.log(`  ${service.padEnd(10)}${url}`);
  });

rig
  .command('stop')
  .description('end and remove everything of it')
  .argument('[name]', 'name of the rig', DEFAULT_RIG)
  .action(async (name: string) => {
    await stopRig({ name });
    console.log(`rig ${name} is gone`);
  });

rig
  .command('status')
  .description('what runs; exit code 1 unless all does')
  .argument('[name]', 'name of the rig', DEFAULT_RIG)
  .action(async (name: string) => {
    const { state, services, instances } = await rigStatus({ name });
    console.log(`rig ${name}: ${state}`);
    for (const service of services) {
      console.log(
        `  ${service.name.padEnd(14)}${service.pid === undefined ? 'does not run' : `pid ${service.pid}`}`,
      );
    }
    for (const instance of instances) console.log(`  ${instance.name}  ${instance.state}`);
    if (state !== 'running') process.exitCode = 1;
  });

rig
  .command('exec')
  .description("run a command inside the rig's network, as the operator of its account")
  .option('--rig <name>', 'name of the rig', DEFAULT_RIG)
  .argument('<command...>', 'the command and its arguments')
  .passThroughOptions()
  .action(async (command: string[], options: { rig: string }) => {
    process.exitCode = await (await openRig({ name: options.rig })).execInteractive(command);
  });

rig
  .command('check-clean')
  .description(
    'list what rigs of this checkout have left on the machine; exit code 1 where there is anything',
  )
  .argument('[name]', 'name of one rig; all of them where it is left out')
  .action(async (name: string | undefined) => {
    const rigs = name === undefined ? allRigPaths() : [rigPaths(name)];
    for (const paths of rigs) {
      for (const { kind, what } of await leftoversOf(paths)) {
        console.log(`rig ${paths.name}: ${kind} ${what}`);
        process.exitCode = 1;
      }
    }
    for (const { kind, what } of await leftoversOfBuilds()) {
      console.log(`cache: ${kind} ${what}`);
      process.exitCode = 1;
    }
    if (process.exitCode !== 1) console.log('nothing of a rig is left');
  });

program.parseAsync().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
