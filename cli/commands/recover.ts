import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { AwsCli, AwsCliError } from '../../deployment/operator/aws-cli';
import { endChildren, runChild, type ChildResult } from '../../deployment/operator/child-process';
import { skyPilotOf } from '../../deployment/operator/command-environment';
import { labelKeys } from '../../deployment/operator/incarnation';
import {
  employersOf,
  isAlive,
  listProcesses,
  orphanedPlugins,
  seeProcess,
  type ProcessId,
} from '../../deployment/operator/processes';
import {
  commandLine,
  parseExport,
  parseLock,
  refreshTargets,
  unrecorded,
  type LockHolder,
  type StackState,
  type Unrecorded,
} from '../../deployment/operator/recover';
import { listRunning } from '../../deployment/operator/running';
import { isServer } from '../../deployment/operator/server-identity';
import { kindOf, stackResources } from '../../deployment/operator/stack-resources';
import { exitCodes } from '../exit-codes';
import { jsonText } from '../output';
import { oneStackOf, type StackChoice } from '../stacks';

interface Options {
  stack: string;
  configFile: string | undefined;
  deleteUnrecorded: boolean;
  holderEnded: boolean;
  /** Is told what happens. */
  show: (line: string) => void;
}

/** What a command that was ended was doing. */
interface Ended {
  pid: number;
  what: string;
}

/** What was found and done; `--json` prints it. */
interface Report {
  stack: string;
  /** Who held the lock that was released; null where there was none. */
  lock: LockHolder[] | null;
  ended: Ended[];
  /** What Pulumi had begun, and is now cleared or looked at again. */
  pending: StackState['pending'];
  unrecorded: (Unrecorded & { deleted: boolean })[];
  /** Clusters that SkyPilot has of the stack and Pulumi has not recorded. */
  clusters: string[];
  /** Why SkyPilot was not asked; null where it was. */
  skypilot: string | null;
  next: string[];
}

/** Minutes that one call of the Pulumi CLI may take: a refresh waits for AWS. */
const pulumiMinutes = 30;

class Recovery {
  private region = '';
  private callMinutes = 5;
  private project = '';

  constructor(private readonly options: Options) {}

  async run(): Promise<Report> {
    const { stack, show, deleteUnrecorded } = this.options;
    await this.readConfig();
    const before = await this.recorded();
    const lock = await this.takeStock(before);
    const ended = [...lock.ended, ...(await this.endCommands(before))];
    const after = await this.recorded();
    // Before anything was recorded, only the rules for a name tell it.
    const fullName =
      after.fullName ??
      before.fullName ??
      (stack.split('/').length === 3 ? stack : `organization/${after.project}/${stack}`);
    const name = fullName.split('/').at(-1) ?? stack;
    const prefix = `${after.project}-${name}`;

    show('asking SkyPilot for clusters of the stack');
    const sky = await this.clusters(after, fullName);
    show('asking AWS for resources of the stack');
    const aws = new AwsCli(this.region, this.callMinutes);
    const missing = unrecorded(await stackResources(aws, { stack: fullName, prefix }), after, {
      ...{ name, options: this.stackOptions, prefix, region: this.region },
      incarnations: 'reason' in sky ? undefined : new Set(sky.all),
    });
    if (deleteUnrecorded) await this.deleteAll(aws, missing);
    const stackOptions = commandLine(...this.stackOptions);
    const left = missing.length > 0 && !deleteUnrecorded;
    return {
      stack: fullName,
      lock: lock.holders ?? null,
      ended,
      pending: before.pending,
      unrecorded: missing.map((one) => ({ ...one, deleted: deleteUnrecorded })),
      clusters: 'reason' in sky ? [] : sky.all.filter((cluster) => !after.incarnations.has(cluster)),
      skypilot: 'reason' in sky ? sky.reason : null,
      next: [
        ...(left ? [`npx skyfleet recover ${stackOptions} --delete-unrecorded`] : []),
        `pulumi up ${stackOptions}`,
        `pulumi destroy ${stackOptions}`,
      ],
    };
  }

  /** Runs the Pulumi CLI to its end. */
  private async tryPulumi(...args: string[]): Promise<ChildResult> {
    this.options.show(commandLine('pulumi', ...args.slice(0, 2)));
    return runChild(['pulumi', ...args, '--non-interactive'], { minutes: pulumiMinutes });
  }

