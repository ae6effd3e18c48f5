import { existsSync, rmSync } from 'node:fs';
import { z } from 'zod';
import { run, tryRun } from '../command';
import { mountsBelow } from '../mounts';
import { SKY_PORT } from './addresses';
import type { RigPaths } from './paths';

/**
 * Puts a command into the rig's network namespace. Not with `ip netns exec`: that mounts another /sys, which hides
 * the cgroups that containers need.
 */
export function inNamespace(paths: RigPaths, argv: readonly string[]): string[] {
  return ['nsenter', `--net=${paths.namespaceFile}`, '--', ...argv];
}

/** Whether a file holds a namespace; `ip` makes the file first, and is killed before it puts the namespace there. */
export function isNamespace(file: string): boolean {
  return mountsBelow([file]).includes(file);
}

/**
 * Makes the namespace where it is missing. It has a loopback interface and no way out.
 *
 * SkyPilot's port is one of those that the kernel gives to connections that go out: one of those would keep its server from
 * starting, and whoever asks whether it is there yet could be connected to itself.
 */
export async function createNamespace(paths: RigPaths): Promise<void> {
  if (!isNamespace(paths.namespaceFile)) {
    rmSync(paths.namespaceFile, { force: true });
    await run(['ip', 'netns', 'add', paths.id]);
  }
  await run(['ip', '-n', paths.id, 'link', 'set', 'lo', 'up']);
  const reserve = `echo ${SKY_PORT} >/proc/sys/net/ipv4/ip_local_reserved_ports`;
  await run(inNamespace(paths, ['sh', '-c', reserve]));
}

const namespaceList = z.array(z.object({ name: z.string(), id: z.number().optional() }));

/** The namespaces of containers whose network cable ends in the rig's namespace: podman leaves them when it is killed. */
export async function connectedNamespaces(paths: RigPaths): Promise<string[]> {
  if (!isNamespace(paths.namespaceFile)) return [];
  // Without any namespace at all, ip prints nothing instead of an empty list.
  const listed = await run(['ip', '-n', paths.id, '-json', 'netns', 'list']);
  return namespaceList
    .parse(JSON.parse(listed.trim() === '' ? '[]' : listed))
    .filter(({ id, name }) => id !== undefined && name !== paths.id)
    .map(({ name }) => name);
}

/** Removes the rig's namespace, and those of its containers that podman left. */
export async function deleteNamespace(paths: RigPaths): Promise<void> {
  for (const name of [...(await connectedNamespaces(paths)), paths.id]) {
    if (existsSync(`/run/netns/${name}`)) await run(['ip', 'netns', 'delete', name]);
  }
}

/** Whether an address in the namespace answers with a success. */
export async function answers(paths: RigPaths, url: string): Promise<boolean> {
  const argv = inNamespace(paths, [
    'curl',
    '--silent',
    '--fail',
    '--max-time',
    '3',
    '--output',
    '/dev/null',
    url,
  ]);
  return (await tryRun(argv)).code === 0;
}
