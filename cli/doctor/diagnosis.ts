import { exitCodes } from '../exit-codes';
import type { Check, CheckState } from './check';

/** How everything is that a deployment needs. */
export interface Diagnosis {
  /** What is the same for all stacks. */
  checks: Check[];
  stacks: StackDiagnosis[];
}

/** How everything is that one stack needs. */
export interface StackDiagnosis {
  /** Name of the stack. */
  stack: string;
  checks: Check[];
}

/** How many checks came out how. */
export type CheckCounts = Record<CheckState, number>;

const allChecks = ({ checks, stacks }: Diagnosis): Check[] => [
  ...checks,
  ...stacks.flatMap((one) => one.checks),
];

/** Counts the checks of a diagnosis by how they came out. */
export function countsOf(diagnosis: Diagnosis): CheckCounts {
  const counts: CheckCounts = { ok: 0, failed: 0, unknown: 0, skipped: 0 };
  for (const { state } of allChecks(diagnosis)) counts[state]++;
  return counts;
}

/** What is skipped alone is no fault: its cause is told beside it, or it stops nothing. */
export function exitCodeOf(diagnosis: Diagnosis): number {
  const { failed, unknown } = countsOf(diagnosis);
  return failed + unknown > 0 ? exitCodes.found : exitCodes.done;
}

const stateTexts: Record<CheckState, string> = {
  ok: 'ok',
  failed: 'FAILED',
  unknown: 'cannot be told',
  skipped: 'skipped',
};

const indented = (text: string, indent: string): string => text.replaceAll('\n', `\n${indent}`);

function checkText({ check, state, detail, remedy }: Check): string {
  const line = `  ${stateTexts[state]}: ${check}: ${indented(detail, '      ')}\n`;
  return remedy === undefined ? line : `${line}      remedy: ${indented(remedy, '      ')}\n`;
}

function section(title: string, checks: readonly Check[], verbose: boolean): string {
  const shown = checks.filter(({ state }) => verbose || state !== 'ok');
  return shown.length === 0 ? '' : `${title}:\n${shown.map(checkText).join('')}`;
}

/** The closing line, such as `12 checks: 10 ok, 1 failed, 1 cannot be told`. */
function sumText(counts: CheckCounts): string {
  const states = Object.keys(stateTexts) as CheckState[];
  const parts = states
    .filter((state) => counts[state] > 0)
    .map((state) => `${counts[state]} ${stateTexts[state].toLowerCase()}`);
  const all = states.reduce((sum, state) => sum + counts[state], 0);
  return `${all} checks: ${parts.join(', ')}\n`;
}

/**
 * A diagnosis in words.
 *
 * @param verbose also shows what is well.
 */
export function diagnosisText(diagnosis: Diagnosis, verbose: boolean): string {
  return [
    section('this machine', diagnosis.checks, verbose),
    ...diagnosis.stacks.map(({ stack, checks }) => section(stack, checks, verbose)),
    sumText(countsOf(diagnosis)),
  ].join('');
}
