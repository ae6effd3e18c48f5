import * as fs from 'node:fs';
import * as path from 'node:path';
import { LocalWorkspace, type StackSummary } from '@pulumi/pulumi/automation';
import { stacksWithFiles } from '../config/stack-file';

/** Which stacks a command is for, as its options say. */
export interface StackChoice {
  /** Stacks by name. */
  stack?: string[];
  /** All of the project. */
  all?: boolean;
  /** The stack file, where it is not `Pulumi.<stack>.yaml`. */
  configFile?: string;
}

/** What the backend says of a stack, as far as it is read here. */
export type ListedStack = Pick<StackSummary, 'name' | 'current'>;

/** Name of a stack without the organization and the project that may stand before it. */
export const shortName = (stack: string): string => stack.split('/').at(-1) ?? stack;

/**
 * The stacks that are meant: those that are named, all of the project that have a stack file, or the current one.
 *
 * @param listed the stacks of the project in the backend.
 * @param files names of the stacks that have a stack file.
 * @throws Error that says what there is to choose from.
 */
export function chosenStacks(
  { stack = [], all = false, configFile }: StackChoice,
  listed: readonly ListedStack[],
  files: readonly string[],
): string[] {
  const known = listed.map(({ name }) => name).sort();
  const knownText = known.length === 0 ? 'there is none; make one with: pulumi stack init' : known.join(', ');
  if (all && stack.length > 0) throw new Error('--all and --stack exclude one another');
  const chosen = all
    ? known.filter((name) => files.includes(shortName(name)))
    : stack.length > 0
      ? [...new Set(stack)]
      : listed.filter(({ current }) => current).map(({ name }) => name);
  if (chosen.length === 0) {
    throw new Error(
      all
        ? `no stack of the backend has a stack file Pulumi.<stack>.yaml here (stacks: ${knownText})`
        : `no stack is selected; name one with --stack (stacks: ${knownText})`,
    );
  }
  if (configFile !== undefined && chosen.length > 1) {
    throw new Error('--config-file is the file of one stack, and several are meant');
  }
  // A full name may be of a stack that the list shows by a shorter one.
  const missing = chosen.filter((name) => !known.some((one) => shortName(one) === shortName(name)));
  if (missing.length > 0) {
    throw new Error(`the backend has no stack ${missing.join(', ')} (stacks: ${knownText})`);
  }
  return chosen;
}

let opened: Promise<LocalWorkspace> | undefined;

/** The Pulumi project of the current folder. */
export const currentProject = (): Promise<LocalWorkspace> => (opened ??= openProject());

/**
 * The Pulumi project of the current folder, for work of its own.
 *
 * @param env further environment of the Pulumi CLI.
 * @throws Error where there is none.
 */
export async function openProject(env: Record<string, string> = {}): Promise<LocalWorkspace> {
  const workDir = process.cwd();
  if (!fs.existsSync(path.join(workDir, 'Pulumi.yaml'))) {
    throw new Error(`there is no Pulumi.yaml in ${workDir}; run this in the folder of the project`);
  }
  return LocalWorkspace.create({ workDir, envVars: env });
}

/** The stacks that the options of a command mean. */
export async function stacksOf(choice: StackChoice): Promise<string[]> {
  const workspace = await currentProject();
  return chosenStacks(choice, await workspace.listStacks(), stacksWithFiles(workspace.workDir));
}

/**
 * The one stack that the options of a command mean.
 *
 * @throws Error where they mean several.
 */
export async function oneStackOf(choice: StackChoice): Promise<string> {
  const [stack = '', ...others] = await stacksOf(choice);
  if (others.length > 0) throw new Error('this command is for one stack; name it with --stack');
  return stack;
}
