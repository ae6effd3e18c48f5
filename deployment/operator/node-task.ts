/**
 * What is run on nodes. No YAML library is needed here: the stored delete program uses this, and a command line holds
 * 128 KiB at most.
 */

/** Folder on the node, below the login user's home, into which the shipped files are written. */
export const stagingFolder = 'skyfleet';

/** Variables of the run part that the node's scripts read; sudo drops all others. */
const runVariables = ['SKYPILOT_NODE_IPS', 'SKYFLEET_INCARNATION', 'SKYFLEET_PHASE', 'SKYFLEET_REPAIR'];

/** The setup part of a task, with the shipped files there. */
export const setupPart = `sudo sh ~/${stagingFolder}/scripts/setup.sh\n`;

/**
 * The run part of a managed job, which stays as long as the nodes serve. It is the login user's, whose programs SkyPilot
 * can end.
 */
export const followOrders = `exec python3 -B ~/${stagingFolder}/scripts/follow_orders.py\n`;

/** What can be run on a node that is there. */
export const nodeParts = {
  run: `sudo --preserve-env=${runVariables.join(',')} sh ~/${stagingFolder}/scripts/run.sh\n`,
  'stand-down': `sudo sh ~/${stagingFolder}/scripts/stand_down.sh\n`,
} as const;
export type NodePart = keyof typeof nodeParts;

/** The task that runs a part of the node's scripts on nodes that are there: JSON, which is YAML too. */
export function nodeTask(part: NodePart, nodes: number, envs: Record<string, string>): string {
  return JSON.stringify({ name: part, num_nodes: nodes, run: nodeParts[part], envs });
}

/** How the node's run part is to run. */
export interface RunWay {
  /** Name of the cluster. */
  incarnation: string;
  /** Short of taking the place's identity, which another incarnation still has. */
  standby: boolean;
  /** Restart services whose checks fail. */
  repair: boolean;
  /** For the nodes of a managed job: the id of the order that the launch itself is. */
  order?: string;
}

/** What the node's run part is told (`deployment/node/scripts/run.sh`). */
export function runEnvironment({ incarnation, standby, repair, order }: RunWay): Record<string, string> {
  return {
    SKYFLEET_INCARNATION: incarnation,
    SKYFLEET_PHASE: standby ? 'standby' : 'full',
    SKYFLEET_REPAIR: repair ? '1' : '',
    ...(order === undefined ? {} : { SKYFLEET_ORDER: order }),
  };
}
