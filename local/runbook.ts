import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs, stripVTControlCharacters } from 'node:util';
import type { FleetNode } from '../cli/fleet/nodes';
import { localStack } from './job/rig-stack';
import { OperatorShell, type Shown } from './operator-shell';
import { withOwnRig } from './own-rig';
import { openRig, startRig, type Rig } from './rig';
import { orchestratorTokenFile } from './rig/environment';
import { inNamespace } from './rig/namespace';
import { CHECKOUT } from './rig/paths';
import { endStragglers } from './rig/supervision';

/*
 * Runs the scripts of `docs/runbook/` on a rig of its own, each against the fault that it is for, and keeps what they
 * print beside them. A script that does not bring the fleet back is an error.
 */

const name = 'runbook';
const folder = path.join(CHECKOUT, 'docs', 'runbook');
/** Where a server with a login stands. */
const proxyAddress = 'https://127.0.0.1:46590';

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

    'expired-login': async () => {
      const folder = this.rig.paths.pulumi;
      const [token, certificate] = [path.join(folder, 'skypilot-token'), path.join(folder, 'proxy.crt')];
      fs.writeFileSync(token, 'the-first-token');
      const proxy = await this.askForLogin(token, certificate);
      try {
        this.shell.env = { NODE_EXTRA_CA_CERTS: certificate };
        await this.set('skypilot.endpoint', proxyAddress);
        const secret =
          'pulumi config set --secret skyfleet:skypilotToken --config-file "$SKYFLEET_CONFIG_FILE"';
        await this.shell.require(`${secret} <"$1" && npx skyfleet create --yes`, [token]);
        fs.writeFileSync(token, 'the-second-token');
        await this.record('expired-login', [token]);
        await this.expectWell(2);
        await this.set('skypilot.endpoint', this.rig.endpoints.sky);
        await this.shell.require(
          'pulumi config rm skyfleet:skypilotToken --config-file "$SKYFLEET_CONFIG_FILE" && npx skyfleet create --yes',
        );
      } finally {
        this.shell.env = {};
        proxy.kill();
      }
    },

    'no-capacity': async () => {
      await this.set('fleets[0].clusters', '3');
      const fault = {
        op: 'RunInstances',
        code: 'InsufficientInstanceCapacity',
        message: 'We do not have any.',
      };
      await this.emulator('fail', { ...fault, count: 1000, instanceType: 't3.medium' });
      await this.record('no-capacity', ['t3.large']);
      await this.emulator('fail', undefined);
      await this.expectWell(3);
    },

    'stuck-launch': async () => {
      await this.set('fleets[0].clusters', '4');
      const known = new Set((await this.nodes()).map(({ instanceId }) => instanceId));
      const waiting = this.shell.run('npx skyfleet create --yes');
      let launched: FleetNode | undefined;
      await this.until('a machine is launched', async () => {
        launched = (await this.nodes()).find(({ instanceId }) => !known.has(instanceId));
        return launched !== undefined;
      });
      await this.podman('pause', launched?.instanceId ?? '');
      const [ended] = await Promise.all([waiting, this.record('stuck-launch', [launched?.place ?? ''])]);
      if (ended.code === 0) throw new Error('the create whose launch was cancelled went well');
      await this.expectWell(4);
    },

    'lost-state': async () => {
      const backup = path.join(this.rig.paths.pulumi, 'backup.json');
      await this.shell.require(`pulumi stack export --file ${backup}`);
      await this.set('fleets[0].clusters', '5');
      await this.set('network.zones[2]', 'us-west-2c');
      await this.shell.require('npx skyfleet create --yes');
      const before = await this.nodes();
      const state = path.join(this.rig.paths.pulumi, 'state', '.pulumi', 'stacks', 'skyfleet');
      fs.rmSync(state, { recursive: true });
      await this.record('lost-state', ['local', backup]);
      await this.expectWell(5);
      const ids = (nodes: FleetNode[]): string => nodes.map(({ instanceId }) => instanceId).join(' ');
      if (ids(await this.nodes()) !== ids(before)) throw new Error('other machines stand than before');
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
    const plain = stripVTControlCharacters(text)
      .replaceAll(this.rig.paths.pulumi, '…')
      .replaceAll(CHECKOUT, '.')
      .replaceAll(os.homedir(), '~');
    if (code !== 0) throw new Error(`${entry} ended with exit code ${code}:\n${plain}`);
    fs.writeFileSync(file, plain);
  }

  /** Puts what asks for a token before SkyPilot's server. */
  private async askForLogin(token: string, certificate: string): Promise<ChildProcess> {
    const key = `${certificate}.key`;
    await this.shell.require(
      'openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=skypilot -addext subjectAltName=IP:127.0.0.1 ' +
        '-keyout "$1" -out "$2"',
      [key, certificate],
    );
    const files = [key, certificate, token];
    const argv = ['local/login-proxy.ts', ...files, new URL(proxyAddress).port, this.rig.endpoints.sky];
    const [file = '', ...args] = inNamespace(this.rig.paths, [process.execPath, '--import', 'tsx', ...argv]);
    const proxy = spawn(file, args, { cwd: CHECKOUT, stdio: ['ignore', 'pipe', 'inherit'] });
    await once(proxy.stdout, 'data');
    return proxy;
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

  /** Orders a failure of the emulator, or takes all orders back. */
  private async emulator(order: string, body: object | undefined): Promise<void> {
    const url = `${this.rig.endpoints.aws}/_emu/${order}`;
    const what = body === undefined ? ['--request', 'DELETE'] : ['--json', JSON.stringify(body)];
    const { code, stderr } = await this.rig.exec([
      'curl',
      '--silent',
      '--show-error',
      '--fail',
      ...what,
      url,
    ]);
    if (code !== 0) throw new Error(stderr);
  }

  private async podman(...words: string[]): Promise<void> {
    const { containersConf, storageConf } = this.rig.paths;
    const env = { CONTAINERS_CONF: containersConf, CONTAINERS_STORAGE_CONF: storageConf };
    const { code, stderr } = await this.rig.exec(['podman', ...words], { env });
    if (code !== 0) throw new Error(stderr);
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
