import { setTimeout as sleep } from 'node:timers/promises';
import { localStack } from '../../local/job/rig-stack';
import { LocalStack, type PulumiRun } from '../../local/job/stack';
import { startRig, type Rig } from '../../local/rig';
import { CHECKOUT } from '../../local/rig/paths';
import { identify, isAlive, send, type ProcessId } from '../../local/rig/processes';
import { endStragglers } from '../../local/rig/supervision';
import type { NodeReport } from '../../deployment/operator/wait';
import { ArgumentWatch, leaksIn } from '../e2e/token-search';
import { Observer } from './observe';
import { uniform } from './uniform';

/*
 * Kills things at random times and looks whether the one way back leads back: `recover`, then `up` or `destroy`.
 */

/** What is under way when something is killed. */
export type During = 'up' | 'up: refresh' | 'up: replace' | 'destroy';

/** What is killed, and how. */
export type Kill = 'pulumi SIGINT' | 'pulumi SIGKILL' | 'skypilot SIGKILL' | 'instance lost';

/** A line of the record: one kill, and what was found afterwards. */
export interface KillLine {
  n: number;
  seed: number;
  /** The commit of the program, with `-dirty` behind it where the checkout differs from it. */
  commit: string;
  kind: 'pulumi' | 'skypilot' | 'instance';
  signal: 'SIGINT' | 'SIGKILL' | 'preempted';
  during: During;
  /** Seconds from the start of that to the kill. */
  atSeconds: number;
  /** Whether the command was still under way, with something to kill: it may be quicker than when it was measured. */
  hit: boolean;
  /** Seconds that it takes undisturbed, as measured on this machine: the range of `atSeconds`. */
  duration: number;
  /** Exit code of the disturbed command. */
  exitCode: number;
  /** What `recover` said: of the lock, of what it ended and cleared, and of what it found unrecorded and deleted. */
  recovered: { lock: boolean; ended: number; cleared: number; unrecorded: string[] };
  /** What was asked for then. */
  then: 'up' | 'destroy';
  /** What there was after that, by AWS and SkyPilot. */
  found: { instances: number; clusters: number; orphans: string[]; lost: string[] };
  converged: boolean;
  /** Why not. */
  problem?: string;
  /** Seconds from the start of the cycle to its end. */
  seconds: number;
}

export interface Totals {
  kills: number;
  converged: number;
  orphans: number;
  lost: number;
}

export interface ChaosSettings {
  kills: number;
  seed: number;
  /** The commit that the lines are of. */
  commit: string;
  /** Lines of an earlier run that was cut off and goes on. */
  before?: readonly KillLine[];
  /** Is told what happens. */
  show: (line: string) => void;
  /** Gets each line of the record. */
  record: (line: KillLine) => void;
}

/** The closing line of a run. */
export const closingLine = ({ kills, converged, orphans, lost }: Totals): string =>
  `kills ${kills}, converged ${converged}, orphans ${orphans}, lost ${lost}`;

/** What the lines of a run come to. */
export function totalsOf(lines: readonly KillLine[]): Totals {
  const sum = (count: (line: KillLine) => number): number =>
    lines.reduce((total, line) => total + count(line), 0);
  return {
    kills: lines.length,
    converged: sum(({ converged }) => Number(converged)),
    orphans: sum(({ found }) => found.orphans.length),
    lost: sum(({ found }) => found.lost.length),
  };
}

/** The lines of a record, without its closing line. */
export function parseRecord(text: string): KillLine[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as KillLine);
}

/** Nodes of the stack: enough for something to be lost. */
const clusters = 1;

/** What the stack is asked for: a change of the level is a refresh, one of the type a replacement. */
interface Wanted {
  logLevel: 'info' | 'debug';
  instanceType: 't3.medium' | 't3.large';
}

/** Seconds after which a node that is ready has to be in the orchestrator's list. */
const settlingSeconds = 120;

const secondsSince = (start: number): number => Math.round((Date.now() - start) / 100) / 10;

/** A run that goes on from a stack that it cannot bring back would say nothing more. */
export class ChaosError extends Error {}

export class Chaos {
  private readonly stack: LocalStack;
  private readonly observer: Observer;
  private draw: () => number = uniform(0);
  private readonly durations = new Map<During, number>();
  private wanted: Wanted = { logLevel: 'info', instanceType: 't3.medium' };
  private isUp = false;
  /** What the account has when the stack is up. */
  private complete: string[] = [];

  constructor(
    private readonly rig: Rig,
    private readonly settings: ChaosSettings,
  ) {
    this.stack = localStack(rig);
    this.observer = new Observer(rig, `organization/skyfleet/${this.stack.name}`);
  }

  /**
   * Kills as often as asked, one after the other.
   *
   * @throws ChaosError where the token of the orchestrator is somewhere where it may not be afterwards.
   */
  async run(): Promise<Totals> {
    const watch = new ArgumentWatch(() => this.rig.orchestratorToken);
    try {
      const totals = await this.cycles();
      const leaks = [...leaksIn(this.rig), ...watch.stop()];
      if (leaks.length > 0) throw new ChaosError(`the token is in: ${leaks.join(', ')}`);
      return totals;
    } finally {
      watch.stop();
    }
  }

