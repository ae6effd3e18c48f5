/** How an instance stands: its id, its state, and AWS's reason for the state where there is one. */
export type InstanceStanding = readonly [id: string, state: string, reason: string | null];

/**
 * AWS's reasons for ending or stopping an instance by itself begin so, those of whoever asked for it with `Client.`
 * (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html).
 */
const byAws = 'Server.';

/** Those of them that say of an instance that it did run; others are of a launch that came to nothing. */
const afterRunning = new Set([
  'Server.SpotInstanceTermination',
  'Server.SpotInstanceShutdown',
  'Server.ScheduledStop',
]);

const isLive = ([, state]: InstanceStanding): boolean => state === 'pending' || state === 'running';

/**
 * The instances of a launch that AWS takes meanwhile. What SkyPilot ends by itself, such as half a cluster that finds no
 * room in a zone, is none of them, nor is what had ended before.
 */
export class LossWatch {
  private readonly running = new Set<string>();
  private readonly ended: ReadonlySet<string>;

  /** @param before how instances stood when it began, where there may have been launches under the same name before. */
  constructor(before: readonly InstanceStanding[] = []) {
    this.ended = new Set(before.filter((instance) => !isLive(instance)).map(([id]) => id));
  }

  /** @returns those that are lost by now. */
  look(instances: readonly InstanceStanding[]): string[] {
    for (const [id, state] of instances) if (state === 'running') this.running.add(id);
    return instances.filter((instance) => this.isLost(instance)).map(([id]) => id);
  }

  private isLost(instance: InstanceStanding): boolean {
    const [id, , reason] = instance;
    if (isLive(instance) || this.ended.has(id) || reason === null) return false;
    return this.running.has(id) ? reason.startsWith(byAws) : afterRunning.has(reason);
  }
}
