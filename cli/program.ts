import { createRequire } from 'node:module';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { CostOptions } from './commands/cost';
import type { CreateOptions } from './commands/create';
import type { DestroyOptions } from './commands/destroy';
import type { DoctorOptions } from './commands/doctor';
import type { DriftOptions } from './commands/drift';
import type { ExecOptions } from './commands/exec';
import type { HealthOptions } from './commands/health';
import type { ListOptions } from './commands/list';
import type { LogsOptions } from './commands/logs';
import type { MigrateCommandOptions } from './commands/migrate';
import type { NodesOptions } from './commands/nodes';
import type { RecoverOptions } from './commands/recover';
import type { RenderOptions } from './commands/render';
import type { ReviewOptions } from './commands/review';
import { logSources } from './fleet/logs';
import type { StackChoice } from './stacks';

/*
 * The command line: what each command takes. What it does is loaded when it is called, and nothing else is.
 */

const requireHere = createRequire(__filename);

/** What each command does. */
interface Commands {
  cost: typeof import('./commands/cost');
  create: typeof import('./commands/create');
  destroy: typeof import('./commands/destroy');
  doctor: typeof import('./commands/doctor');
  drift: typeof import('./commands/drift');
  exec: typeof import('./commands/exec');
  health: typeof import('./commands/health');
  list: typeof import('./commands/list');
  logs: typeof import('./commands/logs');
  migrate: typeof import('./commands/migrate');
  nodes: typeof import('./commands/nodes');
  recover: typeof import('./commands/recover');
  render: typeof import('./commands/render');
  repair: typeof import('./commands/repair');
  review: typeof import('./commands/review');
  ssh: typeof import('./commands/ssh');
}

/** The program of a command, loaded when it is called. */
const load = <N extends keyof Commands>(name: N): Commands[N] =>
  requireHere(`./commands/${name}`) as Commands[N];

/** An option that may be given several times. */
const repeated = (flags: string, description: string): Option =>
  new Option(flags, description).argParser((value: string, before: string[] | undefined) => [
    ...(before ?? []),
    value,
  ]);

const stack = repeated('-s, --stack <name>', 'the stack, or several; the current one where it is left out');
const all = new Option('-a, --all', 'all stacks of the project that have a stack file');
const configFile = new Option(
  '--config-file <file>',
  'the stack file, where it is not Pulumi.<stack>.yaml',
).env('SKYFLEET_CONFIG_FILE');
const json = new Option('--json', 'print JSON').default(false);
const yes = new Option('-y, --yes', 'do not ask').default(false);
const verbose = (what: string): Option => new Option('-v, --verbose', what).default(false);
const requests = "tell SkyPilot's requests, and where their logs are";
const pricing = [
  new Option(
    '--catalog <file>',
    "SkyPilot's catalog of AWS machines; the sky command's where it is left out",
  ),
  new Option('--prices <file>', 'prices of your own, in the form of review/cost/prices.yaml, before those'),
];

const place = repeated('--place <name>', 'only this place, or these, of one stack');

/** A command with its options. */
function command(program: Command, name: string, description: string, ...options: Option[]): Command {
  const added = program.command(name).description(description);
  for (const option of options) added.addOption(option);
  return added;
}

/** A whole number of one or more. */
function wholeNumber(text: string): number {
  if (!/^[1-9]\d*$/.test(text)) throw new InvalidArgumentError('must be a whole number of one or more.');
  return Number(text);
}

/** Runs a command, whose result is the exit code. */
const ends =
  <A extends unknown[]>(run: (...args: A) => Promise<number>) =>
  async (...args: A): Promise<void> => {
    process.exitCode = await run(...args);
  };

/** The commands that change a stack. */
function addChanges(program: Command): void {
  command(
    program,
    'create',
    'review stacks, ask, and apply just what was reviewed',
    ...[stack, all, configFile, place, ...pricing],
  )
    .alias('up')
    .option('--plan <file>', 'apply a plan that review has saved, instead of reviewing now')
    .option('--override <reason>', 'apply what is blocked, for a reason that is kept in the stack')
    .addOption(yes)
    .addOption(json)
    .addOption(verbose(requests))
    .action(ends((options: CreateOptions) => load('create').create(options)));

  command(
    program,
    'repair',
    'bring back what is gone, stopped, unhealthy or disconnected, and do nothing else',
    ...[stack, all, configFile, yes, json, verbose(requests), ...pricing],
  ).action(ends((options: CreateOptions) => load('repair').repair(options)));

  command(program, 'destroy', 'destroy stacks, each once its name was typed', stack, all, configFile)
    .addOption(repeated('--confirm <name>', 'the name of a stack, instead of typing it'))
    .addOption(json)
    .addOption(verbose('tell more'))
    .action(ends((options: DestroyOptions) => load('destroy').destroy(options)));

  command(
    program,
    'recover',
    'make a stack ready for create or destroy after Pulumi was killed',
    ...[stack, configFile, json, verbose('show each step')],
  )
    .option('--delete-unrecorded', 'delete what AWS has of the stack and Pulumi does not know', false)
    .option('--holder-ended', 'release a lock of another machine: you know that its Pulumi has ended', false)
    .action(ends((options: RecoverOptions) => load('recover').recover(options)));
}

