import { execFileSync } from 'node:child_process';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { stackOfFile, stacksWithFiles } from '../../config/stack-file';

const usage =
  'usage: changed-stacks --base COMMIT [--head COMMIT]\n' +
  '       changed-stacks --all\n' +
  'Prints, as a JSON list, the stacks that a change is about: those whose files change, or all where the program does.\n' +
  "Stacks of the embedded default are left out. Exit code 1 where git does not know a commit, with git's own words.";

/** Stacks that run on an emulated account only. */
const isEmbedded = (stack: string): boolean => stack === 'local' || stack.startsWith('local-');

/** Parts of the repository that no stack is made from. */
const apart =
  /^(bin|cli|docs|test|bench|local|examples|migration|packaging|review|\.github|\.ci)\/|\.md$|^(LICENSE|Makefile|jest\.config\.js|eslint\.config\.mjs|\.[^/]+)$/;

/**
 * The stacks that a change is about.
 *
 * @param files paths that the change is of.
 * @param stacks all stacks that there are.
 */
export function changedStacks(files: readonly string[], stacks: readonly string[]): string[] {
  const ofProgram = files.some((file) => stackOfFile(file) === undefined && !apart.test(file));
  if (ofProgram) return [...stacks];
  const changed = files.map(stackOfFile);
  return stacks.filter((stack) => changed.includes(stack));
}

/** The stacks that a folder has files of. */
export const stacksIn = (folder: string): string[] =>
  stacksWithFiles(folder).filter((stack) => !isEmbedded(stack));

function main(): void {
  const { values } = parseArgs({
    options: {
      all: { type: 'boolean', default: false },
      base: { type: 'string' },
      head: { type: 'string', default: 'HEAD' },
    },
  });
  const stacks = stacksIn(path.resolve(__dirname, '../..'));
  if (values.all === (values.base !== undefined)) throw new Error(usage);
  const changed =
    values.base === undefined
      ? stacks
      : changedStacks(
          execFileSync('git', ['diff', '--name-only', '-z', `${values.base}...${values.head}`], {
            encoding: 'utf8',
          })
            .split('\0')
            .filter((file) => file !== ''),
          stacks,
        );
  process.stdout.write(`${JSON.stringify(changed)}\n`);
}

if (require.main === module) {
  try {
    main();
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  }
}
