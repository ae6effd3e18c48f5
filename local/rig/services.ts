import { cpSync, existsSync, mkdirSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { stringify } from 'yaml';
import type { Tools } from '../setup';
import { catalogFiles, REGIONS } from '../tools/catalog';
import {
  AWS_PORT,
  BACALHAU_API,
  BACALHAU_API_PORT,
  GATEWAY,
  NATS_PORT,
  SKY_ENDPOINT,
  SKY_PORT,
} from './addresses';
import {
  emulatorEnvironment,
  orchestratorEnvironment,
  readOperatorKeys,
  SKY_FOLDER,
  skyEnvironment,
} from './environment';
import { answers } from './namespace';
import type { RigPaths } from './paths';
import { withPrivateTmp } from './private-tmp';

export const SERVICES = ['aws', 'orchestrator', 'sky'] as const;
export type ServiceName = (typeof SERVICES)[number];

/** How a service is started: with what it is run, once its files are in place. */
export interface Launch {
  argv: readonly string[];
  env: Record<string, string>;
}

/** One long-running program of a rig. */
export interface Service {
  name: ServiceName;
  /** Read by people. */
  title: string;
  /** Puts the service's files in place. Only for a service that does not run. */
  prepare: () => Launch;
  /** Whether it serves. */
  ready: () => boolean | Promise<boolean>;
  startTimeoutMs: number;
}

/** The order in which the services end, and how long each may take to end by itself once it is asked to. */
export const STOP_ORDER: readonly { name: ServiceName; timeoutMs: number }[] = [
  // It would wait for the requests that are under way.
  { name: 'sky', timeoutMs: 5_000 },
  // It removes its instances.
  { name: 'aws', timeoutMs: 60_000 },
  { name: 'orchestrator', timeoutMs: 10_000 },
];

export const emulatorReadyFile = (paths: RigPaths) => join(paths.aws, 'ready');

/** The emulated AWS: it also makes the instances and the network that they are on. */
export function emulator(paths: RigPaths, tools: Tools): Service {
  return {
    name: 'aws',
    title: 'the emulated AWS',
    prepare: () => {
      mkdirSync(paths.aws, { recursive: true });
      rmSync(emulatorReadyFile(paths), { force: true });
      return {
        argv: [
          ...[tools.python, '-m', 'skyfleet_aws', '--state', paths.aws, '--port', String(AWS_PORT)],
          ...['--gateway', GATEWAY, '--image', tools.images.instance, '--network', paths.id],
          ...['--engine-seed', tools.images.engineSeed],
          ...['--regions', REGIONS.join(','), '--termination-seconds', '8'],
        ],
        env: emulatorEnvironment(paths, tools),
      };
    },
    ready: () => existsSync(emulatorReadyFile(paths)),
    startTimeoutMs: 60_000,
  };
}

/**
 * Gives SkyPilot the wheel of itself that the instances have already. It makes one anew, from a package index that
 * cannot be reached, where the wheel is older than its own files (sky/backends/wheel_utils.py, 0.14).
 */
function installSkyWheels(paths: RigPaths, tools: Tools): void {
  const wheels = join(paths.sky, '.sky', 'wheels');
  cpSync(tools.images.wheels, wheels, { recursive: true });
  const now = new Date();
  for (const entry of readdirSync(wheels, { recursive: true }))
    utimesSync(join(wheels, String(entry)), now, now);
  utimesSync(wheels, now, now);
}

/** What SkyPilot looks for in the home folder of whoever runs it; without the catalog it would fetch one. */
export function writeSkyHome(home: string): void {
  for (const [file, content] of Object.entries(catalogFiles())) {
    const path = join(home, '.sky', 'catalogs', 'v8', file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, content);
  }
  const config = {
    // Other clouds are not looked for.
    allowed_clouds: ['aws'],
    // The server looks after managed jobs itself, and not a machine that it would launch for that.
    jobs: { controller: { consolidation_mode: true } },
  };
  writeFileSync(join(home, '.sky', 'config.yaml'), stringify(config), { mode: 0o600 });
}

/** SkyPilot's API server. It is run as `sky api start` runs it, but stays our child: no other server is touched. */
export function sky(paths: RigPaths, tools: Tools): Service {
  return {
    name: 'sky',
    title: "SkyPilot's API server",
    prepare: () => {
      installSkyWheels(paths, tools);
      writeSkyHome(paths.sky);
      const temporary = join(paths.sky, 'tmp');
      mkdirSync(temporary, { recursive: true });
      return {
        // SkyPilot keeps SSH connections to nodes under fixed names in /tmp, which another rig would share.
        argv: withPrivateTmp(
          temporary,
          [paths.state, tools.venv, SKY_FOLDER],
          [tools.python, '-m', 'sky.server.server', '--host=127.0.0.1', `--port=${SKY_PORT}`],
        ),
        env: skyEnvironment(paths, tools, readOperatorKeys(paths)),
      };
    },
    ready: () => answers(paths, `${SKY_ENDPOINT}/api/health`),
    startTimeoutMs: 120_000,
  };
}

/** Bacalhau's orchestrator. The token that compute nodes need to join is in its environment, not in its file. */
export function orchestrator(paths: RigPaths, tools: Tools): Service {
  return {
    name: 'orchestrator',
    title: "Bacalhau's orchestrator",
    prepare: () => {
      const config = join(paths.orchestrator, 'config.yaml');
      mkdirSync(paths.orchestrator, { recursive: true });
      writeFileSync(
        config,
        stringify({
          DataDir: join(paths.orchestrator, 'data'),
          API: { Host: '127.0.0.1', Port: BACALHAU_API_PORT },
          Orchestrator: {
            Enabled: true,
            Host: GATEWAY,
            Port: NATS_PORT,
            Advertise: `${GATEWAY}:${NATS_PORT}`,
          },
          Compute: { Enabled: false },
          WebUI: { Enabled: false },
          DisableAnalytics: true,
          UpdateConfig: { Interval: '0s' },
        }),
      );
      return {
        argv: [tools.bacalhau, 'serve', '--config', config, '--name', 'orchestrator'],
        env: orchestratorEnvironment(paths),
      };
    },
    ready: () => answers(paths, `${BACALHAU_API}/api/v1/agent/alive`),
    startTimeoutMs: 60_000,
  };
}
