import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHECKOUT } from '../../local/rig/paths';
import type { Rig } from '../../local/rig';

/** What a command printed, and how it ended. */
export interface Finished {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a command of `local/cli.ts`, as `make` does. */
export function runCli(args: string[]): Promise<Finished> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'local/cli.ts', ...args], {
    cwd: CHECKOUT,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code: code ?? 1, stdout, stderr })));
}

/** Fails with what a command said where it did not end well. */
export function succeeded({ code, stdout, stderr }: Finished): void {
  if (code !== 0) throw new Error(`exit code ${code}\n${stdout}\n${stderr}`);
}

/** Asks the emulated account through the AWS CLI, which is none of our own code. */
export async function aws<T>(rig: Rig, ...args: string[]): Promise<T> {
  const { code, stdout, stderr } = await rig.exec(['aws', ...args, '--output', 'json']);
  if (code !== 0) throw new Error(`aws ${args.join(' ')}: ${stderr}`);
  return JSON.parse(stdout === '' ? 'null' : stdout) as T;
}

/** Runs a shell command on an instance, as root. */
export async function onInstance(rig: Rig, instanceId: string, script: string): Promise<Finished> {
  const podman = {
    CONTAINERS_CONF: rig.paths.containersConf,
    CONTAINERS_STORAGE_CONF: rig.paths.storageConf,
  };
  const { code, stdout, stderr } = await rig.exec(['podman', 'exec', instanceId, 'sh', '-c', script], {
    env: podman,
  });
  return { code: code ?? 1, stdout, stderr };
}

/** A compute node in the orchestrator's own list. */
export interface ComputeNode {
  name: string;
  membership: string;
  connection: string;
  /** Since when the orchestrator has heard from it, in ms since the epoch. */
  connectedSince: number;
  labels: Record<string, string>;
}

/** The compute nodes, as the orchestrator lists them over its REST interface. */
export async function computeNodes(rig: Rig): Promise<ComputeNode[]> {
  const url = `${rig.endpoints.bacalhau}/api/v1/orchestrator/nodes`;
  const listed = await rig.exec(['curl', '--silent', '--show-error', '--fail', url]);
  if (listed.code !== 0) throw new Error(listed.stderr);
  const { Nodes } = JSON.parse(listed.stdout) as {
    Nodes: {
      Info: { NodeID: string; NodeType: string; Labels: Record<string, string> };
      Membership: string;
      ConnectionState: { Status: string; ConnectedSince: string };
    }[];
  };
  return Nodes.filter(({ Info }) => Info.NodeType === 'Compute').map(
    ({ Info, Membership, ConnectionState }) => ({
      name: Info.NodeID,
      membership: Membership,
      connection: ConnectionState.Status,
      connectedSince: Date.parse(ConnectionState.ConnectedSince),
      labels: Info.Labels,
    }),
  );
}

/** The same, of those that the orchestrator hears from. */
export const connectedNodes = async (rig: Rig): Promise<ComputeNode[]> =>
  (await computeNodes(rig)).filter(({ connection }) => connection === 'CONNECTED');

/** Has the emulator do what AWS has no interface for. */
export async function emulator(rig: Rig, path: string, body: object): Promise<void> {
  const order = ['--json', JSON.stringify(body), `${rig.endpoints.aws}/_emu/${path}`];
  const { code, stderr } = await rig.exec(['curl', '--silent', '--show-error', '--fail', ...order]);
  if (code !== 0) throw new Error(`the emulator does not take ${path}: ${stderr}`);
}

/** Ids of the instances that carry a stack's tag and stand in one of some states. */
export const taggedInstances = (rig: Rig, states: string): Promise<string[]> =>
  aws<string[]>(
    rig,
    ...['ec2', 'describe-instances', '--query', 'Reservations[].Instances[].InstanceId', '--filters'],
    ...['Name=tag-key,Values=skyfleet-stack', `Name=instance-state-name,Values=${states}`],
  );

/** A copy of the program in which a test may change files; its packages are the checkout's own. */
export function copyOfProgram(folder: string): string {
  for (const part of [
    'index.ts',
    'package.json',
    'tsconfig.json',
    'Pulumi.yaml',
    'Pulumi.local.yaml',
    'components',
    'config',
    'deployment',
  ]) {
    fs.cpSync(path.join(CHECKOUT, part), path.join(folder, part), { recursive: true });
  }
  fs.symlinkSync(path.join(CHECKOUT, 'node_modules'), path.join(folder, 'node_modules'));
  return folder;
}
