import { confirm, input } from '@inquirer/prompts';

/** Where questions are asked: not on standard output, which may be read by a program. */
const context = { output: process.stderr };

/** @throws Error where nobody can be asked. */
function requireTerminal(instead: string): void {
  if (!process.stdin.isTTY) throw new Error(`there is nobody to ask: say ${instead}`);
}

/**
 * Asks whether to go on; the answer is no unless somebody says yes.
 *
 * @param instead the option that stands for the answer.
 * @throws Error where there is no terminal.
 */
export async function agreed(question: string, instead: string): Promise<boolean> {
  requireTerminal(instead);
  return confirm({ message: question, default: false }, context);
}

/**
 * Asks for a name to be typed, so that nobody destroys by habit.
 *
 * @returns whether it was typed.
 * @throws Error where there is no terminal.
 */
export async function typed(question: string, name: string, instead: string): Promise<boolean> {
  requireTerminal(instead);
  return (await input({ message: question }, context)).trim() === name;
}
