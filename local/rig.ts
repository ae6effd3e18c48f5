import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tryRun, type CommandOptions, type CommandResult } from './command';
import { withLock } from './lock';
import { AWS_ENDPOINT, BACALHAU_API, SKY_ENDPOINT } from './rig/addresses';
import { removeAbandonedBuilds } from './rig/builds';
import {
  listContainers,
  removeCgroups,
  removeContainers,
  stored,
  writeContainersConfig,
  type RigContainer,
} from './rig/containers';
import {
  ensureSecret,
  operatorEnvironment,
  orchestratorTokenFile,
  pulumiBackend,
  pulumiHome,
  pulumiPassphraseFile,
} from './rig/environment';
import { leftoversOf } from './rig/leftovers';
import { unmountBelow } from './mounts';
import { createNamespace, deleteNamespace, inNamespace } from './rig/namespace';
import { rigPaths, type RigPaths } from './rig/paths';
import { readRecord, writeRecord } from './rig/record';
import {
  emulator,
  emulatorReadyFile,
  orchestrator,
  SERVICES,
  sky,
  STOP_ORDER,
  writeSkyHome,
  type ServiceName,
} from './rig/services';
import { endStragglers, logFile, runningService, startService, stopService } from './rig/supervision';
import { installPlugins } from './plugins/install';
import { ensureTools, type Tools } from './setup';

export interface RigName {
  /** `main` is the rig of `make local`; each other name is a rig of its own that stands beside it. */
  name: string;
}

/** A rig that runs: an emulated AWS, SkyPilot's API server and an orchestrator in a network without a way out. */
export class Rig {
  readonly endpoints = { aws: AWS_ENDPOINT, sky: SKY_ENDPOINT, bacalhau: BACALHAU_API } as const;

  constructor(
    readonly paths: RigPaths,
    readonly tools: Tools,
  ) {}

  /** The token that compute nodes join the orchestrator with. */
  get orchestratorToken(): string {
    return ensureSecret(orchestratorTokenFile(this.paths));
  }

  /** Runs a command inside the rig's network, as the operator, to its end, whatever its exit code. */
  exec(argv: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
    return tryRun(inNamespace(this.paths, argv), { ...options, env: { ...pulumiEnv(this), ...options.env } });
  }

  /** The same for a person: the command has this process's terminal. Gives back its exit code. */
  execInteractive(
    argv: readonly string[],
    options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
  ): Promise<number> {
    const [file, ...args] = inNamespace(this.paths, argv) as [string, ...string[]];
    return new Promise((resolve, reject) => {
      const env = { ...pulumiEnv(this), ...options.env };
      const child = spawn(file, args, { stdio: 'inherit', cwd: options.cwd, env });
      // Ctrl-C reaches the command too, which decides what to do; we end when it has ended.
      const ignore = () => undefined;
      process.on('SIGINT', ignore);
      child.on('error', reject);
      child.on('close', (code) => {
        process.off('SIGINT', ignore);
        resolve(code ?? 1);
      });
    });
  }
}

/** The environment for the Pulumi CLI: the operator of the emulated account, with a backend and home of the rig's own. */
export function pulumiEnv(rig: Rig): Record<string, string> {
  return operatorEnvironment(rig.paths, rig.tools);
}

function requireRoot(): void {
  if (process.getuid?.() !== 0) {
    throw new Error(
      'a rig needs root (or a privileged container): it makes a network namespace and runs containers',
    );
  }
}

const locked = <T>(paths: RigPaths, work: () => Promise<T>) =>
  withLock(paths.lock, () => console.error(`waiting for another run that uses rig ${paths.name}`), work);

/**
 * A rig keeps, as long as its instances can exist, the tools and images that it was started with: podman could not read
 * the instances' storage over another store of images. What the sources ask for by now is for the next start.
 */
async function toolsFor(paths: RigPaths): Promise<Tools> {
  const recorded = readRecord(paths.record).tools;
  return recorded !== undefined && runningService(paths, 'aws') !== undefined ? recorded : ensureTools();
}

