import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { stringify } from 'yaml';
import { installPlugins } from '../local/plugins/install';
import { CHECKOUT } from '../local/rig/paths';
import { baseEnvironment } from '../local/rig/environment';
import { cacheRoot } from '../local/tools/cache';
import { ensurePulumi } from '../local/tools/pulumi';
import { measure, type MeasuredRun } from './measure';

/** The programs that are measured, each a Pulumi project of its own. */
export type Program = 'clusters' | 'commands';
export const programs: readonly Program[] = ['clusters', 'commands'];

/** The programs run as the stacks of this checkout do. */
const nodeArguments = '--import tsx';

/** Name of each program's one stack. */
const stack = 'bench';

/** What a program declares. */
export interface Declared {
  count: number;
  /** What each bare command runs. */
  script?: string;
}

/** A folder with a Pulumi project for each program, a file backend and a PULUMI_HOME, all of which go at the end. */
export class Workspace {
  /** The programs that have a stack. */
  private readonly made = new Set<Program>();

  private constructor(
    private readonly folder: string,
    readonly env: NodeJS.ProcessEnv,
  ) {}

  /** @param endpoint address of the SkyPilot server that the clusters are launched by. */
  static async create(endpoint: string): Promise<Workspace> {
    const { pulumi, languageHost } = await ensurePulumi(cacheRoot());
    // Below the checkout, whose packages the programs use.
    const parent = join(CHECKOUT, '.local');
    mkdirSync(parent, { recursive: true });
    const folder = mkdtempSync(join(parent, 'bench-'));
    const home = join(folder, 'home');
    const backend = join(folder, 'backend');
    const bin = join(folder, 'bin');
    mkdirSync(backend);
    mkdirSync(bin);
    // The host of SDK 3.68 is handed no runtime options by a later CLI, so it gets those of the projects as arguments.
    const host = `#!/bin/sh\nexec '${languageHost}' -typescript=false '-nodeargs=${nodeArguments}' "$@"\n`;
    writeFileSync(join(bin, 'pulumi-language-nodejs'), host, { mode: 0o755 });
    const workspace = new Workspace(folder, {
      ...baseEnvironment(folder, [bin, dirname(pulumi)]),
      PULUMI_HOME: home,
      PULUMI_BACKEND_URL: `file://${backend}`,
      PULUMI_CONFIG_PASSPHRASE: 'bench',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
      BENCH_ENDPOINT: endpoint,
    });
    await installPlugins(home);
    for (const program of programs) workspace.writeProject(program);
    return workspace;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** Makes the stack of a program, in place of one that is there, of which nothing is kept. */
  async fresh(program: Program): Promise<void> {
    if (this.made.has(program)) {
      await this.pulumi(program, ['stack', 'rm', '--stack', stack, '--force', '--yes']);
    }
    this.made.add(program);
    await this.pulumi(program, ['stack', 'init', stack]);
  }

  preview(program: Program, declared: Declared): Promise<MeasuredRun> {
    return this.pulumi(program, ['preview', '--stack', stack, '--suppress-progress'], declared);
  }

  /** An `up` without the preview before it, which is measured by itself. */
  up(program: Program, declared: Declared, env: NodeJS.ProcessEnv = {}): Promise<MeasuredRun> {
    const args = ['up', '--yes', '--skip-preview', '--stack', stack, '--suppress-progress'];
    return this.pulumi(program, args, declared, env);
  }

  /** An `up` that is not measured: Pulumi writes the whole state after each of its steps where it is not told otherwise. */
  async bringUp(program: Program, declared: Declared): Promise<void> {
    await this.up(program, declared, { PULUMI_EXPERIMENTAL: 'true', PULUMI_SKIP_CHECKPOINTS: 'true' });
  }

  /** What is recorded of the stack of a program. */
  async recorded(program: Program): Promise<unknown> {
    const file = join(this.projectFolder(program), 'recorded.json');
    await this.pulumi(program, ['stack', 'export', '--show-secrets', '--stack', stack, '--file', file]);
    return JSON.parse(readFileSync(file, 'utf8')) as unknown;
  }

  /** The folder in which a program's commands run. */
  projectFolder(program: Program): string {
    return join(this.folder, program);
  }

  /** Runs a shell script where a program's commands run. */
  shell(program: Program, script: string): Promise<MeasuredRun> {
    const file = join(this.projectFolder(program), 'script.sh');
    writeFileSync(file, script);
    return measure(['/bin/bash', file], { env: this.env, cwd: this.projectFolder(program) });
  }

  private pulumi(
    program: Program,
    args: readonly string[],
    { count = 0, script = 'true' }: Partial<Declared> = {},
    env: NodeJS.ProcessEnv = {},
  ): Promise<MeasuredRun> {
    return measure(['pulumi', ...args, '--non-interactive'], {
      env: { ...this.env, BENCH_COUNT: String(count), BENCH_SCRIPT: script, ...env },
      cwd: this.projectFolder(program),
    });
  }

  private writeProject(program: Program): void {
    const folder = this.projectFolder(program);
    mkdirSync(folder);
    const project = {
      name: program,
      runtime: { name: 'nodejs', options: { typescript: false, nodeargs: nodeArguments } },
    };
    writeFileSync(join(folder, 'Pulumi.yaml'), stringify(project));
    writeFileSync(join(folder, 'package.json'), JSON.stringify({ name: program, main: 'index.ts' }));
    const source = relative(folder, join(__dirname, 'programs', program));
    writeFileSync(join(folder, 'index.ts'), `export = require('${source}');\n`);
  }
}
