import * as fs from 'node:fs';
import * as path from 'node:path';
import type { ConfigProblem } from '../config/problem';
import { neededChoices } from './choices';
import { claimsIn, existing, parseFile, readCredentials } from './files';
import { isLegacyConfig, readLegacyConfig } from './legacy-config';
import { secretCommands, setSecrets, stacksOf, type PulumiProject } from './pulumi-secrets';
import { refused, type Entry, type Reading } from './reading';
import { MigrationError, migrationText, type MigrationReport } from './report';
import { isSkyTask, readSkyTask } from './sky-task';
import { stackFiles } from './stack-files';

export { MigrationError, migrationText, type MigrationReport };

/** What a user may say besides the file. */
export interface MigrateOptions {
  /** Folder with `Pulumi.yaml`, to which the stack files are written; the current one where absent. */
  out?: string;
  /** Put before the region for the names of stacks and fleets, with a hyphen; the region alone where absent. */
  prefix?: string;
  /** Regions of a SkyPilot task, before those that it names; a `config.yaml` names its own. */
  regions?: readonly string[];
  /** Availability zones of any of the regions; zones a and b of a region that has none here. */
  zones?: readonly string[];
  /** Addresses from which SkyPilot's server connects (`skyfleet:access.cidrs`). */
  sshCidrs?: readonly string[];
  /** Connect through AWS Systems Manager (`skyfleet:access.ssm`) instead; false where absent. */
  ssm?: boolean;
  /** Image of the sensor with its version (`skyfleet:sensor.image`). */
  sensorImage?: string;
  /** Addresses of the orchestrators, before what an `orchestrator_endpoint` file says. */
  orchestrators?: readonly string[];
  /** The one folder with the credential files; the usual ones beside the file where absent. */
  credentials?: string;
  /** Write nothing and run nothing; false where absent. */
  dryRun?: boolean;
  /** Make the stacks that are missing and set their token with the Pulumi CLI; false where absent. */
  setSecrets?: boolean;
  /** Secrets provider of the stacks that are made (`pulumi stack init`); Pulumi's default where absent. */
  secretsProvider?: string;
}

/**
 * Moves the configuration of an earlier tool over: one stack file for each of its regions. Of what only the user knows
 * (`MigrationReport.needed`), a dry run says what is missing; otherwise it is refused.
 *
 * @param file `config.yaml` of aws-spot-deployer or amauo, or a SkyPilot task.
 * @throws MigrationError with every problem found, before anything is written.
 * @throws Error where Pulumi fails; it says what has been done and what is left.
 */
export async function migrate(file: string, options: MigrateOptions = {}): Promise<MigrationReport> {
  const { out = '.', sshCidrs = [], zones = [], ssm = false, dryRun = false } = options;
  const { format, reading } = readSource(file, options);
  if (reading.problems.length > 0) throw new MigrationError(file, reading.problems);
  const credentials = readCredentials(file, reading.files, options.orchestrators ?? [], options.credentials);
  const { endpoints, token } = credentials;
  const choices = {
    prefix: options.prefix,
    zones,
    sshCidrs,
    ssm,
    sensorImage: options.sensorImage,
    endpoints,
  };
  const planned = stackFiles(reading, choices, claimsIn(out), path.basename(file));
  const files = planned.stacks.map(({ stack }) => path.join(out, `Pulumi.${stack}.yaml`));
  const open = neededChoices(choices);
  // An address that is there and wrong is not missing.
  const needed = credentials.problems.length > 0 ? [] : open;
  const problems = [
    ...credentials.problems,
    ...planned.problems,
    ...existing(files),
    ...(dryRun
      ? []
      : needed.map(({ option, why }) => ({ key: option, value: undefined, message: `is missing: ${why}` }))),
    ...(options.setSecrets === true ? secretProblems(out, token?.file) : []),
  ];
  if (problems.length > 0) throw new MigrationError(file, problems);

  const stacks = planned.stacks.map((stack, index) => ({ ...stack, file: files[index] ?? '' }));
  const names = stacks.map(({ stack }) => stack);
  const project: PulumiProject = { folder: out, secretsProvider: options.secretsProvider };
  const tokenFile = token === undefined ? undefined : path.relative(out, token.file);
  const review = `npx skyfleet review ${names.map((name) => `--stack ${name}`).join(' ')}`;
  const report: MigrationReport = {
    version: 1,
    source: { file, format },
    written: !dryRun,
    stacks,
    entries: withoutRepetition([...reading.entries, ...credentials.entries, ...planned.entries]),
    needed,
    secret: { key: 'skyfleet:orchestratorToken', file: token?.file ?? null, set: [] },
    commands: [...secretCommands(names, project, tokenFile), review],
  };
  if (dryRun) return report;
  if (options.setSecrets !== true || token === undefined) {
    write(stacks);
    return report;
  }
  // Whether Pulumi is there and reaches its backend is asked before anything is written.
  const known = await stacksOf(project);
  write(stacks);
  await setSecrets(project, names, known, token);
  return { ...report, secret: { ...report.secret, set: names }, commands: [review] };
}

/** Reads the file, whichever tool it is of. */
function readSource(
  file: string,
  { regions = [], out = '.' }: MigrateOptions,
): { format: MigrationReport['source']['format']; reading: Reading } {
  const { document, problems } = parseFile(file);
  if (fs.statSync(out, { throwIfNoEntry: false })?.isDirectory() !== true) {
    problems.push({ key: '--out', value: out, message: 'must be a folder, that of Pulumi.yaml; correct it' });
  }
  if (problems.length > 0) return { format: 'config', reading: refused(problems) };
  if (isLegacyConfig(document)) {
    const message =
      'is for a SkyPilot task; a config.yaml names its regions itself: remove the option, or change them there';
    return {
      format: 'config',
      reading:
        regions.length === 0
          ? readLegacyConfig(document)
          : refused([{ key: '--region', value: regions.join(', '), message }]),
    };
  }
  if (isSkyTask(document)) return { format: 'task', reading: readSkyTask(document, regions) };
  const message =
    "must be the config.yaml of aws-spot-deployer or amauo (aws, regions), or a SkyPilot task (resources, run); the wrapper's sky-config.yaml is neither: name the task that it launches";
  return { format: 'config', reading: refused([{ key: file, value: undefined, message }]) };
}

/** What is missing for `setSecrets`. */
function secretProblems(out: string, tokenFile: string | undefined): ConfigProblem[] {
  const problem = (message: string): ConfigProblem => ({ key: '--set-secrets', value: undefined, message });
  return [
    ...(tokenFile === undefined
      ? [
          problem(
            'needs an orchestrator_token file, and none was found; say where it is with --credentials FOLDER',
          ),
        ]
      : []),
    ...(fs.existsSync(path.join(out, 'Pulumi.yaml'))
      ? []
      : [problem(`needs Pulumi.yaml, and there is none in ${out}; say where it is with --out FOLDER`)]),
  ];
}

function write(stacks: MigrationReport['stacks']): void {
  // None is overwritten that has come to be there since it was looked for.
  stacks.forEach(({ file, text }) => fs.writeFileSync(file, text, { flag: 'wx' }));
}

/** What is the same for every region is told once. */
function withoutRepetition(entries: readonly Entry[]): Entry[] {
  return [...new Map(entries.map((entry) => [JSON.stringify(entry), entry])).values()];
}