/** Starts what does not run of a rig; one that runs already is left as it is. */
export async function startRig({ name }: RigName): Promise<Rig> {
  requireRoot();
  const paths = rigPaths(name);
  return locked(paths, async () => {
    if (existsSync(emulatorReadyFile(paths)) && runningService(paths, 'aws') === undefined) {
      throw new Error(
        `rig ${name} cannot be started again: its emulated AWS account ended with the process that held it (a reboot, ` +
          `or see ${logFile(paths, 'aws')}), and with it all that the stack made. Stop the rig first, which removes ` +
          `what is left of it (rig stop ${name})`,
      );
    }
    const tools = await toolsFor(paths);
    mkdirSync(paths.runtime, { recursive: true, mode: 0o700 });
    writeFileSync(paths.owner, `${paths.state}\n`);
    mkdirSync(paths.state, { recursive: true, mode: 0o700 });
    writeRecord(paths.record, { ...readRecord(paths.record), tools });
    await createNamespace(paths);
    writeContainersConfig(paths, tools.images.store);
    mkdirSync(pulumiBackend(paths), { recursive: true });
    // The operator's home: the `sky` command looks into the catalog before it asks the server.
    writeSkyHome(paths.pulumi);
    await installPlugins(pulumiHome(paths));
    ensureSecret(pulumiPassphraseFile(paths));
    // The others need the account's keys, and the bridge that the emulator makes.
    await startService(paths, emulator(paths, tools));
    const others = await Promise.allSettled(
      [orchestrator(paths, tools), sky(paths, tools)].map((service) => startService(paths, service)),
    );
    for (const other of others) if (other.status === 'rejected') throw other.reason;
    return new Rig(paths, tools);
  });
}

/** A rig that was started before; it is an error where it does not run. */
export async function openRig({ name }: RigName): Promise<Rig> {
  const paths = rigPaths(name);
  const missing = SERVICES.filter((service) => runningService(paths, service) === undefined);
  if (missing.length > 0) {
    throw new Error(
      `rig ${name} does not run (${missing.join(', ')} missing); start it first (rig start ${name})`,
    );
  }
  return new Rig(paths, await toolsFor(paths));
}

/**
 * Ends and removes everything of a rig, also where it was killed half-way or is not there at all. What is ended is
 * known by recorded process ids, by the rig's own namespace and by its own storage, never by a name.
 */
export async function stopRig({ name }: RigName): Promise<void> {
  requireRoot();
  const paths = rigPaths(name);
  await locked(paths, async () => {
    for (const service of STOP_ORDER) await stopService(paths, service.name, service.timeoutMs);
    const containers = stored.containers(paths);
    // podman's own failure does not keep the rest from being removed; whether anything is left is seen below.
    const podmanFailure: unknown = await removeContainers(paths).then(
      () => undefined,
      (error: unknown) => error,
    );
    await endStragglers(paths, () => true);
    removeCgroups(containers);
    await unmountBelow([paths.state, paths.runtime]);
    await deleteNamespace(paths);
    await rm(paths.state, { recursive: true, force: true });
    await rm(paths.runtime, { recursive: true, force: true });
    await removeAbandonedBuilds();
    const left = await leftoversOf(paths);
    if (left.length > 0) {
      const list = left.map(({ kind, what }) => `  ${kind} ${what}`).join('\n');
      throw new Error(`rig ${name} is not wholly gone:\n${list}`, { cause: podmanFailure });
    }
  });
}

/**
 * Ends what an earlier run of the main job has left running in a rig: Pulumi, its plugins and the operator's commands,
 * which outlive a run that is killed. The rig's services and instances go on.
 */
export async function endJobs({ name }: RigName): Promise<void> {
  requireRoot();
  const paths = rigPaths(name);
  await endStragglers(paths, ({ home }) => home === paths.pulumi);
}

export interface RigStatus {
  name: string;
  state: 'absent' | 'running' | 'incomplete';
  services: { name: ServiceName; pid: number | undefined }[];
  instances: RigContainer[];
}

export async function rigStatus({ name }: RigName): Promise<RigStatus> {
  const paths = rigPaths(name);
  const services = SERVICES.map((service) => ({ name: service, pid: runningService(paths, service)?.pid }));
  const complete = services.every(({ pid }) => pid !== undefined);
  const present = existsSync(paths.state) || existsSync(paths.runtime) || existsSync(paths.namespaceFile);
  return {
    name,
    state: complete ? 'running' : present ? 'incomplete' : 'absent',
    services,
    instances: await listContainers(paths),
  };
}
