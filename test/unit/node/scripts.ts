import { spawn, type ChildProcess } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';

/** What is shipped to a node. */
export const nodeRoom = path.join(__dirname, '../../../deployment/node');

export interface Finished {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. */
export function run(
  program: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child: ChildProcess = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout?.on('data', (text: Buffer) => (stdout += text.toString()));
    child.stderr?.on('data', (text: Buffer) => (stderr += text.toString()));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr }));
  });
}

/** Runs one of the node's Python scripts; -B keeps compiled files out of the room that is shipped. */
export function runScript(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<Finished> {
  return run('python3', ['-B', path.join(nodeRoom, 'scripts', name), ...args], env);
}

/** Evaluates Python with the node's scripts at hand; `code` prints JSON. */
export async function evaluate<T>(code: string, env: NodeJS.ProcessEnv = {}): Promise<T> {
  const finished = await run('python3', ['-B', '-c', code], {
    PYTHONPATH: path.join(nodeRoom, 'scripts'),
    ...env,
  });
  if (finished.code !== 0) throw new Error(finished.stderr);
  return JSON.parse(finished.stdout) as T;
}

/** Runs a scenario of this folder in a network namespace of its own, with loopback only; it prints JSON. */
export async function scenario<T>(
  name: string,
  args: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<T> {
  const command = 'ip link set lo up && exec python3 -B "$@"';
  const finished = await run(
    'unshare',
    ['--map-root-user', '--net', 'sh', '-c', command, 'sh', path.join(__dirname, name), ...args],
    { PYTHONPATH: `${path.join(nodeRoom, 'scripts')}:${__dirname}`, ...env },
  );
  if (finished.code !== 0)
    throw new Error(`${name} ended with ${finished.code}\n${finished.stdout}\n${finished.stderr}`);
  return JSON.parse(finished.stdout) as T;
}

/** Runs a scenario of a whole node (whole_node.py), whose node.json stands in `folder`. */
export function nodeScenario<T>(name: string, folder: string): Promise<T> {
  const compose = parse(fs.readFileSync(path.join(nodeRoom, 'bacalhau/docker-compose.yml'), 'utf8')) as {
    services: { compute: unknown };
  };
  return scenario<T>(name, [folder, nodeRoom, bacalhau(), JSON.stringify(compose.services.compute)]);
}

/** A health check as a scenario shows it. */
export interface Health {
  code: number;
  healthy: boolean;
  failed: Record<string, string>;
  report: Report;
}

export interface Report {
  nodeName: string;
  healthy: boolean;
  interruption: {
    action: string;
    time: string;
    noticedAt: string;
    stage: string;
    sensorObjects: string[];
  } | null;
  checks: { name: string; ok: boolean; detail: string; [value: string]: unknown }[];
}

/** How a job ended on the scenario's orchestrator. */
export interface Job {
  state: string;
  executions: { state: number; message: string }[];
}

/** A valid member.json, of a node on demand. */
export function member() {
  return {
    instanceId: 'i-0123456789abcdef0',
    zone: 'us-west-2a',
    region: 'us-west-2',
    privateIp: '10.0.0.5',
    publicIp: null,
    lifeCycle: 'on-demand',
    incarnation: 'local-0-k3f9',
    member: 0,
    nodeName: 'local-0-k3f9',
    ordinal: 59,
  };
}

/** Path of a real Bacalhau 1.9 binary. */
export function bacalhau(): string {
  const binary = process.env['SKYFLEET_BACALHAU'];
  if (binary === undefined || !fs.existsSync(binary)) {
    throw new Error(
      'SKYFLEET_BACALHAU must be the path of a Bacalhau 1.9 binary; `make test` builds one and sets it',
    );
  }
  return binary;
}

/** A temporary folder that is removed by `dispose`. */
export function temporaryFolder(): { path: string; dispose: () => void } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-node-'));
  return { path: folder, dispose: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

type Settings = ReturnType<typeof settings>;

/** A valid node.json. */
export function settings() {
  return {
    stack: 'organization/skyfleet/local',
    fleet: 'local',
    place: 'local-0',
    nodes: { firstOrdinal: 7, count: 1 },
    accelerators: null as { type: string; count: number } | null,
    drainMinutes: 0,
    identity: { from: 'place', range: { first: 0, last: 9999 } } as Record<string, unknown>,
    bacalhau: {
      image: 'ghcr.io/bacalhau-project/bacalhau:v1.9.0',
      orchestrators: ['nats://127.0.0.1:4222'],
      tls: { required: false, handshakeFirst: false, caCert: null as string | null },
      labels: { team: 'x' } as Record<string, string>,
      allowListedLocalPaths: ['/opt/sensor/data:ro'],
      acceptNetworkedJobs: false,
      logLevel: 'info',
      tokenKey: 'fleets/local/credentials/orchestrator-token',
    },
    sensor: { image: 'ghcr.io/bacalhau-project/sensor-log-generator:1.0.0' },
    bucket: {
      name: 'data',
      prefix: 'fleets/local/',
      region: 'us-west-2',
      endpointUrl: null as string | null,
    },
  };
}

/** A valid node.json after `change`, written into `folder`. */
export function writeSettings(folder: string, change: (value: Settings) => void = () => undefined): string {
  const value = settings();
  change(value);
  const file = path.join(folder, 'node.json');
  fs.writeFileSync(file, `${JSON.stringify(value, null, 2)}\n`);
  return file;
}
