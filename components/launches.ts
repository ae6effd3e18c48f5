import { local } from '@pulumi/command';
import type * as pulumi from '@pulumi/pulumi';

/**
 * The launches of a program. Pulumi runs a limited number of steps at once, and a wait takes minutes: one that took a
 * place before the last launch went out would hold that launch back. So every wait comes after every launch.
 */
export class Launches {
  private readonly submissions: pulumi.Resource[] = [];
  /**
   * Runs nothing and is there once every launch has gone out. Waits depend on this one resource: each on each launch would
   * be 160,000 dependencies with 400 places, which Pulumi keeps one by one.
   */
  readonly done: pulumi.Resource;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    // Settles once the program has declared its resources, with all launches added by then.
    const submissions = new Promise<pulumi.Resource[]>((resolve) => {
      setImmediate(() => resolve(this.submissions));
    });
    this.done = new local.Command(`${name}-launched`, {}, { ...opts, dependsOn: submissions });
  }

  /** Has every wait come after a launch too; `SkyCluster` calls it. */
  add(submission: pulumi.Resource): void {
    this.submissions.push(submission);
  }
}
