/** A small program of its own under the real Pulumi CLI, with a file backend and a PULUMI_HOME of its own. */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export interface Finished {
  readonly code: number;
  /** Both streams. */
  readonly console: string;
}

export class Stack {
  private constructor(
    readonly directory: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  static async create(pulumiHome: string, config: Record<string, string>): Promise<Stack> {
    const directory = await mkdtemp(path.join(tmpdir(), 'skyfleet-stack-'));
    await mkdir(path.join(directory, 'backend'));
    await symlink(path.resolve(__dirname, '../../node_modules'), path.join(directory, 'node_modules'));
    await writeFile(path.join(directory, 'package.json'), '{"name":"small","main":"index.js"}');
    await writeFile(
      path.join(directory, 'Pulumi.yaml'),
      'name: small\nruntime:\n  name: nodejs\n  options:\n    typescript: false\n',
    );
    // JSON is YAML.
    await writeFile(path.join(directory, 'Pulumi.test.yaml'), JSON.stringify({ config }));
    const stack = new Stack(directory, {
      ...process.env,
      PULUMI_HOME: pulumiHome,
      PULUMI_BACKEND_URL: `file://${path.join(directory, 'backend')}`,
      PULUMI_CONFIG_PASSPHRASE: 'test',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      // Without this a plugin that is missing would be looked for on the net.
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    });
    await stack.program('');
    await stack.succeed('stack', 'init', 'test');
    return stack;
  }

  /** Replaces the program; `aws`, `command` and `pulumi` are there. */
  async program(body: string): Promise<void> {
    const imports = ['aws', 'command', 'pulumi'].map(
      (name) => `const ${name} = require('@pulumi/${name}');\n`,
    );
    await writeFile(path.join(this.directory, 'index.js'), `${imports.join('')}${body}\n`);
  }

  run(...args: string[]): Promise<Finished> {
    return new Promise((resolve, reject) => {
      const options = { cwd: this.directory, env: this.env, maxBuffer: 64 * 1024 * 1024 };
      execFile('pulumi', [...args, '--non-interactive'], options, (error, stdout, stderr) => {
        const code = error === null ? 0 : error.code;
        if (typeof code === 'number') resolve({ code, console: stdout + stderr });
        else
          reject(
            new Error(`pulumi does not run (${String(code)}): put pulumi and its Node language host on PATH`),
          );
      });
    });
  }

  async succeed(...args: string[]): Promise<string> {
    const { code, console } = await this.run(...args);
    if (code !== 0) throw new Error(`pulumi ${args.join(' ')} ended with ${code}:\n${console}`);
    return console;
  }

  up(...args: string[]): Promise<string> {
    return this.succeed('up', '--yes', '--skip-preview', '--suppress-progress', ...args);
  }

  preview(...args: string[]): Promise<string> {
    return this.succeed('preview', '--suppress-progress', ...args);
  }

  async outputs(): Promise<Record<string, unknown>> {
    const shown = await this.succeed('stack', 'output', '--json', '--show-secrets');
    return JSON.parse(shown) as Record<string, unknown>;
  }

  /** The recorded state, as text. */
  state(): Promise<string> {
    return this.succeed('stack', 'export');
  }

  /** Starts the CLI and leaves it running. */
  start(...args: string[]): ChildProcess {
    return spawn('pulumi', [...args, '--non-interactive'], {
      cwd: this.directory,
      env: this.env,
      stdio: 'ignore',
    });
  }

  remove(): Promise<void> {
    return rm(this.directory, { recursive: true, force: true });
  }
}
