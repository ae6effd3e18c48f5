import { CHECKOUT } from './rig/paths';
import type { Rig } from './rig';
import type { LocalStack } from './job/stack';

/** What a script printed, both streams as a terminal shows them, and how it ended. */
export interface Shown {
  code: number;
  text: string;
}

/** A shell in the checkout, as an operator of a rig has it, with the stack of the rig selected. */
export class OperatorShell {
  /** Further environment of its scripts. */
  env: Record<string, string> = {};

  constructor(
    private readonly rig: Rig,
    private readonly stack: LocalStack,
  ) {}

  /** Selects the stack, as an operator does once. */
  async enter(): Promise<void> {
    await this.require(`pulumi stack select ${this.stack.name}`);
  }

  /**
   * Runs a script.
   *
   * @param words its arguments.
   */
  async run(script: string, words: readonly string[] = []): Promise<Shown> {
    const [, , , configFile = ''] = this.stack.stackOptions();
    const { code, stdout } = await this.rig.exec(['sh', '-c', `exec 2>&1\n${script}`, 'sh', ...words], {
      cwd: CHECKOUT,
      env: { SKYFLEET_CONFIG_FILE: configFile, ...this.env },
    });
    return { code: code ?? 1, text: stdout };
  }

  /** The same; what does not end well is an error. */
  async require(script: string, words: readonly string[] = []): Promise<string> {
    const { code, text } = await this.run(script, words);
    if (code !== 0) throw new Error(`this ended with exit code ${code}:\n${script}\n${text}`);
    return text;
  }
}
