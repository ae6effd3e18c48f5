import { exitCodes } from '../exit-codes';
import { readFleet, type Fleet } from '../fleet/fleet';
import { findNodes } from '../fleet/find';
import { logCommand, showSetupLog, type LogSource } from '../fleet/logs';
import { printer, problemOf, runOnNodes } from '../fleet/run-on-nodes';
import { seeNodes } from '../fleet/seen';
import { SshKeys } from '../fleet/ssh';
import type { FleetNode } from '../fleet/nodes';
import { concluded, sideBySide } from '../side-by-side';
import { stacksOf, type StackChoice } from '../stacks';

export interface LogsOptions extends StackChoice {
  /** Whose log. */
  of: LogSource;
  /** Goes on until Ctrl-C. */
  follow: boolean;
  /** How many of the last lines. */
  lines: number;
  json: boolean;
}

/** Setup logs are of places, and not of nodes. */
async function setupLogs(fleet: Fleet, nodes: readonly FleetNode[], options: LogsOptions): Promise<void> {
  const sky = await fleet.server();
  const incarnations = [...new Map(nodes.map((node) => [node.incarnation, node])).values()];
  const show = ({ incarnation }: FleetNode, line: string): void => {
    const prefix = incarnations.length > 1 ? `${incarnation} | ` : '';
    process.stdout.write(`${options.json ? JSON.stringify({ incarnation, line }) : `${prefix}${line}`}\n`);
  };
  await Promise.all(incarnations.map((node) => showSetupLog(sky, node, options, (line) => show(node, line))));
}

/** @throws Error that names the nodes whose log could not be shown. */
async function nodeLogs(
  fleet: Fleet,
  nodes: readonly FleetNode[],
  source: Exclude<LogSource, 'setup'>,
  options: LogsOptions,
): Promise<void> {
  const keys = new SshKeys(fleet);
  try {
    const ended = await runOnNodes(nodes, logCommand(source, options), keys, printer(nodes, options.json));
    const problems = ended.flatMap((one) => problemOf(one) ?? []);
    if (problems.length > 0) throw new Error(problems.join('\n'));
  } finally {
    keys.remove();
  }
}

/** Shows the logs of nodes, of all of the stack where none is named. */
export async function logs(names: readonly string[], options: LogsOptions): Promise<number> {
  const { of: source } = options;
  const outcomes = await sideBySide(await stacksOf(options), async (stack) => {
    const fleet = await readFleet(stack);
    const nodes = findNodes((await seeNodes(fleet)).nodes, names);
    if (source === 'setup') await setupLogs(fleet, nodes, options);
    else await nodeLogs(fleet, nodes, source, options);
  });
  return concluded(outcomes, () => exitCodes.done);
}
