/** Which plugin executables the tests run: ours, or those that `SKYFLEET_PLUGIN_AWS` and `_COMMAND` name. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type PluginName, installPlugins, pluginBinary } from '../../local/plugins/install';

const given = (name: PluginName): string | undefined => process.env[`SKYFLEET_PLUGIN_${name.toUpperCase()}`];

/** Whether the plugin under test is ours, so that tests of what only ours does can be left out. */
export const isOurs = (name: PluginName): boolean => given(name) === undefined;

/** A fresh PULUMI_HOME with both plugins in it. */
export async function pulumiHome(): Promise<{ home: string; remove: () => Promise<void> }> {
  const home = await mkdtemp(path.join(tmpdir(), 'skyfleet-plugins-'));
  await installPlugins(home);
  for (const name of ['aws', 'command'] as const) {
    const binary = given(name);
    if (binary === undefined) continue;
    const ours = await pluginBinary(name, home);
    await rm(path.dirname(ours), { recursive: true });
    await mkdir(path.dirname(ours));
    // Not a link, so that a launcher that looks for files beside itself still finds them.
    await writeFile(ours, `#!/bin/sh\nexec '${path.resolve(binary)}' "$@"\n`, { mode: 0o755 });
  }
  return { home, remove: () => rm(home, { recursive: true, force: true }) };
}
