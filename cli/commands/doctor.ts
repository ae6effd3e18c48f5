import type { LocalWorkspace } from '@pulumi/pulumi/automation';
import { stacksWithFiles } from '../../config/stack-file';
import { failed, messageOf, skipped, type Check } from '../doctor/check';
import { diagnoseStack } from '../doctor/diagnose';
import { diagnosisText, exitCodeOf, type Diagnosis, type StackDiagnosis } from '../doctor/diagnosis';
import { checkPrograms } from '../doctor/installed';
import { whileSpinning } from '../spinner';
import { exitCodes, worstOf } from '../exit-codes';
import { jsonText } from '../output';
import { concluded, sideBySide, valuesOf, type Outcome } from '../side-by-side';
import { chosenStacks, currentProject, shortName, type ListedStack, type StackChoice } from '../stacks';

export interface DoctorOptions extends StackChoice {
  json: boolean;
  /** Also shows what is well. */
  verbose: boolean;
}

/**
 * The stacks of the backend, or the check that says why they cannot be listed.
 *
 * @param pulumi whether the Pulumi CLI is as it must be.
 * @throws Error outside of a project.
 */
async function listStacks(pulumi: boolean): Promise<{ listed: ListedStack[] } | { check: Check }> {
  let project: LocalWorkspace;
  try {
    project = await currentProject();
  } catch (error) {
    if (pulumi) throw error;
    return { check: skipped('stacks', 'needs the Pulumi CLI') };
  }
  try {
    return { listed: await project.listStacks() };
  } catch (error) {
    return {
      check: failed('stacks', messageOf(error), 'pulumi login, to where the state is kept (docs/aws.md)'),
    };
  }
}

/** What is said of a stack that is named and not in the backend. */
const missing = (stack: string): StackDiagnosis => ({
  stack,
  checks: [failed('stack', `the backend has no stack ${stack}`, `pulumi stack init ${stack}`)],
});

/** Looks at each stack that is meant, side by side. */
async function diagnoseStacks(
  options: DoctorOptions,
  listed: readonly ListedStack[],
  aws: boolean,
): Promise<Outcome<StackDiagnosis>[]> {
  const isListed = (stack: string): boolean =>
    listed.some(({ name }) => shortName(name) === shortName(stack));
  // A stack that is not there is a finding here, not a wrong argument.
  const named = (options.stack ?? [])
    .filter((stack) => !isListed(stack))
    .map((name) => ({ name, current: false }));
  const stacks = chosenStacks(options, [...listed, ...named], stacksWithFiles(process.cwd()));
  return sideBySide(stacks, async (stack) =>
    isListed(stack)
      ? { stack, checks: await diagnoseStack(stack, { configFile: options.configFile, aws }) }
      : missing(stack),
  );
}

function write(diagnosis: Diagnosis, { json, verbose }: DoctorOptions): void {
  process.stdout.write(json ? jsonText(diagnosis) : diagnosisText(diagnosis, verbose));
}

/** Looks at all that a deployment needs, and says what to do about what is missing. */
export async function doctor(options: DoctorOptions): Promise<number> {
  const checks = await whileSpinning('looking at this machine', checkPrograms);
  const isHere = (name: string): boolean => checks.find(({ check }) => check === name)?.state === 'ok';
  const listing = await listStacks(isHere('Pulumi CLI'));
  if ('check' in listing) {
    const diagnosis = { checks: [...checks, listing.check], stacks: [] };
    write(diagnosis, options);
    return exitCodeOf(diagnosis);
  }
  let outcomes: Outcome<StackDiagnosis>[];
  try {
    outcomes = await whileSpinning('looking at what the stacks need', () =>
      diagnoseStacks(options, listing.listed, isHere('AWS CLI')),
    );
  } catch (error) {
    write({ checks, stacks: [] }, options);
    throw error;
  }
  const diagnosis = { checks, stacks: valuesOf(outcomes).map(({ value }) => value) };
  write(diagnosis, options);
  return worstOf([concluded(outcomes, () => exitCodes.done), exitCodeOf(diagnosis)]);
}
