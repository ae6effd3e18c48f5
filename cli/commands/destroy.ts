import { applyChange } from '../apply';
import { typed } from '../asking';
import { destructionOf, destructionText, type Destruction } from '../destruction';
import { exitCodes } from '../exit-codes';
import { jsonText } from '../output';
import { ProgressDisplay } from '../progress-display';
import { concluded, sideBySide } from '../side-by-side';
import { currentProject, stacksOf, type StackChoice } from '../stacks';

export interface DestroyOptions extends StackChoice {
  /** Names of the stacks, which stand for typing them. */
  confirm?: string[];
  json: boolean;
  verbose: boolean;
}

/** Whether somebody has named a stack, who knows what goes with it. */
async function confirmed(stack: string, { confirm }: DestroyOptions): Promise<boolean> {
  if (confirm !== undefined) return confirm.includes(stack);
  return typed(`Type ${stack} to destroy it:`, stack, `--confirm ${stack}`);
}

/** Destroys stacks, side by side, each once its name was typed. */
export async function destroy(options: DestroyOptions): Promise<number> {
  const stacks = await stacksOf(options);
  const workspace = await currentProject();
  const meant = new Map<string, Destruction>();
  for (const stack of stacks) {
    const exported = JSON.stringify(await workspace.exportStack(stack));
    const destruction = destructionOf(exported);
    process.stderr.write(destructionText(stack, destruction));
    if (await confirmed(stack, options)) meant.set(stack, destruction);
    else process.stderr.write(`${stack} stays: its name was not given\n`);
  }
  if (meant.size === 0) return exitCodes.failed;
  const display = new ProgressDisplay(`destroying ${[...meant.keys()].join(', ')}`, {
    verbose: options.verbose,
    names: meant.size > 1,
  });
  await display.start();
  const outcomes = await sideBySide([...meant.keys()], (stack) =>
    applyChange(stack, { kind: 'destroy' }, { configFile: options.configFile, display }),
  ).finally(() => display.stop());
  if (options.json) {
    const destroyed = outcomes.map((outcome) => ({
      stack: outcome.stack,
      destroyed: !('error' in outcome),
      problem: 'error' in outcome ? outcome.error.message : null,
      ...meant.get(outcome.stack),
    }));
    process.stdout.write(jsonText(destroyed));
  }
  return concluded(outcomes, () => (meant.size < stacks.length ? exitCodes.failed : exitCodes.done));
}
