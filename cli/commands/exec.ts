import { exitCodes } from '../exit-codes';
import { readFleet } from '../fleet/fleet';
import { findNodes } from '../fleet/find';
import { nodeName, printer, runOnNodes } from '../fleet/run-on-nodes';
import { seeNodes } from '../fleet/seen';
import { remoteCommand, SshKeys } from '../fleet/ssh';
import { jsonText } from '../output';
import { concluded, sideBySide, valuesOf } from '../side-by-side';
import { stacksOf, type StackChoice } from '../stacks';

export interface ExecOptions extends StackChoice {
  /** Names of the nodes; all where absent. */
  node?: string[];
  json: boolean;
}

/** What a command printed on a node and how it ended. */
interface Executed {
  stack: string;
  node: string;
  instanceId: string;
  exitCode: number;
  stdout: string;
  stderr: string;
}

/** Runs a command on nodes, on all of the stack where none is named. A command of one word is a line for the shell. */
export async function exec(words: readonly string[], options: ExecOptions): Promise<number> {
  const command = words.length === 1 ? (words[0] ?? '') : remoteCommand(words);
  const outcomes = await sideBySide(await stacksOf(options), async (stack): Promise<Executed[]> => {
    const fleet = await readFleet(stack);
    const seen = await seeNodes(fleet);
    const nodes = findNodes(seen.nodes, options.node ?? []);
    const keys = new SshKeys(fleet);
    const texts = new Map(nodes.map(({ instanceId }) => [instanceId, { stdout: '', stderr: '' }]));
    const print = printer(nodes);
    try {
      const ended = await runOnNodes(nodes, command, keys, (node, line, stream) => {
        const text = texts.get(node.instanceId);
        if (text !== undefined) text[stream] += `${line}\n`;
        if (!options.json) print(node, line, stream);
      });
      return ended.map(({ node, code }) => ({
        ...{ stack, node: nodeName(node), instanceId: node.instanceId, exitCode: code },
        ...(texts.get(node.instanceId) ?? { stdout: '', stderr: '' }),
      }));
    } finally {
      keys.remove();
    }
  });
  const all = valuesOf(outcomes).flatMap(({ value }) => value);
  if (options.json) process.stdout.write(jsonText(all));
  const failed = all.filter(({ exitCode }) => exitCode !== 0);
  for (const { node, exitCode } of failed) process.stderr.write(`${node} ended with exit code ${exitCode}\n`);
  return concluded(outcomes, () => (failed.length > 0 ? exitCodes.failed : exitCodes.done));
}
