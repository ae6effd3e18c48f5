import { local } from '@pulumi/command';
import type * as pulumi from '@pulumi/pulumi';

/**
 * The launches of a program. Pulumi runs a limited number of steps at once, and a wait takes minutes: one that took a
 * place before the last launch went out would hold that launch back. So every wait comes after every launch.
 */
export class Launches {
  private readonly submissions: pulumi.Resource[] = [];
  private isComplete = false;
  /**
   * Runs nothing and is there once every launch has gone out. Waits depend on this one resource: each on each launch would
   * be 160,000 dependencies with 400 places, which Pulumi keeps one by one.
   */
  readonly done: pulumi.Resource;

  constructor(name: string, opts?: pulumi.ComponentResourceOptions) {
    // Settles once the program has declared its resources, with all launches added by then.
    const submissions = new Promise<pulumi.Resource[]>((resolve) => {
      setImmediate(() => {
        this.isComplete = true;
        resolve(this.submissions);
      });
    });
    this.done = new local.Command(`${name}-launched`, {}, { ...opts, dependsOn: submissions });
  }

  /**
   * Has every wait come after a launch too; `SkyCluster` calls it.
   *
   * @throws Error where the program has awaited something since this was made: waits would not come after the launch.
   */
  add(submission: pulumi.Resource): void {
    if (this.isComplete) {
      throw new Error(
        'a cluster is declared too late for its Launches: make these after the last await of the program, just before the clusters',
      );
    }
    this.submissions.push(submission);
  }
}
