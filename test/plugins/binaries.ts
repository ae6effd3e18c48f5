/** Which plugin executables the tests run: ours, or those that `SKYFLEET_PLUGIN_AWS` and `_COMMAND` name. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PLUGINS, type PluginName, installPlugins, pluginBinary } from '../../local/plugins/install';

/** The variable that names the executable to test in the place of ours. */
export const variableOf = (name: PluginName): string => `SKYFLEET_PLUGIN_${name.toUpperCase()}`;

export interface Home {
  /** A PULUMI_HOME with both plugins in it. */
  readonly home: string;
  binary(name: PluginName): Promise<string>;
  remove(): Promise<void>;
}

/** With the plugins under test in it, for what any plugin has to do. */
export async function homeUnderTest(): Promise<Home> {
  const made = await ourHome();
  for (const name of PLUGINS) {
    const given = process.env[variableOf(name)];
    if (given !== undefined) await putInPlace(path.resolve(given), await made.binary(name));
  }
  return made;
}

/** With our plugins in it, for what only ours do. */
export async function ourHome(): Promise<Home> {
  const home = await mkdtemp(path.join(tmpdir(), 'skyfleet-plugins-'));
  await installPlugins(home);
  return {
    home,
    binary: (name) => pluginBinary(name, home),
    remove: () => rm(home, { recursive: true, force: true }),
  };
}

async function putInPlace(given: string, ours: string): Promise<void> {
  await rm(path.dirname(ours), { recursive: true });
  await mkdir(path.dirname(ours));
  // Not a link, so that a launcher that looks for files beside itself still finds them.
  const quoted = `'${given.replaceAll("'", `'\\''`)}'`;
  await writeFile(ours, `#!/bin/sh\nexec ${quoted} "$@"\n`, { mode: 0o755 });
}
