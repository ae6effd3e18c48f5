import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import type { FleetNode } from '../cli/fleet/nodes';
import { localStack } from './job/rig-stack';
import { OperatorShell, type Shown } from './operator-shell';
import { withOwnRig } from './own-rig';
import { openRig, startRig, type Rig } from './rig';
import { orchestratorTokenFile } from './rig/environment';
import { CHECKOUT } from './rig/paths';
import { endStragglers } from './rig/supervision';

/*
 * Runs the scripts of `docs/runbook/` on a rig of its own, each against the fault that it is for, and keeps what they
 * print beside them. A script that does not bring the fleet back is an error.
 */

const name = 'runbook';
const folder = path.join(CHECKOUT, 'docs', 'runbook');

class Runbook {
  private rig: Rig;
  private shell: OperatorShell;

  constructor(rig: Rig) {
    this.rig = rig;
    this.shell = this.shellOf(rig);
  }

  private shellOf(rig: Rig): OperatorShell {
    return new OperatorShell(rig, localStack(rig));
  }

  /** The entries by the names of their scripts; what one leaves behind, the next begins with. */
  readonly entries: Record<string, () => Promise<void>> = {
    'not-connected': async () => {
      const node = await this.node('local-0');
      await this.onNode(node, 'sudo docker pause bacalhau_compute');
      await this.until('the orchestrator misses it', async () =>
        (await this.nodes()).some(({ orchestrator }) => orchestrator?.connection === 'DISCONNECTED'),
      );
      await this.record('not-connected', [node]);
      await this.expectWell(2);
    },

    'full-disk': async () => {
      const node = await this.node('local-1');
      const file = '/var/lib/bacalhau/dump.tar';
      // A disk of its own, since the machines of a rig share one. The compute node keeps its open files below it.
      await this.onNode(node, 'sudo mount -t tmpfs -o size=1500m tmpfs /var/lib/bacalhau');
      await this.onNode(node, `sudo fallocate -l 900M ${file}; sudo health-check.sh --quiet || true`);
      await this.record('full-disk', [node, file]);
      await this.onNode(node, 'sudo umount /var/lib/bacalhau');
      await this.expectWell(2);
    },

    'upgrade-bacalhau': async () => {
      const shown = await this.onNode('local-0', 'sudo docker inspect -f {{.Config.Image}} bacalhau_compute');
      const image = shown.trim();
      const next = `${image}-next`;
      // No image can be fetched here: the same one under the tag of the next version.
      await this.shell.require(`npx skyfleet exec 'sudo docker tag ${image} ${next}'`);
      await this.record('upgrade-bacalhau', [next, 'local-0', 'local-1']);
      // Machines to come have no image of that name.
      await this.set('bacalhau.image', image);
      await this.shell.require('npx skyfleet create --yes');
      await this.expectWell(2);
    },

    'rotate-token': async () => {
      const token = path.join(this.rig.paths.pulumi, 'new-token');
      const [wanted, done] = [`${token}.restart`, `${token}.restarted`];
      fs.writeFileSync(token, randomBytes(24).toString('hex'), { mode: 0o600 });
      const restarting = (async () => {
        while (!fs.existsSync(wanted)) await sleep(200);
        fs.copyFileSync(token, orchestratorTokenFile(this.rig.paths));
        await endStragglers(this.rig.paths, ({ service }) => service === 'orchestrator');
        this.rig = await startRig({ name });
        fs.writeFileSync(done, '');
      })();
      const restart = `touch ${wanted}; until [ -e ${done} ]; do sleep 0.2; done`;
      await Promise.all([this.record('rotate-token', [token, restart]), restarting]);
      this.shell = this.shellOf(await openRig({ name }));
      await this.expectWell(2);
    },
  };

  /** Brings the stack up. */
  async begin(): Promise<void> {
    const api = this.rig.endpoints.bacalhau;
    await localStack(this.rig).prepare((config) => ({
      ...config,
      'skyfleet:orchestrator': { ...(config['skyfleet:orchestrator'] as object), api },
    }));
    await this.shell.enter();
    await this.shell.require('npx skyfleet create --yes');
  }

  /** Runs an entry's script and keeps what it prints. */
  private async record(entry: string, words: readonly string[]): Promise<void> {
    // Each command stands before what it prints.
    const script = `PS4='$ ' exec sh -x docs/runbook/${entry}.sh "$@"`;
    const { code, text }: Shown = await this.shell.run(script, words);
    const file = path.join(folder, `${entry}.txt`);
    // What is of this run and this machine alone.
    const plain = text.replaceAll(this.rig.paths.pulumi, '…').replaceAll(CHECKOUT, '.');
    if (code !== 0) throw new Error(`${entry} ended with exit code ${code}:\n${plain}`);
    fs.writeFileSync(file, plain);
  }

  private async nodes(): Promise<FleetNode[]> {
    const { text } = await this.shell.run('npx skyfleet nodes --json 2>/dev/null');
    return JSON.parse(text) as FleetNode[];
  }

  /** Name of the Bacalhau node that stands in a place. */
  private async node(place: string): Promise<string> {
    const found = (await this.nodes()).find((node) => node.place === place)?.node;
    if (typeof found !== 'string') throw new Error(`no node stands in ${place}`);
    return found;
  }

  private async expectWell(count: number): Promise<void> {
    const text = await this.shell.require('npx skyfleet nodes && npx skyfleet drift');
    const connected = text.match(/CONNECTED/g)?.length ?? 0;
    if (connected !== count) throw new Error(`${count} nodes should be connected:\n${text}`);
  }

  private onNode(node: string, command: string): Promise<string> {
    return this.shell.require('npx skyfleet exec --node "$1" "$2"', [node, command]);
  }

  private async set(key: string, value: string): Promise<void> {
    await this.shell.require(
      `pulumi config set --config-file "$SKYFLEET_CONFIG_FILE" --path 'skyfleet:${key}' ${value}`,
    );
  }

  private async until(what: string, holds: () => Promise<boolean>): Promise<void> {
    const deadline = Date.now() + 180_000;
    while (!(await holds())) {
      if (Date.now() > deadline) throw new Error(`waited three minutes until ${what}`);
      await sleep(1000);
    }
  }
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { only: { type: 'string', multiple: true } } });
  await withOwnRig(name, async (rig) => {
    const runbook = new Runbook(rig);
    process.stderr.write('bringing the stack up …\n');
    await runbook.begin();
    for (const [entry, run] of Object.entries(runbook.entries)) {
      if (values.only !== undefined && !values.only.includes(entry)) continue;
      process.stderr.write(`${entry} …\n`);
      await run();
    }
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
