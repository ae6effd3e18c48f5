import * as path from 'node:path';
import { redact } from '../deployment/operator/command-environment';
import { runChild } from '../deployment/operator/child-process';
import type { FoundFile } from './credentials';

/** Minutes that one call of the Pulumi CLI may take; a backend may be far away. */
const minutes = 5;

/** Where and how stacks are made. */
export interface PulumiProject {
  /** Folder with `Pulumi.yaml`. */
  folder: string;
  /** `pulumi stack init --secrets-provider`; Pulumi's default where absent. */
  secretsProvider: string | undefined;
}

const secretKey = 'skyfleet:orchestratorToken';

/** Runs Pulumi; what it says when it fails is shown without the secret. */
async function pulumi(folder: string, args: readonly string[], secret = ''): Promise<string> {
  const { code, stdout, stderr } = await runChild(['pulumi', '--cwd', folder, '--non-interactive', ...args], {
    minutes,
    input: secret,
  });
  if (code !== 0) {
    throw new Error(`pulumi ${args.join(' ')} failed: ${redact(stderr.trim() || stdout.trim(), [secret])}`);
  }
  return stdout;
}

/** Names of the project's stacks, without an organization. */
export async function stacksOf({ folder }: PulumiProject): Promise<string[]> {
  const stacks = JSON.parse(await pulumi(folder, ['stack', 'ls', '--json'])) as { name: string }[];
  return stacks.map(({ name }) => name.split('/').at(-1) ?? name);
}

/**
 * Makes the stacks that are missing, without selecting one, and sets the orchestrator's token of each. The token travels
 * on standard input.
 *
 * @param known stacks that are there.
 * @throws Error where Pulumi fails, with what has been done and what is left.
 */
export async function setSecrets(
  project: PulumiProject,
  stacks: readonly string[],
  known: readonly string[],
  token: FoundFile,
): Promise<void> {
  const { folder, secretsProvider } = project;
  const provider = secretsProvider === undefined ? [] : ['--secrets-provider', secretsProvider];
  for (const [index, stack] of stacks.entries()) {
    try {
      if (!known.includes(stack)) await pulumi(folder, ['stack', 'init', stack, '--no-select', ...provider]);
      await pulumi(folder, ['config', 'set', '--secret', secretKey, '--stack', stack], token.text.trim());
    } catch (error) {
      const left = secretCommands(stacks.slice(index), project, path.relative(folder, token.file));
      throw new Error(
        `the stack files are written, and the token is set for ${stacks.slice(0, index).join(', ') || 'no stack'}; then ${(error as Error).message}
Once that is mended, go on in ${folder} with what of this is not done:
${left.map((line) => `  ${line}`).join('\n')}`,
        { cause: error },
      );
    }
  }
}

const quoted = (text: string): string =>
  /^[\w./@:=+-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;

/**
 * The same as commands for a shell, which read the token from its file.
 *
 * @param tokenFile undefined where there is none: Pulumi asks for the token then.
 */
export function secretCommands(
  stacks: readonly string[],
  { secretsProvider }: Pick<PulumiProject, 'secretsProvider'>,
  tokenFile?: string,
): string[] {
  const provider = secretsProvider === undefined ? '' : ` --secrets-provider ${quoted(secretsProvider)}`;
  const source = tokenFile === undefined ? '' : ` < ${quoted(tokenFile)}`;
  return stacks.flatMap((stack) => [
    `pulumi stack init ${stack} --no-select${provider}`,
    `pulumi config set --secret ${secretKey} --stack ${stack}${source}`,
  ]);
}