  private async pulumi(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.tryPulumi(...args);
    if (code !== 0) throw new Error(`pulumi ${args[0] ?? ''} failed:\n${`${stderr}\n${stdout}`.trim()}`);
    return stdout;
  }

  private get stackOptions(): string[] {
    const { stack, configFile } = this.options;
    return ['--stack', stack, ...(configFile === undefined ? [] : ['--config-file', configFile])];
  }

  private async readConfig(): Promise<void> {
    const config = JSON.parse(await this.pulumi('config', '--json', ...this.stackOptions)) as Record<
      string,
      { value?: string; objectValue?: { callMinutes?: number } }
    >;
    const region = config['aws:region']?.value;
    if (region === undefined) throw new Error('aws:region is not set in the stack file; set it as it was');
    this.region = region;
    this.callMinutes = config['skyfleet:timeouts']?.objectValue?.callMinutes ?? this.callMinutes;
    this.project = (parse(fs.readFileSync('Pulumi.yaml', 'utf8')) as { name: string }).name;
  }

  private async recorded(): Promise<StackState> {
    const text = await this.pulumi('stack', 'export', '--show-secrets', '--stack', this.options.stack);
    return parseExport(text, this.project);
  }

  /**
   * Has Pulumi clear what it had begun, which needs the lock; releases the lock first where its holder has ended.
   *
   * @throws Error where the holder has not ended, or may not have.
   */
  private async takeStock(before: StackState): Promise<{ holders?: LockHolder[]; ended: Ended[] }> {
    const refresh = (stack: StackState): Promise<ChildResult> =>
      this.tryPulumi(
        ...['refresh', '--yes', '--skip-preview', '--clear-pending-creates', ...this.stackOptions],
        ...refreshTargets(stack).flatMap((urn) => ['--target', urn]),
      );
    const first = await refresh(before);
    if (first.code === 0) return { ended: [] };
    const holders = parseLock(`${first.stderr}\n${first.stdout}`);
    if (holders === undefined) throw refreshFailed(first);
    this.makeSureOfEnd(holders);
    // What works on for a Pulumi that is gone would change what is looked at next.
    const ended = [...(await this.endCommands(before)), ...(await this.endPlugins())];
    await this.pulumi('cancel', '--yes', '--stack', this.options.stack);
    const second = await refresh(before);
    if (second.code !== 0) throw refreshFailed(second);
    return { holders, ended };
  }

  /** Refuses to take the lock from a Pulumi that runs, or that may run elsewhere. */
  private makeSureOfEnd(holders: readonly LockHolder[]): void {
    const { stack, holderEnded } = this.options;
    const elsewhere = (where: string): Error =>
      new Error(
        `the lock of stack ${stack} was taken ${where}. Make sure that that Pulumi has ended, and its commands with it; ` +
          'then run this again with --holder-ended',
      );
    if (holders.length === 0 && !holderEnded) throw elsewhere('by a run that the backend does not name');
    for (const { user, host, pid, since } of holders) {
      if (host === os.hostname()) {
        const holder = seeProcess(pid);
        // One that started later got the number of the holder, which has ended.
        if (holder?.name === 'pulumi' && holder.startedAt <= Date.parse(since) + 1000) {
          throw new Error(
            `Pulumi is at work on stack ${stack} (process ${pid} of ${user}, since ${since}). Wait until it has ended, or ` +
              'end it with Ctrl-C, and run this again',
          );
        }
      } else if (!holderEnded) throw elsewhere(`on ${host} by ${user} (process ${pid}) at ${since}`);
    }
  }

  /** Ends the commands of the stack that run on this machine for no Pulumi. */
  private async endCommands({ fullName }: StackState): Promise<Ended[]> {
    const orphans = listRunning().filter(({ pid, stack }) => {
      const parent = seeProcess(pid)?.parent ?? 1;
      return stack === fullName && !employersOf(parent).some(({ name }) => name === 'pulumi');
    });
    await this.end(orphans);
    return orphans.map(({ pid, command, place }) => ({
      pid,
      what: place === undefined ? command : `${command} of ${place}`,
    }));
  }

  private async endPlugins(): Promise<Ended[]> {
    const home = process.env['PULUMI_HOME'] ?? path.join(os.homedir(), '.pulumi');
    const orphans = orphanedPlugins(listProcesses(), path.join(home, 'plugins'));
    await this.end(orphans);
    return orphans.map(({ pid, command }) => ({ pid, what: command }));
  }

