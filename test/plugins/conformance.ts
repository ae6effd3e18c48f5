/**
 * `conformance.ts PLUGIN [BINARY]`: runs the contract tests of PLUGIN (aws, command) against BINARY, or against ours.
 * Exit code 0 where it conforms, 1 where it does not, 2 where the arguments are wrong.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { PLUGINS, type PluginName } from '../../local/plugins/install';
import { variableOf } from './binaries';
import { PluginProcess } from './plugin-process';

const CHECKOUT = path.resolve(__dirname, '../..');

class UsageError extends Error {}

function pluginOf(given: string | undefined): PluginName {
  const plugin = PLUGINS.find((name) => name === given);
  if (plugin !== undefined) return plugin;
  const usage = `make conformance PLUGIN=command BINARY=path/to/pulumi-resource-command`;
  const said = given === undefined || given === '' ? 'PLUGIN is not given' : `PLUGIN is "${given}"`;
  throw new UsageError(`${said}; it takes ${PLUGINS.join(' or ')}, such as: ${usage}`);
}

/** The executable, which must be there and serve as a plugin. */
async function binaryOf(plugin: PluginName, given: string): Promise<string> {
  const binary = path.resolve(given);
  const refuse = (why: string) => new UsageError(`BINARY is "${given}", ${why}`);
  const named = PLUGINS.find((name) => path.basename(binary) === `pulumi-resource-${name}`);
  if (named !== undefined && named !== plugin) {
    throw refuse(`which is a plugin for @pulumi/${named}, but PLUGIN is ${plugin}`);
  }
  const found = statSync(binary, { throwIfNoEntry: false });
  if (found === undefined) throw refuse('which is not there; docs/conformance.md tells how to get one');
  if (!found.isFile()) throw refuse('which is no file: name the executable in it');
  try {
    accessSync(binary, constants.X_OK);
  } catch {
    throw refuse('which may not be executed: chmod +x it');
  }
  const version = await PluginProcess.version(binary).catch((error: unknown) => {
    throw refuse(`which does not serve as a Pulumi plugin: ${String(error)}`);
  });
  const { version: wanted } = JSON.parse(
    readFileSync(require.resolve(`@pulumi/${plugin}/package.json`), 'utf8'),
  ) as { version: string };
  console.log(`@pulumi/${plugin} ${wanted}, plugin ${version} at ${binary}`);
  return binary;
}

async function main([givenPlugin, givenBinary = '']: string[]): Promise<number> {
  const plugin = pluginOf(givenPlugin);
  const env = { ...process.env };
  if (givenBinary === '') console.log(`our own plugin for @pulumi/${plugin}`);
  else env[variableOf(plugin)] = await binaryOf(plugin, givenBinary);
  const tests = ['--selectProjects', 'plugins', '--testPathPatterns', `plugins/${plugin}(-cli)?-conformance`];
  const cli = path.join(CHECKOUT, 'local/cli.ts');
  const argv = ['--import', 'tsx', cli, 'tests', '--verbose', ...tests];
  const { status, error } = spawnSync(process.execPath, argv, { cwd: CHECKOUT, env, stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status === 0 ? 0 : 1;
}

main(process.argv.slice(2)).then(
  (code) => {
    process.exitCode = code;
  },
  (error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error);
    process.exitCode = error instanceof UsageError ? 2 : 1;
  },
);
