import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHECKOUT } from '../../local/rig/paths';
import { LocalStack } from '../../local/job/stack';
import { pulumiEnv, type Rig } from '../../local/rig';
import { inNamespace } from '../../local/rig/namespace';

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

/** The stack `local` in a rig, driven from outside of its network. */
export function localStack(rig: Rig): LocalStack {
  return new LocalStack({
    projectDir: CHECKOUT,
    folder: rig.paths.pulumi,
    stack: 'local',
    env: pulumiEnv(rig),
    enter: (argv) => inNamespace(rig.paths, argv),
    orchestratorToken: rig.orchestratorToken,
  });
}

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
