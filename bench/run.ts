import { readFileSync, writeFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { join } from 'node:path';
import { run } from '../local/command';
import { CHECKOUT } from '../local/rig/paths';
import { cacheRoot } from '../local/tools/cache';
import { ensurePulumi } from '../local/tools/pulumi';
import { isWithin, row, table, withSection, type Figure } from './figures';
import { commandCount, shellLoop } from './loop';
import { endAll, type Cost } from './measure';
import { nodeStartFigures } from './node-start';
import { plot } from './plot';
import { SkyPilotStandIn } from './skypilot-stand-in';
import { programs, Workspace, type Program } from './workspace';

/** Seconds that a launch takes where launches are measured. */
const launchSeconds = 20;
/** Clusters that are launched at once. */
const launchedAtOnce = 16;
/** Pairs of runs, one of ours and one of the other after it. */
const launchPairs = 1;
/** Clusters of the stacks whose steady state is measured, and the pairs of runs for each. */
const scales = [
  { clusters: 1, pairs: 5 },
  { clusters: 100, pairs: 3 },
  { clusters: 400, pairs: 1 },
] as const;
/** The one at which they are held against as many bare commands as there are clusters, too. */
const scaleByClusters = 100;

function say(line: string): void {
  console.log(`${new Date().toISOString().slice(11, 19)} ${line}`);
}

/** Measures, and says what it found as soon as it has. */
class Bench {
  readonly figures: Figure[] = [];

  constructor(
    private readonly workspace: Workspace,
    private readonly server: SkyPilotStandIn,
  ) {}

  /** An `up` of many launches at once against one of a single launch, and the same without Pulumi and without us. */
  async launches(): Promise<void> {
    this.server.launchTime = launchSeconds * 1000;
    const ups: [number, number][] = [];
    const loops: [number, number][] = [];
    for (let pair = 0; pair < launchPairs; pair++) {
      const many = await this.freshUp('clusters', launchedAtOnce, 'true');
      if (pair === 0) {
        const script = shellLoop(await this.workspace.recorded('clusters'));
        this.server.forget();
        const loop = await this.workspace.shell('clusters', script);
        loops.push([many, loop.wall]);
      }
      ups.push([many, await this.freshUp('clusters', 1, 'true')]);
    }
    const name = `up of ${launchedAtOnce} clusters`;
    this.add({ name, against: 'up of 1 cluster', unit: 's', pairs: ups, bound: 1.3 });
    this.add({ name, against: 'a shell loop of the same commands', unit: 's', pairs: loops });
    const sleeping = await this.freshUp('commands', launchedAtOnce, `sleep ${launchSeconds}`);
    const against = `${launchedAtOnce} bare commands: sleep ${launchSeconds}`;
    this.add({ name, against, unit: 's', pairs: ups.map(([many]) => [many, sleeping]) });
  }

  /** Previews and no-change `up`s of ever larger stacks against as many bare commands as they have commands. */
  async steadyStates(): Promise<void> {
    this.server.launchTime = 0;
    this.server.forget();
    for (const program of programs) await this.workspace.fresh(program);
    for (const { clusters, pairs } of scales) {
      await this.workspace.bringUp('clusters', { count: clusters });
      const commands = commandCount(await this.workspace.recorded('clusters'));
      await this.steadyState(clusters, commands, pairs, 1.5);
      if (clusters === scaleByClusters) await this.steadyState(clusters, clusters, 1);
    }
  }

  /** The preview and the no-change `up` of clusters that stand, against bare commands. */
  private async steadyState(
    clusters: number,
    commands: number,
    pairs: number,
    bound?: number,
  ): Promise<void> {
    await this.workspace.bringUp('commands', { count: commands });
    const costs = { preview: [] as [Cost, Cost][], 'no-change up': [] as [Cost, Cost][] };
    const [ours, bare] = [{ count: clusters }, { count: commands }];
    for (let pair = 0; pair < pairs; pair++) {
      costs.preview.push([
        await this.workspace.preview('clusters', ours),
        await this.workspace.preview('commands', bare),
      ]);
      costs['no-change up'].push([
        await this.workspace.up('clusters', ours),
        await this.workspace.up('commands', bare),
      ]);
    }
    const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;
    for (const [step, pairsOfStep] of Object.entries(costs)) {
      const figure = {
        name: `${step} of ${counted(clusters, 'cluster')}`,
        against: counted(commands, 'bare command'),
        ...(bound === undefined ? {} : { bound }),
      };
      this.add({ ...figure, unit: 's', pairs: pairsOfStep.map(([a, b]) => [a.wall, b.wall]) });
      this.add({ ...figure, unit: 'MiB', pairs: pairsOfStep.map(([a, b]) => [a.memory, b.memory]) });
    }
  }

  /** Seconds of an `up` of a stack that is new. */
  private async freshUp(program: Program, count: number, script: string): Promise<number> {
    this.server.forget();
    await this.workspace.fresh(program);
    const { wall } = await this.workspace.up(program, { count, script });
    say(`up of ${count} ${program}: ${wall.toFixed(1)} s`);
    return wall;
  }

  private add(figure: Figure): void {
    this.figures.push(figure);
    say(row(figure).join('  '));
  }
}

/** The parts of the benchmark that measure scale. */
const scaleParts = ['launches', 'steadyStates'] as const;

/** What the figures were measured on. */
async function machine(): Promise<string> {
  const [cpu] = cpus();
  const { pulumi: cli } = await ensurePulumi(cacheRoot());
  const [pulumi, commit, changed] = await Promise.all([
    run([cli, 'version']),
    run(['git', 'rev-parse', '--short', 'HEAD'], { cwd: CHECKOUT }),
    run(['git', 'status', '--porcelain', '--', ':!docs'], { cwd: CHECKOUT }),
  ]);
  return (
    `Measured on ${new Date().toISOString().slice(0, 10)} at commit ${commit.trim()}${changed === '' ? '' : ' (with changes)'}, on ` +
    `${cpus().length} cores (${cpu?.model.trim() ?? 'unknown'}) and ${Math.round(totalmem() / 2 ** 30)} GiB of memory, ` +
    `with Pulumi ${pulumi.trim().replace(/^v/, '')} and Node.js ${process.versions.node}.`
  );
}

function writeReport(figures: readonly Figure[], surroundings: string): void {
  const document = join(CHECKOUT, 'docs', 'performance.md');
  const text = `![The ratios as bars, each with its bound](performance.svg)\n\n${surroundings}\n\n${table(figures)}`;
  writeFileSync(document, withSection(readFileSync(document, 'utf8'), 'figures', text));
  writeFileSync(join(CHECKOUT, 'docs', 'performance.svg'), plot(figures, 'Ratios; the line is the bound'));
}

/** Measures scale, in a workspace that goes whatever happens. */
async function scaleFigures(wanted: readonly (typeof scaleParts)[number][]): Promise<Figure[]> {
  if (wanted.length === 0) return [];
  const server = new SkyPilotStandIn();
  const workspace = await Workspace.create(await server.start());
  const clean = (): void => {
    endAll();
    workspace.remove();
  };
  const ends = (['SIGINT', 'SIGTERM', 'SIGHUP'] as const).map((signal) => {
    const end = (): void => {
      clean();
      process.exit(1);
    };
    process.once(signal, end);
    return () => process.off(signal, end);
  });
  try {
    const bench = new Bench(workspace, server);
    for (const part of scaleParts) {
      if (wanted.includes(part)) await bench[part]();
    }
    return bench.figures;
  } finally {
    clean();
    await server.stop();
    ends.forEach((off) => off());
  }
}

/** @param wanted the parts to run; all of them, with the report written, where it is empty. */
async function main(wanted: readonly string[]): Promise<void> {
  const isWanted = (part: string): boolean => wanted.length === 0 || wanted.includes(part);
  const figures = [
    ...(await scaleFigures(scaleParts.filter(isWanted))),
    ...(isWanted('nodeStart') ? await nodeStartFigures(say) : []),
  ];
  console.log(`\n${table(figures)}`);
  if (wanted.length === 0) writeReport(figures, await machine());
  const exceeded = figures.filter((figure) => !isWithin(figure));
  console.log(`${figures.length} figures, ${exceeded.length} beyond their bound`);
  if (exceeded.length > 0) process.exitCode = 1;
}

main(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
