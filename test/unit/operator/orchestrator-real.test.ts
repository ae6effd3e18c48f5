import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Orchestrator } from '../../../deployment/operator/orchestrator';
import { bacalhau, temporaryFolder } from '../node/scripts';

/** A real Bacalhau orchestrator whose API asks for a key, and compute nodes that come and go. */

jest.setTimeout(240_000);

/** Bacalhau takes none of less than 20 characters. */
const apiKey = 'planted-api-key-of-the-orchestrator';
const folder = temporaryFolder();
const processes = new Map<string, ChildProcess>();
let orchestrator: Orchestrator;
let address: string;
let natsPort: number;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

async function serve(name: string, config: Record<string, unknown>): Promise<string> {
  const port = await freePort();
  const file = path.join(folder.path, `${name}.yaml`);
  const api = { Host: '127.0.0.1', Port: port, ...(config['API'] as object | undefined) };
  const common = { NameProvider: 'hostname', DisableAnalytics: true, UpdateConfig: { Interval: '0s' } };
  fs.writeFileSync(file, JSON.stringify({ ...common, ...config, API: api }));
  const log = fs.openSync(path.join(folder.path, `${name}.log`), 'w');
  const child = spawn(
    bacalhau(),
    [...['serve', '--config', file, '--name', name], '--data-dir', path.join(folder.path, `data-${name}`)],
    { env: { PATH: process.env['PATH'], HOME: folder.path }, stdio: ['ignore', log, log] },
  );
  fs.closeSync(log);
  processes.set(name, child);
  return `http://127.0.0.1:${port}`;
}

const compute = (name: string): Promise<string> =>
  serve(name, {
    Compute: {
      Enabled: true,
      Orchestrators: [`nats://127.0.0.1:${natsPort}`],
      Heartbeat: { Interval: '1s' },
    },
  });

async function stop(name: string): Promise<void> {
  const child = processes.get(name);
  processes.delete(name);
  if (child === undefined || child.exitCode !== null) return;
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.kill('SIGKILL');
  await ended;
}

/** Waits until the nodes on the orchestrator's list are connected; where they do not come, says what its log ends with. */
async function untilConnected(...names: string[]): Promise<void> {
  const deadline = Date.now() + 100_000;
  for (;;) {
    const nodes = await orchestrator.computeNodes().catch((error: unknown) => String(error));
    if (
      typeof nodes !== 'string' &&
      names.every((name) => nodes.some((node) => node.name === name && node.connection === 'CONNECTED'))
    )
      return;
    if (Date.now() > deadline) {
      const log = fs.readFileSync(path.join(folder.path, 'orchestrator.log'), 'utf8');
      throw new Error(`${names.join(', ')} did not connect: ${JSON.stringify(nodes)}\n${log.slice(-2000)}`);
    }
    await sleep(250);
  }
}

beforeAll(async () => {
  natsPort = await freePort();
  address = await serve('orchestrator', {
    API: { Auth: { Users: [{ Alias: 'skyfleet', APIKey: apiKey, Capabilities: [{ Actions: ['*'] }] }] } },
    Orchestrator: { Enabled: true, Host: '127.0.0.1', Port: natsPort },
    // Without addresses of its own, an orchestrator's own client goes to port 4222, whoever listens there.
    Compute: { Orchestrators: [`nats://127.0.0.1:${natsPort}`] },
  });
  orchestrator = new Orchestrator(address, apiKey);
  await Promise.all(['node-1', 'node-10'].map(compute));
  await untilConnected('node-1', 'node-10');
});
afterAll(async () => {
  await Promise.all([...processes.keys()].map(stop));
  folder.dispose();
});

test('nothing is told without the key', async () => {
  await expect(new Orchestrator(address).computeNodes()).rejects.toThrow(
    /answers 401 .*skyfleet:orchestratorApiToken/,
  );
});

test('nodes leave the list when their services have ended, also before the orchestrator has noticed', async () => {
  await stop('node-1');
  await stop('node-10');
  await orchestrator.deleteNodes(['node-1', 'node-10', 'node-2']);
  expect(await orchestrator.computeNodes()).toEqual([]);
  await orchestrator.deleteNodes(['node-1', 'node-10']);
});

test('a node that still runs comes back by itself', async () => {
  await compute('node-3');
  await untilConnected('node-3');
  await orchestrator.deleteNodes(['node-3']);
  await untilConnected('node-3');
});
