import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { askNats, type NatsAnswer } from '../../../../cli/doctor/nats';
import { bacalhau, temporaryFolder } from '../../node/scripts';

/** A real Bacalhau orchestrator that asks its compute nodes for a token. */

jest.setTimeout(120_000);

const token = 'planted-token-of-the-nodes';
const folder = temporaryFolder();
let child: ChildProcess | undefined;
let endpoint: string;

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });

const ask = (with_: string): Promise<NatsAnswer> => askNats(endpoint, with_, { endpoints: [endpoint] });

beforeAll(async () => {
  const [api, nats] = [await freePort(), await freePort()];
  endpoint = `nats://127.0.0.1:${nats}`;
  const file = path.join(folder.path, 'orchestrator.yaml');
  const config = {
    ...{ NameProvider: 'hostname', DisableAnalytics: true, UpdateConfig: { Interval: '0s' } },
    API: { Host: '127.0.0.1', Port: api },
    Orchestrator: { Enabled: true, Host: '127.0.0.1', Port: nats, Auth: { Token: token } },
    // Without addresses of its own, an orchestrator's own client goes to port 4222, whoever listens there.
    Compute: { Orchestrators: [endpoint], Auth: { Token: token } },
  };
  fs.writeFileSync(file, JSON.stringify(config));
  const log = fs.openSync(path.join(folder.path, 'orchestrator.log'), 'w');
  child = spawn(
    bacalhau(),
    ['serve', '--config', file, '--name', 'orchestrator', '--data-dir', path.join(folder.path, 'data')],
    { env: { PATH: process.env['PATH'], HOME: folder.path }, stdio: ['ignore', log, log] },
  );
  fs.closeSync(log);
  const deadline = Date.now() + 60_000;
  while ((await ask(token)).kind === 'unreachable') {
    if (Date.now() > deadline)
      throw new Error(fs.readFileSync(path.join(folder.path, 'orchestrator.log'), 'utf8'));
    await sleep(250);
  }
});
afterAll(async () => {
  if (child !== undefined) {
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
  }
  folder.dispose();
});

test('takes the token that its nodes have', async () => {
  expect(await ask(token)).toEqual({ kind: 'accepted', asksToken: true, tls: false });
});

test('refuses another one, and none', async () => {
  expect((await ask('another-token-of-the-nodes')).kind).toBe('refused');
  expect((await ask('')).kind).toBe('refused');
});
