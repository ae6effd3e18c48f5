/** How an instance stands: its id, its state, and AWS's reason for the state where there is one. */
export type InstanceStanding = readonly [id: string, state: string, reason: string | null];

/**
 * AWS's reasons for ending or stopping an instance by itself begin so, those of whoever asked for it with `Client.`
 * (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html).
 */
const byAws = 'Server.';

/**
 * The instances that AWS has taken since they were seen to run. What SkyPilot ends by itself, such as half a cluster that
 * finds no room in a zone, is none of them.
 */
export class LossWatch {
  private readonly running = new Set<string>();

  /** @returns those that are lost by now. */
  look(instances: readonly InstanceStanding[]): string[] {
    for (const [id, state] of instances) if (state === 'running') this.running.add(id);
    return instances
      .filter(
        ([id, state, reason]) =>
          this.running.has(id) && state !== 'running' && reason?.startsWith(byAws) === true,
      )
      .map(([id]) => id);
  }
}
