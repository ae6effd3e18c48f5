import type * as pulumi from '@pulumi/pulumi';

/**
 * The launches of a program. Pulumi runs a limited number of steps at once, and a wait takes minutes: one that took a
 * place before the last launch went out would hold that launch back. So every wait depends on every launch.
 */
export class Launches {
  private readonly submissions: pulumi.Resource[] = [];
  /** Settles once the program has declared its resources, with all launches added by then. */
  readonly all = new Promise<pulumi.Resource[]>((resolve) => {
    setImmediate(() => resolve(this.submissions));
  });

  add(submission: pulumi.Resource): void {
    this.submissions.push(submission);
  }
}
