import { exitCodes } from '../exit-codes';
import { readFleet } from '../fleet/fleet';
import { findNodes } from '../fleet/find';
import { nodeName, printer, problemOf, runOnNodes } from '../fleet/run-on-nodes';
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
  /** What went wrong, in words; null where nothing did. */
  problem: string | null;
  stdout: string;
  stderr: string;
}

/** Runs a command on nodes, on all of the stack where none is named. A command of one word is a line for the shell. */
export async function exec(words: readonly string[], options: ExecOptions): Promise<number> {
  const command = remoteCommand(words);
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
      return ended.map((one) => ({
        ...{ stack, node: nodeName(one.node), instanceId: one.node.instanceId, exitCode: one.code },
        problem: problemOf(one) ?? null,
        ...(texts.get(one.node.instanceId) ?? { stdout: '', stderr: '' }),
      }));
    } finally {
      keys.remove();
    }
  });
  const all = valuesOf(outcomes).flatMap(({ value }) => value);
  if (options.json) process.stdout.write(jsonText(all));
  const problems = all.flatMap(({ problem }) => problem ?? []);
  for (const problem of problems) process.stderr.write(`${problem}\n`);
  return concluded(outcomes, () => (problems.length > 0 ? exitCodes.failed : exitCodes.done));
}
