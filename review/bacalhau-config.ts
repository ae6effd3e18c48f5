import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import type { NodeSettings } from '../deployment/operator/node-settings';

/** The node that a configuration is for, where it stands. */
export interface ConfiguredNode {
  instanceId: string;
  zone: string;
}

/**
 * Makes the configuration of a place's first compute node, as its node makes it.
 *
 * @param settings text of `node.json`.
 * @throws Error with what the node would say, where it could not make one.
 */
export type ConfigRenderer = (settings: string, node: ConfiguredNode) => string;

const scripts = path.join(__dirname, '..', 'deployment', 'node', 'scripts');

/** Runs a script of the node's room. */
function runScript(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): void {
  const { status, stderr, error } = spawnSync('python3', ['-B', path.join(scripts, name), ...args], {
    env: { ...process.env, ...env },
    encoding: 'utf8',
  });
  if (error !== undefined) throw error;
  if (status !== 0) throw new Error(stderr.trim());
}

/** By the node's own scripts, in a folder of their own. */
const render: ConfigRenderer = (settings, { instanceId, zone }) => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-config-'));
  const file = (name: string): string => path.join(folder, name);
  try {
    const { nodes, bucket } = JSON.parse(settings) as NodeSettings;
    // Whether it is spot decides of one key alone, which is there for both.
    const member = {
      ordinal: nodes.firstOrdinal,
      instanceId,
      zone,
      region: bucket.region,
      lifeCycle: 'spot',
    };
    fs.mkdirSync(file('tls'));
    fs.writeFileSync(file('node.json'), settings);
    fs.writeFileSync(file('member.json'), JSON.stringify(member));
    runScript(
      'generate_node_identity.py',
      [
        ...['--settings', file('node.json'), '--ordinal', String(nodes.firstOrdinal)],
        ...['--output', file('identity.json')],
      ],
      { INSTANCE_ID: instanceId },
    );
    runScript('generate_bacalhau_config.py', [
      ...['--settings', file('node.json'), '--member', file('member.json')],
      ...['--identity', file('identity.json'), '--output', file('config.yaml')],
      ...['--ca-output', file('tls/ca.crt')],
    ]);
    return fs.readFileSync(file('config.yaml'), 'utf8').replaceAll(folder, '/etc/bacalhau');
  } finally {
    fs.rmSync(folder, { recursive: true, force: true });
  }
};

/** The renderer of this machine; undefined where it has no Python 3. */
export function configRenderer(): ConfigRenderer | undefined {
  const { error } = spawnSync('python3', ['--version']);
  return error === undefined ? render : undefined;
}
