import type { EngineEvent } from '@pulumi/pulumi/automation';
import { advance, newLines, noProgress, progressLines, type StackProgress } from './progress';

/**
 * One display of how far Pulumi has come with several stacks, on standard error: live on a terminal, else a line for each
 * place that comes to an end.
 */
export class ProgressDisplay {
  private readonly stacks = new Map<string, StackProgress>();
  private live: { stop: () => void } | undefined;

  /**
   * @param options.verbose also tells the requests of SkyPilot's.
   * @param options.names whether lines carry the name of their stack: where there are several.
   */
  constructor(
    private readonly title: string,
    private readonly options: { verbose: boolean; names: boolean },
  ) {}

  async start(): Promise<void> {
    // Packages that only exist as ES modules are loaded where they are needed.
    const { default: ora } = await import('ora');
    const spinner = ora({ text: this.title, stream: process.stderr, discardStdin: false });
    if (!process.stderr.isTTY) {
      process.stderr.write(`${this.title} …\n`);
      return;
    }
    spinner.start();
    const timer = setInterval(() => (spinner.text = this.text(Date.now())), 500);
    this.live = {
      stop: () => {
        clearInterval(timer);
        spinner.stopAndPersist({ symbol: ' ', text: this.text(Date.now()) });
      },
    };
  }

  /** Takes in an event of a stack's. */
  advance(stack: string, event: EngineEvent): void {
    const now = Date.now();
    const before = this.stacks.get(stack) ?? noProgress;
    const after = advance(before, event, now);
    this.stacks.set(stack, after);
    if (this.options.verbose) {
      for (const [place, request] of after.requests) {
        if (before.requests.get(place) === request) continue;
        this.say(stack, `${place}: SkyPilot's request ${request}; its log: sky api logs ${request}`);
      }
    }
    if (this.live === undefined) newLines(before, after, now).forEach((line) => this.say(stack, line));
  }

  /** What Pulumi called errors of a stack. */
  errorsOf(stack: string): readonly string[] {
    return this.stacks.get(stack)?.errors ?? [];
  }

  stop(): void {
    this.live?.stop();
    this.live = undefined;
  }

  private say(stack: string, line: string): void {
    process.stderr.write(`${this.options.names ? `${stack}: ` : ''}${line}\n`);
  }

  private text(now: number): string {
    const lines = [...this.stacks].flatMap(([stack, progress]) => [
      ...(this.options.names ? [`  ${stack}`] : []),
      ...progressLines(progress, now).map((line) => `${this.options.names ? '    ' : '  '}${line}`),
    ]);
    return [this.title, ...lines].join('\n');
  }
}