  /** Ends processes: asks first, and waits. */
  private async end(processes: readonly ProcessId[]): Promise<void> {
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const one of processes.filter(isAlive)) process.kill(one.pid, signal);
      const deadline = Date.now() + 10_000;
      while (processes.some(isAlive) && Date.now() < deadline) await sleep(100);
    }
  }

  /** The clusters that the stack's own SkyPilot server has of it. */
  private async clusters(
    { server }: StackState,
    stack: string,
  ): Promise<{ all: string[] } | { reason: string }> {
    // Nothing is launched before the server is recorded, and nothing is left when that record is gone.
    if (server === undefined) return { all: [] };
    try {
      const sky = skyPilotOf(server.environment);
      await sky.checkServer();
      if (!(await isServer(sky, server.identity)))
        return { reason: `the server at ${sky.address} is not the stack's` };
      const all = await sky.status();
      return {
        all: all.filter(({ labels }) => labels?.[labelKeys.stack] === stack).map(({ name }) => name),
      };
    } catch (error) {
      return { reason: error instanceof Error ? error.message : String(error) };
    }
  }

  /** Deletes one after the other; what fails is told once the rest was tried. */
  private async deleteAll(aws: AwsCli, resources: readonly Unrecorded[]): Promise<void> {
    const failures: string[] = [];
    for (const one of resources) {
      this.options.show(`deleting ${one.id}`);
      try {
        for (const call of kindOf(one.kind).deletion(one)) await aws.ask(...call);
      } catch (error) {
        if (!(error instanceof AwsCliError)) throw error;
        // Gone in the meantime, or with what it was part of.
        if (!/NotFound|NoSuch|InvalidAssociationID/.test(error.code ?? '')) failures.push(error.message);
      }
    }
    if (failures.length > 0) {
      throw new Error(`not everything could be deleted; run this again later:\n${failures.join('\n')}`);
    }
  }
}

function refreshFailed({ stdout, stderr }: ChildResult): Error {
  return new Error(`pulumi refresh failed:\n${`${stderr}\n${stdout}`.trim()}`);
}

/** The report for people. */
function told(report: Report): string {
  const lines: string[] = [`stack ${report.stack}`];
  for (const { user, host, pid, since } of report.lock ?? [])
    lines.push(`released: the lock of ${user}@${host} (process ${pid}) of ${since}`);
  for (const { pid, what } of report.ended) lines.push(`ended: process ${pid}, ${what}`);
  for (const { type, urn } of report.pending) lines.push(`cleared: ${type} ${urn.split('::').at(-1) ?? urn}`);
  for (const one of report.unrecorded) {
    const what = `${one.id}${one.name === '' || one.name === one.id ? '' : ` (${one.name})`}`;
    lines.push(`${one.deleted ? 'deleted' : 'at AWS, but not recorded by Pulumi'}: ${one.kind} ${what}`);
    if (one.deleted) continue;
    if (one.import !== undefined) lines.push(`  import: ${one.import}`);
    one.delete.forEach((line) => lines.push(`  delete: ${line}`));
  }
  for (const cluster of report.clusters)
    lines.push(`at SkyPilot, but not recorded by Pulumi: ${cluster}; the next up or destroy sees to it`);
  if (report.skypilot !== null) lines.push(`SkyPilot was not asked: ${report.skypilot}`);
  lines.push(`next: ${report.next.join('\n  or: ')}`);
  return `${lines.join('\n')}\n`;
}

export interface RecoverOptions extends StackChoice {
  deleteUnrecorded: boolean;
  holderEnded: boolean;
  json: boolean;
  verbose: boolean;
}

/**
 * Makes a stack ready for the next `up` or `destroy` after Pulumi was killed: releases its lock, ends what still runs of
 * it on this machine, clears what Pulumi had begun, and lists what AWS has of the stack that Pulumi does not know.
 */
export async function recover(options: RecoverOptions): Promise<number> {
  const { configFile, deleteUnrecorded, holderEnded, json, verbose } = options;
  const stack = await oneStackOf(options);
  process.on('exit', endChildren);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => process.exit(1));
  const report = await new Recovery({
    stack,
    configFile,
    deleteUnrecorded,
    holderEnded,
    show: (line) => {
      if (verbose) process.stderr.write(`${line}\n`);
    },
  }).run();
  process.stdout.write(json ? jsonText(report) : told(report));
  return report.unrecorded.some(({ deleted }) => !deleted) ? exitCodes.undecided : exitCodes.done;
}
