import { applyChange } from '../apply';
import { typed } from '../asking';
import { destructionOf, destructionText } from '../destruction';
import { exitCodes } from '../exit-codes';
import { ProgressDisplay } from '../progress-display';
import { concluded, sideBySide } from '../side-by-side';
import { currentProject, stacksOf, type StackChoice } from '../stacks';

export interface DestroyOptions extends StackChoice {
  /** Names of the stacks, which stand for typing them. */
  confirm?: string[];
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
  const meant: string[] = [];
  for (const stack of stacks) {
    const exported = JSON.stringify(await workspace.exportStack(stack));
    process.stderr.write(destructionText(stack, destructionOf(exported)));
    if (await confirmed(stack, options)) meant.push(stack);
    else process.stderr.write(`${stack} stays: its name was not given\n`);
  }
  if (meant.length === 0) return exitCodes.failed;
  const display = new ProgressDisplay(`destroying ${meant.join(', ')}`, {
    verbose: options.verbose,
    names: meant.length > 1,
  });
  await display.start();
  const outcomes = await sideBySide(meant, (stack) =>
    applyChange(stack, { kind: 'destroy' }, { configFile: options.configFile, display }),
  ).finally(() => display.stop());
  return concluded(outcomes, () => (meant.length < stacks.length ? exitCodes.failed : exitCodes.done));
}
