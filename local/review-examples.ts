import { randomBytes } from 'node:crypto';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { exitCodes } from '../cli/exit-codes';
import { localStack } from './job/rig-stack';
import type { LocalStack } from './job/stack';
import { withOwnRig } from './own-rig';
import type { Rig } from './rig';
import { CHECKOUT } from './rig/paths';

/** Makes the reviews that `docs/reviewing.md` shows, each of a real stack on a rig of its own: `docs/reviews/*.md`. */
const name = 'reviews';
const folder = path.join(CHECKOUT, 'docs', 'reviews');

type Config = Record<string, unknown>;
type Fleet = Record<string, unknown>;

/** A configuration of two fleets: one node alone, and a cluster of two. */
const declared =
  (changes: { single?: Fleet; pair?: Fleet; stack?: Config } = {}) =>
  (config: Config): Config => {
    const fleet = { instanceType: 't3.medium', spot: true, diskSizeGiB: 30 };
    const single = { ...fleet, name: 'single', clusters: 1, ordinals: { first: 0, last: 9 } };
    const pair = {
      ...fleet,
      name: 'pair',
      clusters: 1,
      nodesPerCluster: 2,
      ordinals: { first: 10, last: 19 },
    };
    return {
      ...config,
      'skyfleet:fleets': [
        { ...single, ...changes.single },
        { ...pair, ...changes.pair },
      ],
      ...changes.stack,
    };
  };

/** The reviews of a stack that stands, by the file that they go into. */
const examples: Record<string, (config: Config) => Config> = {
  none: declared({ single: { onDemandFallback: true } }),
  refresh: declared({ stack: { 'skyfleet:bacalhau': { logLevel: 'debug' } } }),
  scale: declared({ single: { clusters: 3 } }),
  'rebuild-workers': declared({ pair: { nodesPerCluster: 1 } }),
  replace: declared({ single: { instanceType: 't3.large' } }),
  blocked: declared({
    single: { clusters: 8 },
    stack: { 'skyfleet:governance': { budget: { monthlyUsd: 100 } } },
  }),
};

class Examples {
  private readonly stack: LocalStack;

  constructor(private readonly rig: Rig) {
    this.stack = localStack(rig);
  }

  async make(): Promise<void> {
    await this.stack.prepare(declared());
    await this.review('launch');
    await this.pulumi('up');
    for (const [file, config] of Object.entries(examples)) {
      await this.stack.prepare(config);
      await this.review(file);
    }
    await this.stack.prepare(declared());
    await this.stack.setToken(randomBytes(24).toString('hex'));
    await this.review('secret');
    await this.stack.setToken(this.rig.orchestratorToken);
    await this.preemptOne();
    await this.review('repair');
    await this.pulumi('destroy');
  }

  /** Reviews the stack as it is declared by now. */
  private async review(file: string): Promise<void> {
    process.stderr.write(`reviewing: ${file}\n`);
    const out = path.join(this.rig.paths.pulumi, 'review');
    const program = ['node', 'bin/skyfleet.mjs', 'review', ...this.stack.stackOptions(), '--out', out];
    const { code, stderr } = await this.rig.exec(program, { cwd: CHECKOUT });
    if (code === null || code === exitCodes.failed) throw new Error(stderr);
    fs.copyFileSync(path.join(out, 'review.md'), path.join(folder, `${file}.md`));
  }

  private async pulumi(command: 'up' | 'destroy'): Promise<void> {
    process.stderr.write(`pulumi ${command} ...\n`);
    const { code, output } = await this.stack.run(command, ['--yes', '--skip-preview'], () => undefined);
    if (code !== 0) throw new Error(output);
  }

  /** Has AWS take the node that stands alone. */
  private async preemptOne(): Promise<void> {
    const { nodes } = (await this.stack.outputs()) as { nodes: { single: { instanceId: string }[] } };
    const url = `${this.rig.endpoints.aws}/_emu/preempt/${nodes.single[0]?.instanceId ?? ''}`;
    const { code, stderr } = await this.rig.exec([
      ...['curl', '--silent', '--show-error', '--fail', '--json', '{"noticeSeconds": 0}', url],
    ]);
    if (code !== 0) throw new Error(stderr);
    // Until AWS calls it terminated.
    await sleep(10_000);
  }
}

async function main(): Promise<void> {
  fs.mkdirSync(folder, { recursive: true });
  await withOwnRig(name, (rig) => new Examples(rig).make());
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
