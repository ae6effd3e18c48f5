import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../command';
import { cached, inputsHash } from './cache';
import { reportStep } from './progress';

/** A program that is built from a Go module which `<name>/go.mod`, beside this file, requires and `go.sum` pins. */
export interface GoTool {
  name: string;
  /** Read by people: in progress lines. */
  title: string;
  module: string;
  package: string;
  /** The variable that the linker sets to `v<version>`, where the program tells its version by one. */
  versionVariable?: string;
  /** A program without C code is static and runs in an empty image. */
  static?: boolean;
}

export const PULUMI: GoTool = {
  name: 'pulumi',
  title: 'Pulumi',
  module: 'github.com/pulumi/pulumi/pkg/v3',
  package: 'github.com/pulumi/pulumi/pkg/v3/cmd/pulumi',
  // Without a version the Automation API refuses the CLI.
  versionVariable: 'github.com/pulumi/pulumi/sdk/v3/go/common/version.Version',
};

/** The last Pulumi SDK module that carries the Node language host; newer ones live where no registry serves them. */
export const PULUMI_LANGUAGE_NODEJS: GoTool = {
  name: 'pulumi-language-nodejs',
  title: "Pulumi's Node language host",
  module: 'github.com/pulumi/pulumi/sdk/v3',
  package: 'github.com/pulumi/pulumi/sdk/v3/nodejs/cmd/pulumi-language-nodejs',
};

export const BACALHAU: GoTool = {
  name: 'bacalhau',
  title: 'Bacalhau',
  module: 'github.com/bacalhau-project/bacalhau',
  package: 'github.com/bacalhau-project/bacalhau',
  versionVariable: 'github.com/bacalhau-project/bacalhau/pkg/version.GITVERSION',
  static: true,
};

const moduleFolder = (tool: GoTool) => join(__dirname, tool.name);

/** The version, without its `v`, that a go.mod requires of a module. */
export function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const words = line
      .replace(/^require\b/, '')
      .trim()
      .split(/\s+/);
    if (words[0] === module && words[1]?.startsWith('v')) return words[1].slice(1);
  }
  throw new Error(`no "require ${module} v..." in go.mod`);
}

export function goToolVersion(tool: GoTool): string {
  return requiredVersion(readFileSync(join(moduleFolder(tool), 'go.mod'), 'utf8'), tool.module);
}

/** Builds a tool into the cache where it is not there yet; gives back the path of the program. */
export async function ensureGoTool(root: string, tool: GoTool): Promise<string> {
  const folder = moduleFolder(tool);
  const version = goToolVersion(tool);
  const linkerFlags = ['-s', '-w'];
  if (tool.versionVariable !== undefined) linkerFlags.push('-X', `${tool.versionVariable}=v${version}`);
  // With -mod=readonly each module must have the hash that go.sum holds.
  const argv = ['go', 'build', '-mod=readonly', '-trimpath', '-ldflags', linkerFlags.join(' ')];
  const inputs = inputsHash([join(folder, 'go.mod'), join(folder, 'go.sum')], ...argv, String(tool.static));
  const built = await cached(root, `${tool.name}-${version}-${inputs}`, (partial) =>
    reportStep(`building ${tool.title} ${version}`, async () => {
      await run([...argv, '-o', join(partial, tool.name), tool.package], {
        cwd: folder,
        env: { ...process.env, GOFLAGS: '', GOWORK: 'off', ...(tool.static ? { CGO_ENABLED: '0' } : {}) },
      });
    }),
  );
  return join(built, tool.name);
}
