import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  employersOf,
  isAlive,
  listProcesses,
  orphanedPlugins,
  parseProcStat,
  parsePsLine,
  seeProcess,
  type ListedProcess,
  type SeenProcess,
} from '../../../deployment/operator/processes';

const stat = (name: string, state: string): string =>
  `77 (${name}) ${state} 12 77 77 0 -1 4194304 100 0 0 0 1 2 0 0 20 0 7 0 4200 1000000 500 1 1 0 0`;

test('reads what Linux says of a process, whatever its name holds', () => {
  expect(parseProcStat(stat('a) S (b', 'S'), 'boot', 1_700_000_000)).toEqual({
    pid: 77,
    started: 'boot:4200',
    parent: 12,
    name: 'a) S (b',
    startedAt: 1_700_000_042_000,
  });
  expect(parseProcStat(stat('sh', 'Z'), 'boot', 0)).toBeUndefined();
});

test('reads what ps says of a process', () => {
  const line = '   77    12 Ss   Sun Nov  1 09:05:07 2026     /opt/home brew/bin/pulumi\n';
  expect(parsePsLine(line)).toEqual({
    pid: 77,
    started: 'Sun Nov  1 09:05:07 2026',
    parent: 12,
    name: 'pulumi',
    startedAt: Date.parse('2026-11-01T09:05:07'),
  });
  expect(parsePsLine('77 12 Z Sun Nov  1 09:05:07 2026 pulumi')).toBeUndefined();
  expect(parsePsLine('')).toBeUndefined();
});

test('a process is alive until it has ended, and another of its number is not it', async () => {
  const child = spawn('cat', { stdio: ['pipe', 'ignore', 'ignore'] });
  await once(child, 'spawn');
  const seen = seeProcess(child.pid ?? 0);
  expect(seen).toMatchObject({ parent: process.pid, name: 'cat' });
  expect(Math.abs((seen?.startedAt ?? 0) - Date.now())).toBeLessThan(600_000);
  expect(isAlive(seen as SeenProcess)).toBe(true);
  expect(isAlive({ ...(seen as SeenProcess), started: 'another' })).toBe(false);
  child.stdin.end();
  await once(child, 'exit');
  expect(isAlive(seen as SeenProcess)).toBe(false);
});

describe('a command runs for', () => {
  const tree: Record<number, [parent: number, name: string]> = {
    40: [30, 'sh'],
    30: [20, 'pulumi-resource'],
    20: [10, 'pulumi'],
    10: [1, 'bash'],
    50: [10, 'sh'],
  };
  const see = (pid: number): SeenProcess | undefined => {
    const [parent, name] = tree[pid] ?? [];
    return parent === undefined ? undefined : { pid, started: '', parent, name: name ?? '', startedAt: 0 };
  };
  const pids = (parent: number): number[] => employersOf(parent, see).map(({ pid }) => pid);

  test('its shell, the plugin and Pulumi, and for nobody above that', () => {
    expect(pids(40)).toEqual([40, 30, 20]);
  });
  test('its parent alone where no Pulumi has started it', () => {
    expect(pids(50)).toEqual([50]);
  });
  test('nobody where its parent has ended already', () => {
    expect(pids(1)).toEqual([]);
    expect(pids(99)).toEqual([]);
  });
});

test("a plugin is an orphan when no Pulumi is its parent, and one in another's home is left alone", () => {
  const plugin = '/home/ann/.pulumi/plugins/resource-aws-v7.48.0/pulumi-resource-aws';
  const process = (pid: number, parent: number, name: string, command: string): ListedProcess => ({
    ...{ pid, parent, name, command, started: '', startedAt: 0 },
  });
  const processes = [
    process(20, 10, 'pulumi', 'pulumi up'),
    process(21, 20, 'pulumi-resource', `${plugin} 127.0.0.1:4000`),
    process(31, 1, 'pulumi-resource', `${plugin} 127.0.0.1:4001`),
    process(32, 1, 'node', `node ${plugin.replace('ann', 'bob')} 127.0.0.1:4001`),
  ];
  expect(orphanedPlugins(processes, '/home/ann/.pulumi/plugins').map(({ pid }) => pid)).toEqual([31]);
});

test('the processes of the machine are listed with their command lines', () => {
  const self = listProcesses().find(({ pid }) => pid === process.pid);
  expect(self?.command).toContain('node');
});
