import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeParts, runEnvironment, setupPart } from '../deployment/operator/node-task';
import type { NodeReport } from '../deployment/operator/wait';
import { run } from '../local/command';
import { localStack } from '../local/job/rig-stack';
import { withOwnRig } from '../local/own-rig';
import type { Rig } from '../local/rig';
import { inNamespace } from '../local/rig/namespace';
import { connectedNodes } from '../test/e2e/rig-run';
import type { Figure } from './figures';

/** Seconds within which a node has to be connected. */
const patienceSeconds = 120;

/** Text of a file of the requirement's task. */
const requirement = (name: string): string => readFileSync(join(__dirname, 'requirement', name), 'utf8');

/** Stops what runs on a node and deletes what setup and run parts have made, as if it had just been launched. */
const reset = `set -e
python3 -B /usr/local/lib/skyfleet/spot_notice.py --stop 2>/dev/null || true
docker ps --all --quiet | xargs --no-run-if-empty docker rm --force >/dev/null
rm -rf /etc/bacalhau /opt/bacalhau /opt/sensor /var/lib/bacalhau /var/lib/skyfleet /usr/local/lib/skyfleet \\
  /etc/cron.d/skyfleet /usr/local/bin/*.py /usr/local/bin/health-check.sh
`;

/** A node of the rig, on which parts of tasks are run. */
class BenchNode {
  constructor(
    private readonly rig: Rig,
    private readonly instanceId: string,
  ) {}

  /** Runs a shell script on the node. */
  async shell(user: 'root' | 'ubuntu', script: string, env: Record<string, string> = {}): Promise<string> {
    const { paths } = this.rig;
    const variables = Object.entries(env).flatMap(([name, value]) => ['--env', `${name}=${value}`]);
    const argv = ['podman', 'exec', '--interactive', '--user', user, ...variables, this.instanceId, 'sh'];
    return run(inNamespace(paths, argv), {
      env: {
        ...process.env,
        CONTAINERS_CONF: paths.containersConf,
        CONTAINERS_STORAGE_CONF: paths.storageConf,
      },
      input: script,
    });
  }

  /** Puts a file on the node, which root alone may read. */
  async put(path: string, text: string): Promise<void> {
    const encoded = Buffer.from(text).toString('base64');
    await this.shell(
      'root',
      `set -e\ninstall -D -m 600 /dev/null '${path}'\necho '${encoded}' | base64 -d >'${path}'\n`,
    );
  }

  /** Seconds from the start of a script to the moment since which the orchestrator has been connected to the node. */
  async connectedAfter(script: string, env: Record<string, string>): Promise<number> {
    await this.shell('root', reset);
    const start = Date.now();
    const ended = this.shell('ubuntu', script, { HOME: '/home/ubuntu', USER: 'ubuntu', ...env });
    const [since] = await Promise.all([this.connectedSince(start), ended]);
    return (since - start) / 1000;
  }

  /** The first connection of a compute node after a moment, by the orchestrator's own clock, which is this machine's. */
  private async connectedSince(start: number): Promise<number> {
    while (Date.now() < start + patienceSeconds * 1000) {
      await sleep(500);
      const connected = await connectedNodes(this.rig);
      const since = connected.map(({ connectedSince }) => connectedSince).filter((moment) => moment > start);
      if (since.length > 0) return Math.min(...since);
    }
    throw new Error(`no compute node has connected within ${patienceSeconds} s`);
  }
}

/** Brings up a stack of one node, and gives back what Pulumi says of that. */
async function oneNode(rig: Rig): Promise<NodeReport> {
  const stack = localStack(rig);
  await stack.prepare((config) => {
    const [fleet] = config['skyfleet:fleets'] as Record<string, unknown>[];
    return { ...config, 'skyfleet:fleets': [{ ...fleet, clusters: 1 }] };
  });
  const { code, output } = await stack.run('up', ['--yes', '--skip-preview'], () => undefined);
  if (code !== 0) throw new Error(`pulumi up ended with exit code ${code}:\n${output}`);
  const { nodes } = (await stack.outputs()) as { nodes: Record<string, NodeReport[]> };
  const [node] = Object.values(nodes).flat();
  if (node === undefined) throw new Error(`pulumi up brought up no node:\n${output}`);
  return node;
}

/** Puts the files of the requirement's task on the node, as SkyPilot does before its setup part. */
async function stageRequirement(node: BenchNode, rig: Rig, endpoint: string): Promise<void> {
  const read = (path: string): Promise<string> => node.shell('root', `cat '${path}'`);
  const files: Record<string, string> = {
    'etc/bacalhau/orchestrator_endpoint': endpoint,
    'etc/bacalhau/orchestrator_token': rig.orchestratorToken,
    'opt/bacalhau/docker-compose.yml': requirement('bacalhau-compose.yml'),
    'opt/sensor/docker-compose.yml': requirement('sensor-compose.yml'),
    // The requirement does not say how it makes the identity, so that is spared it.
    'opt/sensor/config/identity.json': await read('/opt/sensor/config/identity.json'),
    'opt/sensor/config/sensor-config.yaml': await read('/opt/sensor/config/sensor-config.yaml'),
    'scripts/generate_bacalhau_config.py': requirement('generate_bacalhau_config.py'),
  };
  for (const [path, text] of Object.entries(files)) await node.put(`/tmp/deploy/${path}`, text);
  await node.shell('root', 'chown -R ubuntu: /tmp/deploy');
}

/**
 * How long a node takes from being reachable to being connected to the orchestrator, by our parts and by those of the
 * requirement: both on one node of a real rig, which has the images, Docker and the files of both already.
 */
export function nodeStartFigures(say: (line: string) => void): Promise<Figure[]> {
  return withOwnRig('bench', async (rig) => {
    say('pulumi up of a node on a rig');
    const report = await oneNode(rig);
    const node = new BenchNode(rig, report.instanceId);
    const settings = JSON.parse(await node.shell('root', 'cat /var/lib/skyfleet/node.json')) as {
      bacalhau: { orchestrators: [string] };
    };
    await stageRequirement(node, rig, settings.bacalhau.orchestrators[0]);

    const ours = `set -e\n${setupPart}${nodeParts.run}`;
    const way = { incarnation: report.nodeName, standby: false, repair: false };
    const theirs = `set -e\n${requirement('setup.sh')}\n${requirement('run.sh')}`;
    const environment = { ...runEnvironment(way), SKYPILOT_NODE_IPS: report.privateIp };
    const our = await node.connectedAfter(ours, environment);
    const asItIs = await node.connectedAfter(theirs, {});
    const withoutWait = await node.connectedAfter(theirs, { DOCKER_SCRIPT_SECONDS: '0' });
    const name = 'node reachable to CONNECTED';
    return [
      { name, against: "the requirement's task", unit: 's', pairs: [[our, asItIs]], bound: 0.5 },
      { name, against: 'the same without its wait', unit: 's', pairs: [[our, withoutWait]] },
    ];
  });
}