/** The commands that tell what would change. */
function addReviews(program: Command): void {
  command(
    program,
    'doctor',
    'look at all that a deployment needs, and say what to do about what is missing',
    ...[stack, all, configFile, json, verbose('also show what is well')],
  ).action(ends((options: DoctorOptions) => load('doctor').doctor(options)));

  command(
    program,
    'review',
    'say what a create would do and cost, and change nothing',
    ...[stack, all, configFile, place, json, ...pricing],
  )
    .option('--out <folder>', 'write review.md and review.json')
    .option('--save-plan <file>', 'save the plan of the one stack, for create --plan')
    .action(ends((options: ReviewOptions) => load('review').review(options)));

  command(
    program,
    'drift',
    'say what is not as the last create left it',
    ...[stack, all, configFile, json],
  ).action(ends((options: DriftOptions) => load('drift').drift(options)));

  command(
    program,
    'cost',
    'say what stacks have cost so far, and cost for a month',
    ...[stack, all, configFile, json, ...pricing],
  )
    .option('--days <number>', 'how far to look back', wholeNumber, 30)
    .action(ends((options: CostOptions) => load('cost').cost(options)));

  command(
    program,
    'render',
    'write the SkyPilot task of each cluster as files for sky launch',
    ...[stack, configFile, json],
  )
    .option('--out <folder>', 'folder for the files; rendered/<stack> where it is left out')
    .action(ends((options: RenderOptions) => load('render').render(options)));
}

/** The commands that look at what runs, or work on it. */
function addNodes(program: Command): void {
  command(program, 'list', 'list the places of stacks', stack, all, json).action(
    ends((options: ListOptions) => load('list').list(options)),
  );

  command(
    program,
    'nodes',
    'list nodes: who is where, since when, and how it is seen',
    stack,
    all,
    json,
  ).action(ends((options: NodesOptions) => load('nodes').nodes(options)));

  const names = 'places, incarnations, Bacalhau nodes, sensors or instances; all nodes where it is left out';
  command(program, 'health', 'show the newest health reports, also of nodes that are gone')
    .argument('[name...]', names)
    .addOption(stack)
    .addOption(all)
    .addOption(json)
    .addOption(verbose('show every check'))
    .action(ends((of: string[], options: HealthOptions) => load('health').health(of, options)));

  command(program, 'logs', 'show logs of nodes, each line behind its node where there are several')
    .argument('[name...]', names)
    .addOption(stack)
    .addOption(all)
    .addOption(new Option('--of <what>', 'whose log').choices(logSources).default('compute'))
    .option('-f, --follow', 'go on until Ctrl-C', false)
    .option('-n, --lines <number>', 'how many of the last lines', wholeNumber, 50)
    .addOption(new Option('--json', 'print a JSON object for each line').default(false))
    .action(ends((of: string[], options: LogsOptions) => load('logs').logs(of, options)));

  command(program, 'exec', 'run a command on nodes; one word is a line for their shell')
    .argument('<command...>', 'the command')
    .addOption(stack)
    .addOption(all)
    .addOption(repeated('-n, --node <name>', names))
    .addOption(json)
    .passThroughOptions()
    .action(ends((words: string[], options: ExecOptions) => load('exec').exec(words, options)));

  command(program, 'ssh', 'open a shell on a node, or run a command there with this terminal')
    .argument('<name>', 'a place, incarnation, Bacalhau node, sensor or instance')
    .argument('[command...]', 'the command')
    .addOption(stack)
    .passThroughOptions()
    .action(
      ends((name: string, words: string[], options: StackChoice) => load('ssh').ssh(name, words, options)),
    );
}

/** The command that moves over from earlier tools. */
function addMigration(program: Command): void {
  command(
    program,
    'migrate',
    'write stack files from the configuration of an earlier tool, and say what became of it',
    ...[
      repeated(
        '--ssh-cidr <cidr>',
        "addresses from which SkyPilot's server connects (skyfleet:access.cidrs)",
      ),
      new Option('--ssm', 'connect through AWS Systems Manager instead').default(false),
      new Option('--sensor-image <image>', 'image of the sensor, with its version'),
      repeated('--orchestrator <address>', 'instead of what an orchestrator_endpoint file says'),
      repeated('--region <region>', 'regions of a SkyPilot task; its own where it is left out'),
      repeated('--zone <zone>', 'zones to launch in; a and b of each region where it is left out'),
      new Option('--prefix <name>', 'put before the region for the names of stacks and fleets'),
      new Option(
        '--credentials <folder>',
        'the one folder with credential files; the usual ones beside FILE',
      ),
      new Option('--out <folder>', 'folder of Pulumi.yaml, for the stack files').default('.'),
      new Option('--set-secrets', 'make the stacks and set their token with the Pulumi CLI').default(false),
      new Option('--secrets-provider <url>', 'secrets provider of the stacks that are made'),
      new Option('--dry-run', 'write nothing, and say what is still needed').default(false),
      json,
    ],
  )
    .argument('<file>', 'config.yaml of aws-spot-deployer or amauo, or a SkyPilot task')
    .action(ends((file: string, options: MigrateCommandOptions) => load('migrate').migrate(file, options)));
}

const exitCodesHelp = `
Exit codes:
  0  done, or nothing to do or to tell
  1  failed; the reason is on standard error
  2  something was found: changes, drift, a node that is not well, a remedy that is due
  3  a decision is needed: blocked by policy or budget, resources that nobody has recorded, or values
     that only you know
ssh ends as the command on the node does, and with 255 where there is no connection.`;

/** The whole command line. */
export function buildProgram(version: string): Command {
  const program = new Command('skyfleet')
    .description('Fleets of Bacalhau compute nodes on cloud (spot) machines')
    .version(version)
    .enablePositionalOptions()
    .showHelpAfterError('(--help tells what there is)')
    .addHelpText('after', exitCodesHelp);
  addReviews(program);
  addChanges(program);
  addNodes(program);
  addMigration(program);
  return program;
}
