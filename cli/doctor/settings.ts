import * as fs from 'node:fs';
import { parse } from 'yaml';
import { formatProblem, type ConfigProblem } from '../../config/problem';
import type { SkyfleetConfig } from '../../config/schema';
import {
  checkStackConfig,
  nothingShared,
  sharedConfig,
  sharedStackOf,
  writtenConfig,
  type Secrets,
} from '../../config/stack-config';
import { runChild } from '../../deployment/operator/child-process';
import { parseExport, type StackState } from '../../deployment/operator/recover';
import { currentProject, shortName } from '../stacks';
import { failed, ok, type Check } from './check';

/** What the other checks of a stack go by. */
export interface StackSettings {
  /** AWS region; undefined where none is set. */
  region: string | undefined;
  /** Undefined where the configuration has problems. */
  config: SkyfleetConfig | undefined;
  secrets: Secrets;
  problems: ConfigProblem[];
}

/** Minutes that one call of the Pulumi CLI may take: it reads the state, and changes nothing. */
const pulumiMinutes = 2;

/** What `pulumi config --show-secrets --json` says of a key. */
interface ConfigEntry {
  value?: string;
  secret?: boolean;
}

async function readEntries(
  stack: string,
  configFile: string | undefined,
): Promise<Record<string, ConfigEntry>> {
  // Not by the Automation API, whose question for a stack's configuration takes no other file.
  const { code, stdout, stderr } = await runChild(
    [
      ...(['pulumi', 'config', '--show-secrets', '--json', '--non-interactive', '--stack', stack] as const),
      ...(configFile === undefined ? [] : ['--config-file', configFile]),
    ],
    { minutes: pulumiMinutes },
  );
  if (code !== 0) throw new Error(`pulumi config: ${stderr.trim()}`);
  try {
    return JSON.parse(stdout) as Record<string, ConfigEntry>;
  } catch {
    // The error of JSON.parse quotes what it could not read, and secrets stand in it.
    throw new Error('pulumi config --json printed something that is not JSON');
  }
}

/**
 * Reads the configuration of a stack as its program would, and checks it.
 *
 * @throws Error where Pulumi does not give it, or the outputs of the stack that it shares.
 */
export async function readSettings(stack: string, configFile: string | undefined): Promise<StackSettings> {
  const entries = Object.entries(await readEntries(stack, configFile));
  const written = writtenConfig(
    Object.fromEntries(entries.flatMap(([key, { value }]) => (value === undefined ? [] : [[key, value]]))),
    entries.filter(([, { secret }]) => secret === true).map(([key]) => key),
  );
  const sharedStack = sharedStackOf(written);
  const shared =
    sharedStack === undefined
      ? nothingShared
      : sharedConfig(sharedStack, await (await currentProject()).stackOutputs(sharedStack));
  const region = entries.find(([key]) => key === 'aws:region')?.[1].value;
  const checked = checkStackConfig({
    ...{ projectDir: process.cwd(), stack: shortName(stack), region: region ?? '', written, shared },
  });
  const problems: ConfigProblem[] =
    region === undefined
      ? [
          {
            key: 'aws:region',
            value: undefined,
            message: 'is missing; run: pulumi config set aws:region REGION',
          },
          ...checked.problems,
        ]
      : checked.problems;
  return { ...checked, region, problems, config: problems.length === 0 ? checked.config : undefined };
}

/** The configuration of a stack, each problem of it in the words of its stack file. */
export function judgeConfiguration(problems: readonly ConfigProblem[]): Check[] {
  return problems.length === 0
    ? [ok('configuration', 'has no problem')]
    : problems.map((problem) =>
        failed(
          'configuration',
          formatProblem(problem),
          'correct the stack file; docs/configuration.md has every key',
        ),
      );
}

/** What Pulumi has recorded of a stack, and its full name. */
export interface RecordedState {
  state: StackState;
  /** `organization/project/stack`. */
  fullName: string;
}

/** @throws Error where Pulumi does not give it. */
export async function readState(stack: string): Promise<RecordedState> {
  const exported = await (await currentProject()).exportStack(stack);
  const { name: project } = parse(fs.readFileSync('Pulumi.yaml', 'utf8')) as { name: string };
  const state = parseExport(JSON.stringify(exported), project);
  // Before anything was recorded, only the rules for a name tell it.
  const fullName =
    state.fullName ??
    (stack.split('/').length === 3 ? stack : `organization/${state.project}/${shortName(stack)}`);
  return { state, fullName };
}
