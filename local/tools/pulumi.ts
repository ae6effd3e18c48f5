import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { tryRun } from '../command';
import { ensureGoTool, goToolVersion, PULUMI, PULUMI_LANGUAGE_NODEJS } from './go';
import { findCommand } from './host';

export interface PulumiCli {
  pulumi: string;
  /** The program that runs Node programs for the CLI; the CLI looks for it beside itself and on PATH. */
  languageHost: string;
}

/** Whether a version such as `v3.250.0` is at least `3.250.0`; a text that is no version is not. */
export function isAtLeast(version: string, oldest: string): boolean {
  const parse = (text: string) => /^v?(\d+)\.(\d+)\.(\d+)/.exec(text.trim())?.slice(1).map(Number);
  const [have, want] = [parse(version), parse(oldest)];
  if (have === undefined || want === undefined) return false;
  for (const [index, part] of want.entries()) {
    const difference = (have[index] ?? 0) - part;
    if (difference !== 0) return difference > 0;
  }
  return true;
}

/** The CLI on PATH, where it is new enough and its Node language host can be started. */
async function installedPulumi(env: NodeJS.ProcessEnv): Promise<PulumiCli | undefined> {
  const pulumi = findCommand('pulumi', env);
  if (pulumi === undefined) return undefined;
  const beside = join(dirname(pulumi), PULUMI_LANGUAGE_NODEJS.name);
  const languageHost = existsSync(beside) ? beside : findCommand(PULUMI_LANGUAGE_NODEJS.name, env);
  if (languageHost === undefined) return undefined;
  const [version, help] = await Promise.all([
    tryRun([pulumi, 'version'], { env: { ...env, PULUMI_SKIP_UPDATE_CHECK: 'true' } }),
    // It prints its usage and ends; one for another machine, or a broken link, does not.
    tryRun([languageHost, '-help'], { timeoutMs: 10_000 }).catch(() => undefined),
  ]);
  const starts = help !== undefined && /usage/i.test(help.stderr + help.stdout);
  return starts && isAtLeast(version.stdout, goToolVersion(PULUMI)) ? { pulumi, languageHost } : undefined;
}

/** The Pulumi CLI on PATH where it suits, else one that is built into the cache. */
export async function ensurePulumi(root: string, env: NodeJS.ProcessEnv = process.env): Promise<PulumiCli> {
  const installed = await installedPulumi(env);
  if (installed !== undefined) return installed;
  return {
    pulumi: await ensureGoTool(root, PULUMI),
    languageHost: await ensureGoTool(root, PULUMI_LANGUAGE_NODEJS),
  };
}
