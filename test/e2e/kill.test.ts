import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CHECKOUT, rigPaths } from '../../local/rig/paths';
import { identify, send } from '../../local/rig/processes';
import { uniform } from '../chaos/uniform';
import { runCli, succeeded } from './rig-run';

jest.setTimeout(30 * 60_000);

/** A run that is killed without warning, at any point, leaves nothing once `down` has run. */
const name = 'e2e-kill';
const seed = Number(process.env['SKYFLEET_KILL_SEED'] ?? 2);
/** How often `up` is killed. */
const kills = Number(process.env['SKYFLEET_KILLS'] ?? 2);

const drawn = uniform(seed);

/** Network namespaces of the machine in which no process runs. */
function deadNamespaces(): string[] {
  const inUse = new Set(
    fs.readdirSync('/proc').flatMap((pid) => {
      try {
        return /^\d+$/.test(pid) ? [fs.readlinkSync(`/proc/${pid}/ns/net`)] : [];
      } catch {
        return []; // It has ended.
      }
    }),
  );
  const folder = '/run/netns';
  const names = fs.existsSync(folder) ? fs.readdirSync(folder) : [];
  return names.filter((file) => {
    const found = fs.statSync(path.join(folder, file), { throwIfNoEntry: false });
    return found !== undefined && !inUse.has(`net:[${found.ino}]`);
  });
}

/** Starts a command in a process group of its own and kills the whole group after a while, unless it ended before. */
async function runAndKill(args: string[], seconds: number): Promise<void> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'local/cli.ts', ...args], {
    cwd: CHECKOUT,
    detached: true,
    stdio: 'ignore',
  });
  const leader = child.pid === undefined ? undefined : identify(child.pid);
  if (leader === undefined) throw new Error('the command did not start');
  const ended = once(child, 'exit');
  await Promise.race([ended, sleep(seconds * 1000)]);
  send(leader, 'SIGKILL', 'group');
  await ended;
}

/** Namespaces that were dead before, and are none of ours. */
let before: Set<string>;

async function expectNothingLeft(): Promise<void> {
  const search = await runCli(['rig', 'check-clean', name]);
  expect(search).toMatchObject({ code: 0, stdout: 'nothing of a rig is left\n' });
  // A container that is just being made or removed beside us has a namespace without a process for a moment.
  let dead: string[] = [];
  for (let tries = 0; tries < 20; tries++) {
    dead = deadNamespaces().filter((one) => !before.has(one));
    if (dead.length === 0) break;
    await sleep(500);
  }
  expect(dead).toEqual([]);
}

/** Seconds that `up` takes here and now. */
let seconds: number;

beforeAll(async () => {
  before = new Set(deadNamespaces());
  const start = Date.now();
  succeeded(await runCli(['up', '--rig', name]));
  seconds = (Date.now() - start) / 1000;
});

afterAll(async () => succeeded(await runCli(['down', '--rig', name])));

test('the search finds every kind of thing that a running rig has', async () => {
  const { code, stdout } = await runCli(['rig', 'check-clean', name]);
  expect(code).toBe(1);
  for (const kind of ['process', 'namespace', 'container', 'volume', 'network', 'mount', 'folder']) {
    expect(stdout).toMatch(new RegExp(`^rig ${name}: ${kind} `, 'm'));
  }
});

test('`down` that is killed is followed by one that removes the rest', async () => {
  await runAndKill(['down', '--rig', name], (drawn() * seconds) / 4);
  succeeded(await runCli(['down', '--rig', name]));
  await expectNothingLeft();
});

test.each(Array.from({ length: kills }, (_, index) => ({ kill: index + 1, share: drawn() })))(
  `\`up\` that is killed is followed by a \`down\` that leaves nothing (seed ${seed}, kill $kill at $share of its time)`,
  async ({ share }) => {
    await runAndKill(['up', '--rig', name], share * seconds);
    succeeded(await runCli(['down', '--rig', name]));
    await expectNothingLeft();
  },
);

test('neither a broken record, nor dead servers, nor a lock of Pulumi keeps `down` from its work', async () => {
  const paths = rigPaths(name);
  succeeded(await runCli(['rig', 'start', name]));
  const record = JSON.parse(fs.readFileSync(paths.record, 'utf8')) as { services: { sky: { pid: number } } };
  const sky = identify(record.services.sky.pid);
  if (sky === undefined) throw new Error('SkyPilot does not run');
  send(sky, 'SIGKILL', 'group');
  const text = fs.readFileSync(paths.record, 'utf8');
  fs.writeFileSync(paths.record, text.slice(0, text.length / 2));
  const locks = path.join(paths.pulumi, 'state/.pulumi/locks/organization/skyfleet/local');
  fs.mkdirSync(locks, { recursive: true });
  fs.writeFileSync(path.join(locks, 'a.json'), '{');
  succeeded(await runCli(['down', '--rig', name]));
  await expectNothingLeft();
});
