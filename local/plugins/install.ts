import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { build } from 'esbuild';

/** The packages whose plugins we stand in for. */
export const PLUGINS = ['aws', 'command'] as const;
export type PluginName = (typeof PLUGINS)[number];

const STAMP = 'sources.sha256';

/**
 * Puts our plugins where Pulumi looks for them first: below `PULUMI_HOME`, under the very version that the
 * installed SDK asks for. Does nothing where they are there already and their sources are the same.
 */
export async function installPlugins(pulumiHome: string): Promise<void> {
  await Promise.all(PLUGINS.map((name) => installPlugin(name, pulumiHome)));
}

/** The plugin's executable below `pulumiHome`, there or not. */
export async function pluginBinary(name: PluginName, pulumiHome: string): Promise<string> {
  return path.join(await pluginDirectory(name, pulumiHome), `pulumi-resource-${name}`);
}

async function pluginDirectory(name: PluginName, pulumiHome: string): Promise<string> {
  return path.join(pulumiHome, 'plugins', `resource-${name}-v${await packageVersion(`@pulumi/${name}`)}`);
}

async function installPlugin(name: PluginName, pulumiHome: string): Promise<void> {
  const directory = await pluginDirectory(name, pulumiHome);
  const stamp = await sourcesHash(name);
  if ((await readFile(path.join(directory, STAMP), 'utf8').catch(() => '')) === stamp) return;

  // Built aside and renamed, so that an interrupted build leaves nothing that Pulumi takes for a plugin.
  const aside = `${directory}.${process.pid}.build`;
  await mkdir(aside, { recursive: true });
  try {
    await build({
      entryPoints: [path.join(__dirname, name, 'main.ts')],
      outfile: path.join(aside, 'plugin.js'),
      bundle: true,
      platform: 'node',
      target: 'node20',
      minifySyntax: true,
      minifyWhitespace: true,
      legalComments: 'none',
      define: { PLUGIN_VERSION: JSON.stringify(await packageVersion(`@pulumi/${name}`)) },
      logLevel: 'error',
    });
    // The node that built it runs it, whatever PATH says later.
    const launcher = `#!/bin/sh\nexec ${quote(process.execPath)} "\${0%/*}/plugin.js" "$@"\n`;
    await writeFile(path.join(aside, `pulumi-resource-${name}`), launcher, { mode: 0o755 });
    await writeFile(path.join(aside, STAMP), stamp);
    await rm(directory, { recursive: true, force: true });
    await rename(aside, directory);
  } finally {
    await rm(aside, { recursive: true, force: true });
  }
}

/** Of all that goes into the bundle: our files, the packages' versions, and the node that runs it. */
async function sourcesHash(name: PluginName): Promise<string> {
  const hash = createHash('sha256').update(process.execPath);
  const packages = ['@grpc/grpc-js', '@pulumi/pulumi', `@pulumi/${name}`, 'esbuild', 'google-protobuf'];
  if (name === 'aws')
    packages.push(
      ...['cloudwatch-logs', 'ec2', 'iam', 's3', 'sts'].map((service) => `@aws-sdk/client-${service}`),
    );
  for (const dependency of packages) hash.update(`${dependency} ${await packageVersion(dependency)}\n`);
  for (const directory of ['.', name]) {
    const entries = await readdir(path.join(__dirname, directory), {
      recursive: directory === name,
      withFileTypes: true,
    });
    const files = entries
      .filter((entry) => entry.isFile())
      .map((entry) => path.join(entry.parentPath, entry.name));
    for (const file of files.sort()) hash.update(path.relative(__dirname, file)).update(await readFile(file));
  }
  return hash.digest('hex');
}

async function packageVersion(name: string): Promise<string> {
  const found = await readFile(require.resolve(`${name}/package.json`), 'utf8');
  return (JSON.parse(found) as { version: string }).version;
}

function quote(argument: string): string {
  return `'${argument.replaceAll("'", `'\\''`)}'`;
}
