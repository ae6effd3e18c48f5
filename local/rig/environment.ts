import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { delimiter, dirname, join } from 'node:path';
import { z } from 'zod';
import type { Tools } from '../setup';
import { searchPath } from '../tools/host';
import { AWS_ENDPOINT, BACALHAU_API, SKY_ENDPOINT } from './addresses';
import { podmanEnvironment } from './containers';
import type { RigPaths } from './paths';

/** The region that the rig's operator works in where nothing else is said. */
export const DEFAULT_REGION = 'us-west-2';

/** What a program may know of the user's own environment: neither credentials nor where the user keeps any. */
const PASSED_ON = ['LANG', 'LC_ALL', 'TERM', 'TZ', 'NO_COLOR', 'CI'] as const;

/** The environment that every program of a rig begins with. `home` stands in for the user's home folder. */
export function baseEnvironment(
  home: string,
  commandFolders: readonly string[],
  ambient: NodeJS.ProcessEnv = process.env,
): Record<string, string> {
  const env: Record<string, string> = {};
  for (const name of PASSED_ON) {
    const value = ambient[name];
    if (value !== undefined) env[name] = value;
  }
  const folders = [...commandFolders, dirname(process.execPath), ...searchPath(ambient)];
  return { ...env, HOME: home, PATH: [...new Set(folders)].join(delimiter) };
}

export interface OperatorKeys {
  accessKeyId: string;
  secretAccessKey: string;
}

const operatorKeys = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });

/** The keys of the emulated account's administrator, which the emulator writes when it starts. */
export function readOperatorKeys(paths: RigPaths): OperatorKeys {
  return operatorKeys.parse(JSON.parse(readFileSync(join(paths.aws, 'operator.json'), 'utf8')));
}

/** Points AWS clients at the emulated account, as its administrator. */
export function awsEnvironment(keys: OperatorKeys): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: AWS_ENDPOINT,
    AWS_ACCESS_KEY_ID: keys.accessKeyId,
    AWS_SECRET_ACCESS_KEY: keys.secretAccessKey,
    AWS_REGION: DEFAULT_REGION,
    AWS_DEFAULT_REGION: DEFAULT_REGION,
    // The operator is no instance; without this, clients wait for the metadata service to say so.
    AWS_EC2_METADATA_DISABLED: 'true',
    // The SDK for JavaScript speaks up about the Node.js versions of years to come.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/** Reads a secret of the rig, which is made when it is asked for the first time. */
export function ensureSecret(file: string): string {
  if (!existsSync(file)) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    // Renamed into place, so that a run that is killed while it writes leaves no half of a secret.
    writeFileSync(`${file}.new`, randomBytes(24).toString('hex'), { mode: 0o600 });
    renameSync(`${file}.new`, file);
  }
  return readFileSync(file, 'utf8');
}

export const pulumiHome = (paths: RigPaths) => join(paths.pulumi, 'home');
export const pulumiBackend = (paths: RigPaths) => join(paths.pulumi, 'state');
export const pulumiPassphraseFile = (paths: RigPaths) => join(paths.pulumi, 'passphrase');
export const orchestratorTokenFile = (paths: RigPaths) => join(paths.orchestrator, 'token');

/** The environment of the emulator: podman with the rig's storage, and the launcher's code. */
export function emulatorEnvironment(paths: RigPaths, tools: Tools): Record<string, string> {
  return {
    ...baseEnvironment(paths.aws, [join(tools.venv, 'bin')]),
    ...podmanEnvironment(paths),
    PYTHONPATH: join(dirname(__dirname), 'aws'),
    PYTHONUNBUFFERED: '1',
    PYTHONDONTWRITEBYTECODE: '1',
  };
}

/** What Python imports at the start of SkyPilot's programs. */
export const SKY_FOLDER = join(dirname(__dirname), 'sky');

/** The environment of SkyPilot's API server. */
export function skyEnvironment(paths: RigPaths, tools: Tools, keys: OperatorKeys): Record<string, string> {
  return {
    ...baseEnvironment(paths.sky, [join(tools.venv, 'bin')]),
    ...awsEnvironment(keys),
    // What `sky api start` sets for the server process.
    IS_SKYPILOT_SERVER: 'true',
    PYTHONPATH: SKY_FOLDER,
    PYTHONDONTWRITEBYTECODE: '1',
    SKYPILOT_DISABLE_USAGE_COLLECTION: '1',
    PYTHONUNBUFFERED: '1',
  };
}

/** The environment of the orchestrator. */
export function orchestratorEnvironment(paths: RigPaths): Record<string, string> {
  return {
    ...baseEnvironment(paths.orchestrator, []),
    BACALHAU_ORCHESTRATOR_AUTH_TOKEN: ensureSecret(orchestratorTokenFile(paths)),
  };
}

/** The environment of the operator: the Pulumi CLI and whatever else is run against the rig. */
export function operatorEnvironment(paths: RigPaths, tools: Tools): Record<string, string> {
  const folders = [tools.pulumi, tools.pulumiLanguageNodejs, tools.bacalhau].map((file) => dirname(file));
  return {
    ...baseEnvironment(paths.pulumi, [...folders, join(tools.venv, 'bin')]),
    ...awsEnvironment(readOperatorKeys(paths)),
    PULUMI_HOME: pulumiHome(paths),
    PULUMI_BACKEND_URL: `file://${pulumiBackend(paths)}`,
    PULUMI_CONFIG_PASSPHRASE_FILE: pulumiPassphraseFile(paths),
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    // The language host of SDK 3.68 is handed no runtime options by a later CLI, `typescript: false` of Pulumi.yaml among
    // them, and has the program's types checked in every preview. Not needed with a host of the CLI's own version.
    PULUMI_NODEJS_TRANSPILE_ONLY: 'true',
    // A plugin that is not there is an error at once, not a download that cannot succeed.
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    SKYPILOT_API_SERVER_ENDPOINT: SKY_ENDPOINT,
    SKYPILOT_DISABLE_USAGE_COLLECTION: '1',
    BACALHAU_DIR: join(paths.pulumi, 'bacalhau'),
    BACALHAU_API_HOST: new URL(BACALHAU_API).hostname,
    BACALHAU_API_PORT: new URL(BACALHAU_API).port,
    BACALHAU_UPDATECONFIG_INTERVAL: '0',
    BACALHAU_DISABLEANALYTICS: 'true',
  };
}
