import type { Command } from 'commander';
import { stacksWithFiles } from '../config/stack-file';

/** Options whose values are names of stacks. */
const stackOptions = ['stack', 'confirm'];

/** Gives a program the command `complete`, which prints the completion script of a shell and answers it. */
export async function addCompletion(program: Command): Promise<void> {
  // A package that only exists as an ES module.
  const { default: tab } = await import('@bomb.sh/tab/commander');
  const root = tab(program);
  for (const command of root.commands.values()) {
    for (const name of stackOptions) {
      const option = command.options.get(name);
      if (option === undefined) continue;
      option.handler = (complete) => {
        for (const stack of stacksWithFiles(process.cwd())) complete(stack, '');
      };
    }
  }
}
