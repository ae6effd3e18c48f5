import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { FleetNode } from './nodes';
import { sshArguments, type SshKeys } from './ssh';

/** How a command ended on a node. */
export interface RunOnNode {
  node: FleetNode;
  /** Its exit code; 255 where there was no connection. */
  code: number;
  /** Why the node could not be reached; undefined where the command ran, or `ssh` says why. */
  problem?: string;
}

/** Exit code of `ssh` where there is no connection. */
const noConnection = 255;

/** What went wrong on a node, in words; undefined where nothing did. */
export function problemOf({ node, code, problem }: RunOnNode): string | undefined {
  if (code === 0) return undefined;
  const name = nodeName(node);
  if (problem !== undefined) return `${name}: ${problem}`;
  return code === noConnection
    ? `${name} cannot be reached at ${node.address ?? 'no address'}; AWS says it is ${node.state}`
    : `${name}: the command ended with exit code ${code}`;
}

/** What a node is called before its lines. */
export const nodeName = ({ node, instanceId }: FleetNode): string => node ?? instanceId;

/**
 * Runs a command on nodes, on all at once, and hands on each line that it prints.
 *
 * @param command for the shell of the node.
 */
export async function runOnNodes(
  nodes: readonly FleetNode[],
  command: string,
  keys: SshKeys,
  onLine: (node: FleetNode, line: string, stream: 'stdout' | 'stderr') => void,
): Promise<RunOnNode[]> {
  return Promise.all(
    nodes.map(async (node): Promise<RunOnNode> => {
      let argv: string[];
      try {
        argv = ['-o', 'BatchMode=yes', ...sshArguments(await keys.target(node)), '--', command];
      } catch (error) {
        // One node that cannot be reached does not keep the command from the others.
        return { node, code: noConnection, problem: error instanceof Error ? error.message : String(error) };
      }
      const child = spawn('ssh', argv, { stdio: ['ignore', 'pipe', 'pipe'] });
      for (const stream of ['stdout', 'stderr'] as const) {
        createInterface({ input: child[stream] }).on('line', (line) => onLine(node, line, stream));
      }
      return new Promise<RunOnNode>((resolve, reject) => {
        child.on('error', reject);
        child.on('close', (code) => resolve({ node, code: code ?? 1 }));
      });
    }),
  );
}

/** Prints lines as they come: each behind the name of its node where there are several, or as a JSON object. */
export function printer(nodes: readonly FleetNode[], json = false): Parameters<typeof runOnNodes>[3] {
  if (json) {
    return (node, line) => void process.stdout.write(`${JSON.stringify({ node: nodeName(node), line })}\n`);
  }
  const width = Math.max(...nodes.map((node) => nodeName(node).length));
  const prefix = (node: FleetNode): string => (nodes.length > 1 ? `${nodeName(node).padEnd(width)} | ` : '');
  return (node, line, stream) => void process[stream].write(`${prefix(node)}${line}\n`);
}