  private async cycles(): Promise<Totals> {
    const { kills, before = [] } = this.settings;
    const lines = [...before];
    for (let n = before.length + 1; n <= kills; n++) {
      const line = await this.cycle(n);
      this.settings.record(line);
      lines.push(line);
      if (!line.converged) await this.startOver();
    }
    return totalsOf(lines);
  }

  private pick<T>(...choices: [T, ...T[]]): T {
    return choices[Math.floor(this.draw() * choices.length)] ?? choices[0];
  }

  private async cycle(n: number): Promise<KillLine> {
    // All that is drawn is drawn here, from the seed and the number of the kill: a run that goes on draws what it would have.
    this.draw = uniform(this.settings.seed + Math.imul(n, 0x9e3779b1));
    const during = this.isUp ? this.pick<During>('up: refresh', 'up: replace', 'destroy') : 'up';
    const kill =
      during === 'destroy'
        ? this.pick<Kill>('pulumi SIGINT', 'pulumi SIGKILL', 'skypilot SIGKILL')
        : this.pick<Kill>('pulumi SIGINT', 'pulumi SIGKILL', 'skypilot SIGKILL', 'instance lost');
    const share = this.draw();
    const then = this.pick<'up' | 'destroy'>('up', 'destroy');

    const duration = await this.durationOf(during);
    const start = Date.now();
    const at = share * duration;
    this.settings.show(
      `kill ${n}: ${kill} after ${at.toFixed(1)} of ${duration} s of ${during}; then ${then}`,
    );
    const { run, atSeconds, hit } = await this.disturbed(during, kill, at);
    const recovered = await this.recover();
    const { code, output } = await this.pulumi(then);
    this.isUp = then === 'up';
    const found = await this.look();
    const problem = await this.problemOf(code, output, found);
    const [kind = '', signal = ''] = kill.split(' ');
    return {
      n,
      seed: this.settings.seed,
      commit: this.settings.commit,
      kind: kind as KillLine['kind'],
      signal: (signal === 'lost' ? 'preempted' : signal) as KillLine['signal'],
      during,
      atSeconds,
      hit,
      duration,
      exitCode: run.code,
      recovered,
      then,
      found,
      converged: problem === undefined,
      ...(problem === undefined ? {} : { problem }),
      seconds: secondsSince(start),
    };
  }

  /** What keeps a stack from having come back. */
  private async problemOf(
    code: number,
    output: string,
    { orphans, lost }: KillLine['found'],
  ): Promise<string | undefined> {
    if (code !== 0) return output.split('\n').slice(-40).join('\n');
    if (orphans.length > 0) return `left over: ${orphans.join(', ')}`;
    if (lost.length > 0) return `not connected: ${lost.join(', ')}`;
    if (!this.isUp) return undefined;
    const preview = await this.stack.run('preview', ['--expect-no-changes', '--diff'], () => undefined);
    return preview.code === 0 ? undefined : preview.output.split('\n').slice(-60).join('\n');
  }

  /** Makes the next change of a kind. */
  private change(during: During): void {
    const { logLevel, instanceType } = this.wanted;
    if (during === 'up: refresh')
      this.wanted = { instanceType, logLevel: logLevel === 'info' ? 'debug' : 'info' };
    if (during === 'up: replace')
      this.wanted = { logLevel, instanceType: instanceType === 't3.medium' ? 't3.large' : 't3.medium' };
  }

  /** How long something takes undisturbed: it is done once, when it is first asked for. */
  private async durationOf(during: During): Promise<number> {
    const known = this.durations.get(during);
    if (known !== undefined) return known;
    this.settings.show(`measuring ${during}`);
    this.change(during);
    const start = Date.now();
    const { code, output } = await this.pulumi(during === 'destroy' ? 'destroy' : 'up');
    if (code !== 0) throw new ChaosError(`${during} fails undisturbed:\n${output}`);
    const duration = secondsSince(start);
    this.durations.set(during, duration);
    if (during === 'up') {
      this.complete = await this.observer.resources();
      await this.durationOf('destroy');
    }
    if (during === 'destroy' && this.isUp) await this.pulumi('up');
    return duration;
  }

  private async pulumi(command: 'up' | 'destroy', onStart?: (leader: number) => void): Promise<PulumiRun> {
    const { logLevel, instanceType } = this.wanted;
    await this.stack.prepare((config) => {
      const [fleet] = config['skyfleet:fleets'] as Record<string, unknown>[];
      return {
        ...config,
        'skyfleet:bacalhau': { logLevel },
        'skyfleet:fleets': [{ ...fleet, clusters, instanceType }],
      };
    });
    return this.stack.run(command, ['--yes', '--skip-preview'], () => undefined, onStart);
  }

