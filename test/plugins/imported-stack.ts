import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parse, stringify } from 'yaml';
import { parsePreview, type Preview } from '../../deployment/operator/preview';
import { invented } from '../../local/recordable';
import { CHECKOUT } from '../../local/rig/paths';
import type { RecordedStateFile } from './recorded-states';

/** A stack of the checkout's program whose state another version has recorded, in a file backend of its own. */
export class ImportedStack {
  private constructor(
    private readonly folder: string,
    private readonly stack: string,
    private readonly env: NodeJS.ProcessEnv,
  ) {}

  /** @param awsEndpoint where the commands of the stack find AWS, should they ask it. */
  static async create(
    pulumiHome: string,
    recorded: RecordedStateFile,
    awsEndpoint: string,
  ): Promise<ImportedStack> {
    const folder = await mkdtemp(path.join(tmpdir(), 'skyfleet-upgrade-'));
    mkdirSync(path.join(folder, 'backend'));
    copyFileSync(path.join(CHECKOUT, 'Pulumi.yaml'), path.join(folder, 'Pulumi.yaml'));
    const imported = new ImportedStack(folder, recorded.stack, {
      ...process.env,
      PULUMI_HOME: pulumiHome,
      PULUMI_BACKEND_URL: `file://${path.join(folder, 'backend')}`,
      PULUMI_CONFIG_PASSPHRASE: 'test',
      PULUMI_SKIP_UPDATE_CHECK: 'true',
      PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
      PULUMI_NODEJS_TRANSPILE_ONLY: 'true',
      AWS_ENDPOINT_URL: awsEndpoint,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_CONFIG_FILE: '/dev/null',
      AWS_SHARED_CREDENTIALS_FILE: '/dev/null',
      AWS_EC2_METADATA_DISABLED: 'true',
    });
    await imported.import(recorded);
    return imported;
  }

  private get stackFile(): string {
    return path.join(this.folder, `Pulumi.${this.stack}.yaml`);
  }

  private async import({ state, stackFile }: RecordedStateFile): Promise<void> {
    const { folder, stack } = this;
    await this.pulumi(folder, 'stack', 'init', stack);
    const { encryptionsalt: salt } = parse(readFileSync(this.stackFile, 'utf8')) as {
      encryptionsalt: string;
    };
    writeFileSync(
      this.stackFile,
      stringify({ ...(parse(stackFile) as Record<string, unknown>), encryptionsalt: salt }),
    );
    const token = ['skyfleet:orchestratorToken', invented('orchestratorToken')];
    await this.pulumi(folder, 'config', 'set', '--secret', ...token, '--stack', stack);
    // The CLI encrypts the secrets of an imported state by what the state says, and not by what the stack has.
    const { version, deployment } = JSON.parse(state) as { version: number; deployment: object };
    const provider = { type: 'passphrase', state: { salt } };
    const file = path.join(folder, 'state.json');
    writeFileSync(
      file,
      JSON.stringify({ version, deployment: { ...deployment, secrets_providers: provider } }),
    );
    await this.pulumi(folder, 'stack', 'import', '--file', file, '--stack', stack);
  }

  /** What an `up` of today's program would do. */
  async preview(): Promise<Preview> {
    return parsePreview(await this.run('preview', '--json', '--show-sames'));
  }

  /** Brings the stack up with today's program. */
  up(): Promise<string> {
    return this.run('up', '--yes', '--skip-preview', '--suppress-progress');
  }

  /** What Pulumi has recorded by now. */
  state(): Promise<string> {
    return this.pulumi(this.folder, 'stack', 'export', '--show-secrets', '--stack', this.stack);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }

  private run(command: string, ...args: string[]): Promise<string> {
    return this.pulumi(CHECKOUT, command, ...args, '--stack', this.stack, '--config-file', this.stackFile);
  }

  /** @returns what it printed on standard output. */
  private pulumi(cwd: string, ...args: string[]): Promise<string> {
    return new Promise((resolve, reject) => {
      const options = { cwd, env: this.env, maxBuffer: 2 ** 28 };
      execFile('pulumi', [...args, '--non-interactive'], options, (error, stdout, stderr) => {
        if (error === null) resolve(stdout);
        else reject(new Error(`pulumi ${args.join(' ')}: ${error.message}\n${stderr}\n${stdout}`));
      });
    });
  }
}
