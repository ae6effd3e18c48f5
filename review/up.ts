import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { createInterface } from 'node:readline/promises';
import { parseArgs } from 'node:util';
import { exitCodes, type StackReview } from './model';
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

/**
 * What the program is told of an override (`components/override.ts`).
 *
 * @throws Error where there is nothing to override.
 */
function overrideOf({ blocked, policy }: StackReview, reason: string): NodeJS.ProcessEnv {
  if (!blocked) throw new Error('nothing is blocked: leave --override out');
  const rules = policy.findings.filter(({ severity }) => severity === 'error').map(({ rule }) => rule);
  const override = { reason, rules: [...new Set(rules)], at: new Date().toISOString() };
  return { SKYFLEET_OVERRIDE: JSON.stringify(override) };
}

async function up(stack: string, plan: string, values: ReturnType<typeof options>): Promise<number> {
  const { override, yes, 'config-file': configFile } = values;
  const saved = values.plan !== undefined;
  const [review] = saved
    ? [readSavedReview(plan, stack)]
    : await reviewStacks([stack], { ...values, savePlan: plan });
  if (review === undefined) throw new Error(`there is no review of ${stack}`);
  process.stdout.write(reviewText({ version: 1, stacks: [review] }));
  const overridden = override === undefined ? {} : overrideOf(review, override);
  if (review.blocked && override === undefined) {
    process.stderr.write(
      `${stack} is ${blockedText(review)}. Mend what is found, or say why not: --override REASON\n`,
    );
    return exitCodes.blocked;
  }
  if (!review.changes) return exitCodes.unchanged;
  if (!yes && !(await agreed(stack))) return exitCodes.failed;
  const file = configFile === undefined ? [] : ['--config-file', configFile];
  return applyPlan(['--stack', stack, '--plan', plan, ...file], { ...process.env, ...overridden });
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
  if (values.plan !== undefined) {
    process.exitCode = await up(stack, values.plan, values);
    return;
  }
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-up-'));
  try {
    process.exitCode = await up(stack, path.join(folder, 'plan.json'), values);
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = exitCodes.failed;
});
