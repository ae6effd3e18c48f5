import { formatProblem, type ConfigProblem } from '../config/problem';
import type { Needed } from './choices';
import type { Entry, Outcome } from './reading';
import type { PlannedStack } from './stack-files';

/** What came of a move, as plain JSON. No secret is in it. */
export interface MigrationReport {
  version: 1;
  source: {
    file: string;
    /** `config.yaml` of aws-spot-deployer or amauo, or a SkyPilot task. */
    format: 'config' | 'task';
  };
  /** Whether the stack files were written; false for a dry run. */
  written: boolean;
  /** Each with the path of its stack file, and what stands there. */
  stacks: (PlannedStack & { file: string })[];
  /** What was taken over, changed, left out and not known. */
  entries: Entry[];
  /** What must be said before stack files can be written; there is such a thing in dry runs only. */
  needed: Needed[];
  secret: {
    key: 'skyfleet:orchestratorToken';
    /** The credential file; null where none was found. */
    file: string | null;
    /** Stacks for which it was set. */
    set: string[];
  };
  /** What is left to do, in this order, in the folder of the stack files. */
  commands: string[];
}

/** Raised before anything is written; lists every problem at once. */
export class MigrationError extends Error {
  constructor(
    file: string,
    readonly problems: readonly ConfigProblem[],
  ) {
    super(
      `${file} cannot be moved over:\n` + problems.map((problem) => `  ${formatProblem(problem)}`).join('\n'),
    );
    this.name = 'MigrationError';
  }
}

const headings: readonly [Outcome, string][] = [
  ['taken', 'Taken over'],
  ['changed', 'Changed, and why'],
  ['none', 'Without a counterpart, and what takes its place'],
  ['unknown', 'Not known, and not taken over'],
];

function lineOf({ key, value, to, why }: Entry): string {
  const found = value === undefined ? key : `${key}: ${String(value)}`;
  return `  ${found}${to === undefined ? '' : ` → ${to}`}${why === undefined ? '' : `\n      ${why}`}`;
}

const section = (heading: string, lines: readonly string[]): string[] =>
  lines.length === 0 ? [] : [[heading, ...lines].join('\n')];

/** The report as a user reads it. */
export function migrationText(report: MigrationReport): string {
  const { source, written, stacks, entries, needed, secret, commands } = report;
  const format = source.format === 'config' ? 'config.yaml of aws-spot-deployer or amauo' : 'a SkyPilot task';
  return [
    `${source.file} (${format})`,
    ...section(
      written ? 'Written' : 'Not written: a dry run',
      stacks.map(
        ({ file, region, nodes }) => `  ${file}: ${nodes} ${nodes === 1 ? 'node' : 'nodes'} in ${region}`,
      ),
    ),
    ...(written
      ? []
      : stacks.map(({ file, text }) => `${file} would be\n${text.replace(/^(?=.)/gm, '  ').trimEnd()}`)),
    ...section(
      'Needed before anything is written',
      needed.map(({ option, key, why }) => `  ${option} (${key}): ${why}`),
    ),
    ...headings.flatMap(([outcome, heading]) =>
      section(heading, entries.filter((entry) => entry.outcome === outcome).map(lineOf)),
    ),
    ...section('The token', [`  ${secretLine(secret)}`]),
    ...section(
      'What is left to do, where the stack files are',
      commands.map((command) => `  ${command}`),
    ),
  ]
    .join('\n\n')
    .concat('\n');
}

function secretLine({ key, file, set }: MigrationReport['secret']): string {
  if (file === null) return `${key}: no orchestrator_token file was found; Pulumi asks for the token`;
  return set.length > 0
    ? `${key}: set from ${file} for ${set.join(', ')}`
    : `${key}: in ${file}, and not set yet`;
}
