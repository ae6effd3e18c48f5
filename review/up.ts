import { execFile, spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs, promisify } from 'node:util';
import type { Override } from '../components/override';
import { exitCodes } from './model';
import { overrideOf, planWithOverride } from './override';
import { readSavedReview } from './saved-plan';
import { reviewOptions, reviewOptionsHelp, reviewStacks } from './run';
import { blockedText, reviewText } from './text';

const usage =
  'usage: up --stack NAME [--plan FILE] [--override REASON] [--yes] …\n' +
  'Reviews a stack and applies just what was reviewed; refuses what the review blocks.\n' +
  '  --plan FILE         apply a plan that the review has saved, instead of reviewing now\n' +
  '  --override REASON   apply what is blocked, for a reason that is kept in the outputs of the stack\n' +
  '  --yes               do not ask\n' +
  reviewOptionsHelp +
  `Exit codes: ${exitCodes.unchanged} done, or nothing to do; ${exitCodes.blocked} blocked by policy or budget; else that of pulumi up, or ${exitCodes.failed}.`;

/** Shortest reason that says anything. */
const leastReason = 10;

/** Asks whether to go on. */
async function agreed(stack: string): Promise<boolean> {
  if (!process.stdin.isTTY) throw new Error('there is nobody to ask: say --yes');
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`Apply this to ${stack}? (y/N) `)).trim());
  } finally {
    terminal.close();
  }
}

/** Has Pulumi apply a plan. Ctrl-C goes to it as well, and it is waited for. */
function applyPlan(args: readonly string[], env: NodeJS.ProcessEnv): Promise<number> {
  const ignore = (): void => undefined;
  process.on('SIGINT', ignore);
  const child = spawn('pulumi', ['up', '--yes', '--skip-preview', ...args], { stdio: 'inherit', env });
  return new Promise<number>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? exitCodes.failed));
  }).finally(() => process.off('SIGINT', ignore));
}

/** Runs a command of Pulumi's and gives back what it prints. */
const asked = async (...args: string[]): Promise<string> =>
  (await promisify(execFile)('pulumi', [...args, '--non-interactive'])).stdout;

/**
 * Applies a plan against the findings, with the reason for it.
 *
 * @param folder for the plan that says so too.
 */
async function applyOverridden(
  stack: string,
  { plan, folder }: { plan: string; folder: string },
  override: Override,
  more: readonly string[],
): Promise<number> {
  const told = path.join(folder, 'overridden.json');
  fs.writeFileSync(told, planWithOverride(fs.readFileSync(plan, 'utf8'), override), { mode: 0o600 });
  const code = await applyPlan(['--stack', stack, '--plan', told, ...more], {
    ...process.env,
    SKYFLEET_OVERRIDE: JSON.stringify(override),
  });
  if (code !== 0) return code;
  // Pulumi says nothing where it keeps no outputs.
  const kept = await asked('stack', 'output', '--json', '--stack', stack);
  if ((JSON.parse(kept) as { reviewOverride?: Override }).reviewOverride?.at === override.at) return code;
  throw new Error(
    `the up went well, and the outputs of ${stack} do not hold the reason of the override: ${kept}`,
  );
}

async function up(
  stack: string,
  { plan, folder }: { plan: string; folder: string },
  values: ReturnType<typeof options>,
): Promise<number> {
  const { override: reason, yes, 'config-file': configFile } = values;
  const saved = values.plan !== undefined;
  const [review] = saved
    ? [readSavedReview(plan, stack)]
    : await reviewStacks([stack], { ...values, savePlan: plan });
  if (review === undefined) throw new Error(`there is no review of ${stack}`);
  process.stdout.write(reviewText({ version: 1, stacks: [review] }));
  const override = reason === undefined ? undefined : overrideOf(review, reason, new Date());
  if (review.blocked && override === undefined) {
    process.stderr.write(
      `${stack} is ${blockedText(review)}. Mend what is found, or say why not: --override REASON\n`,
    );
    return exitCodes.blocked;
  }
  if (!review.changes) return exitCodes.unchanged;
  if (!yes && !(await agreed(stack))) return exitCodes.failed;
  const file = configFile === undefined ? [] : ['--config-file', configFile];
  return override === undefined
    ? applyPlan(['--stack', stack, '--plan', plan, ...file], process.env)
    : applyOverridden(stack, { plan, folder }, override, file);
}

function options() {
  return parseArgs({
    options: {
      ...reviewOptions,
      plan: { type: 'string' },
      override: { type: 'string' },
      yes: { type: 'boolean', default: false },
    },
  }).values;
}

async function main(): Promise<void> {
  const values = options();
  const [stack, ...others] = values.stack ?? [];
  if (stack === undefined || stack === '' || others.length > 0) throw new Error(usage);
  if (values.override !== undefined && values.override.trim().length < leastReason) {
    throw new Error(`--override must say why, in ${leastReason} characters or more`);
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-up-'));
  try {
    const plan = values.plan ?? path.join(folder, 'plan.json');
    process.exitCode = await up(stack, { plan, folder }, values);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodes.failed;
});