  /** Does something and kills meanwhile. */
  private async disturbed(
    during: During,
    kill: Kill,
    at: number,
  ): Promise<{ run: PulumiRun; atSeconds: number; hit: boolean }> {
    this.change(during);
    const start = Date.now();
    let leader: ProcessId | undefined;
    const progress = { over: false };
    const ended = this.pulumi(during === 'destroy' ? 'destroy' : 'up', (pid) => (leader = identify(pid)));
    const over = ended.then(() => (progress.over = true));
    await Promise.race([over, sleep(at * 1000)]);
    // Where no instance runs yet, there is none to lose yet.
    let instances = kill === 'instance lost' ? await this.observer.instances() : [];
    while (kill === 'instance lost' && instances.length === 0 && !progress.over) {
      await sleep(500);
      instances = await this.observer.instances();
    }
    const atSeconds = secondsSince(start);
    const isUnderWay = !progress.over;
    const hit = (await this.kill(kill, leader, instances)) && isUnderWay;
    return { run: await ended, atSeconds, hit };
  }

  private async kill(kill: Kill, leader: ProcessId | undefined, instances: string[]): Promise<boolean> {
    if (kill === 'skypilot SIGKILL') {
      await endStragglers(this.rig.paths, ({ service }) => service === 'sky');
      await startRig({ name: this.rig.paths.name });
      return true;
    }
    if (kill === 'instance lost') {
      const [instance] = instances;
      if (instance !== undefined) await this.observer.preempt(instance);
      return instance !== undefined;
    }
    if (leader === undefined || !isAlive(leader)) return false;
    send(leader, kill === 'pulumi SIGINT' ? 'SIGINT' : 'SIGKILL', 'group');
    return true;
  }

  /** Recovers, with whatever is unrecorded deleted. */
  private async recover(): Promise<KillLine['recovered']> {
    const program = ['node', 'bin/skyfleet.mjs', 'recover'];
    const { code, stdout, stderr } = await this.rig.exec(
      [...program, ...this.stack.stackOptions(), '--json', '--delete-unrecorded'],
      { cwd: CHECKOUT },
    );
    if (code !== 0) throw new ChaosError(`recover ended with exit code ${String(code)}:\n${stderr}`);
    const report = JSON.parse(stdout) as {
      lock: unknown;
      ended: unknown[];
      pending: unknown[];
      unrecorded: { kind: string; id: string }[];
    };
    return {
      lock: report.lock !== null,
      ended: report.ended.length,
      cleared: report.pending.length,
      unrecorded: report.unrecorded.map(({ kind, id }) => `${kind} ${id}`),
    };
  }

  /** What there is, what should not be there, and which places have no node that is connected. */
  private async look(): Promise<KillLine['found']> {
    const { observer } = this;
    const nodes = this.isUp ? await this.nodes() : [];
    const deadline = Date.now() + settlingSeconds * 1000;
    let lost = nodes;
    while (lost.length > 0 && Date.now() < deadline) {
      const connected = await observer.connected();
      lost = nodes.filter(({ nodeName }) => !connected.includes(nodeName));
      if (lost.length > 0) await sleep(1000);
    }
    const [instances, found, resources] = await Promise.all([
      observer.instances(),
      observer.clusters(),
      observer.resources(),
    ]);
    const names = nodes.map(({ nodeName }) => nodeName);
    return {
      instances: instances.length,
      clusters: found.length,
      orphans: [
        ...instances
          .filter((id) => !nodes.some(({ instanceId }) => instanceId === id))
          .map((id) => `instance ${id}`),
        ...found.filter((name) => !names.includes(name)).map((name) => `cluster ${name}`),
        ...surplus(resources, this.isUp ? this.complete : []),
      ],
      lost: [
        ...lost.map(({ nodeName }) => nodeName),
        ...Array.from({ length: this.isUp ? clusters - nodes.length : 0 }, () => 'a place without a node'),
      ],
    };
  }

  private async nodes(): Promise<NodeReport[]> {
    const { nodes = {} } = (await this.stack.outputs()) as { nodes?: Record<string, NodeReport[]> };
    return Object.values(nodes).flat();
  }

  /** Back to nothing after something that did not come back. */
  private async startOver(): Promise<void> {
    this.settings.show('starting over from nothing');
    await this.recover();
    const { code, output } = await this.pulumi('destroy');
    if (code !== 0) throw new ChaosError(`the stack cannot be destroyed:\n${output}`);
    this.isUp = false;
    const { orphans } = await this.look();
    if (orphans.length > 0) throw new ChaosError(`destroy leaves: ${orphans.join(', ')}`);
  }
}

/** What is there beyond as many of each kind as expected; each is a kind and an id. */
export function surplus(found: readonly string[], expected: readonly string[]): string[] {
  const kindOf = (one: string): string => one.split(' ')[0] ?? '';
  return [...new Set(found.map(kindOf))].flatMap((kind) => {
    const allowed = expected.filter((one) => kindOf(one) === kind).length;
    return found.filter((one) => kindOf(one) === kind).slice(allowed);
  });
}
