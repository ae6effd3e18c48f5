import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { createInterface } from 'node:readline';
import { parse, stringify } from 'yaml';
import { stacksWithFiles } from '../../config/stack-file';

interface StackFile {
  config: Record<string, unknown>;
  encryptionsalt?: string;
}

/** Folder of the rig that holds the configuration of its stacks. */
const projectFolder = (folder: string) => path.join(folder, 'project');

/** The stacks that a rig has, by name. */
export function stacksOf(folder: string): string[] {
  if (!fs.existsSync(projectFolder(folder))) return [];
  return stacksWithFiles(projectFolder(folder));
}

/**
 * The stacks of a file backend that a run of Pulumi was changing when it was killed: their locks are still there. What
 * such a run made last is not in the stack's state.
 *
 * @param backend folder of the backend; no run of Pulumi is under way on it.
 */
export function interruptedStacks(backend: string): string[] {
  const locks = path.join(backend, '.pulumi', 'locks');
  if (!fs.existsSync(locks)) return [];
  const files = fs
    .readdirSync(locks, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.json'));
  return [...new Set(files.map(({ parentPath }) => path.basename(parentPath)))].sort();
}

/** What a stack of the embedded default is made from. */
export interface LocalStackSettings {
  /** The checkout: folder of `Pulumi.yaml` and the stack files. */
  projectDir: string;
  /** Folder of the rig in which the stack's own files are kept. */
  folder: string;
  /** Name of the stack; `Pulumi.<stack>.yaml` of the checkout is its configuration. */
  stack: string;
  /** Environment of the Pulumi CLI. */
  env: NodeJS.ProcessEnv;
  /** Puts the CLI into the network of the rig, where the caller is not in it. */
  enter?: (argv: readonly string[]) => readonly string[];
  /** Token of the rig's orchestrator. */
  orchestratorToken: string;
}

/** What a run of the Pulumi CLI printed; `code` is its exit code. */
export interface PulumiRun {
  code: number;
  output: string;
}

/**
 * A stack of the embedded default, driven through the Pulumi CLI. Its configuration is a copy of the checkout's stack
 * file, kept with the rig, because the secrets in it are encrypted with a passphrase of the rig's own.
 */
export class LocalStack {
  private readonly ownProject: string;
  /** The stack's own configuration, secrets included. */
  readonly configFile: string;

  constructor(private readonly settings: LocalStackSettings) {
    this.ownProject = projectFolder(settings.folder);
    this.configFile = path.join(this.ownProject, `Pulumi.${settings.stack}.yaml`);
  }

  /** Makes the stack where it is missing, and brings its configuration up to date. */
  async prepare(
    change: (config: Record<string, unknown>) => Record<string, unknown> = (config) => config,
  ): Promise<void> {
    const { projectDir, stack, orchestratorToken } = this.settings;
    if (!fs.existsSync(this.configFile)) {
      fs.mkdirSync(this.ownProject, { recursive: true, mode: 0o700 });
      fs.copyFileSync(path.join(projectDir, 'Pulumi.yaml'), path.join(this.ownProject, 'Pulumi.yaml'));
      // In a folder of its own: it writes into the stack file beside the project. A run that was killed may have made it.
      await this.require(['stack', 'select', '--create', stack, '--cwd', this.ownProject]);
    }
    const own = this.readStackFile(this.configFile);
    const shared = this.readStackFile(path.join(projectDir, `Pulumi.${stack}.yaml`));
    const token = own.config['skyfleet:orchestratorToken'];
    const config = {
      ...change(shared.config),
      ...(token === undefined ? {} : { 'skyfleet:orchestratorToken': token }),
    };
    fs.writeFileSync(`${this.configFile}.new`, stringify({ ...own, config }), { mode: 0o600 });
    fs.renameSync(`${this.configFile}.new`, this.configFile);
    if (token === undefined) await this.setToken(orchestratorToken);
  }

  /** Gives the stack another token of the orchestrator. */
  async setToken(token: string): Promise<void> {
    const key = 'skyfleet:orchestratorToken';
    await this.require(['config', 'set', '--secret', key, ...this.stackOptions()], token);
  }

  /**
   * Runs `pulumi <command>` on the stack; each line that the CLI prints is handed to `onLine` as it comes.
   *
   * @param onStart gets the number of the CLI's process, which then leads a process group of its own.
   */
  async run(
    command: string,
    options: string[],
    onLine: (line: string) => void,
    onStart?: (leader: number) => void,
  ): Promise<PulumiRun> {
    return this.pulumi([command, ...this.stackOptions(), ...options], undefined, onLine, onStart);
  }

  /** The outputs of the last `up`. */
  async outputs(): Promise<Record<string, unknown>> {
    const output = await this.require(['stack', 'output', '--json', '--stack', this.settings.stack]);
    return JSON.parse(output) as Record<string, unknown>;
  }

  get name(): string {
    return this.settings.stack;
  }

  /** The region that the stack works in. */
  get region(): string {
    return String(this.readStackFile(this.configFile).config['aws:region']);
  }

  /** What tells the CLI, and whatever drives it, which stack is meant. */
  stackOptions(): string[] {
    return ['--stack', this.settings.stack, '--config-file', this.configFile];
  }

  private readStackFile(file: string): StackFile {
    const content = fs.existsSync(file)
      ? (parse(fs.readFileSync(file, 'utf8')) as Partial<StackFile> | null)
      : null;
    return { config: {}, ...content };
  }

  private async require(args: string[], input?: string): Promise<string> {
    const { code, output } = await this.pulumi(args, input);
    if (code !== 0)
      throw new Error(`pulumi ${args.slice(0, 2).join(' ')} ended with exit code ${code}:\n${output}`);
    return output;
  }

  private pulumi(
    args: string[],
    input?: string,
    onLine?: (line: string) => void,
    onStart?: (leader: number) => void,
  ): Promise<PulumiRun> {
    const { env, projectDir, enter } = this.settings;
    const argv = ['pulumi', ...args, '--non-interactive'];
    const [file = '', ...rest] = enter === undefined ? argv : enter(argv);
    const detached = onStart !== undefined;
    const child = spawn(file, rest, { cwd: projectDir, env, detached, stdio: ['pipe', 'pipe', 'pipe'] });
    if (child.pid !== undefined) onStart?.(child.pid);
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      createInterface({ input: stream }).on('line', (line) => {
        output += `${line}\n`;
        onLine?.(line);
      });
    }
    child.stdin.end(input ?? '');
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('close', (code) => resolve({ code: code ?? 1, output }));
    });
  }
}
