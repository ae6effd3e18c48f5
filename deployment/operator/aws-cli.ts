import { runChild } from './child-process';

/** What the AWS CLI answered when it did not do what it was asked. */
export class AwsCliError extends Error {
  constructor(
    args: readonly string[],
    /** AWS's code, such as `DependencyViolation`; undefined where the CLI failed before it asked AWS. */
    readonly code: string | undefined,
    /** What the CLI said, without the call. */
    readonly said: string,
  ) {
    super(`aws ${args.join(' ')}: ${said}`);
    this.name = 'AwsCliError';
  }
}

/** Asks AWS in a region through the AWS CLI, which knows every way to find credentials. */
export class AwsCli {
  constructor(
    readonly region: string,
    /** Minutes that one call may take. */
    private readonly minutes: number,
  ) {}

  /**
   * The answer to one call.
   *
   * @throws AwsCliError with AWS's code.
   */
  async ask<T>(...args: string[]): Promise<T> {
    const stdout = await this.tell(args);
    return (stdout.trim() === '' ? null : JSON.parse(stdout)) as T;
  }

  /**
   * Makes one call and gives back what it printed.
   *
   * @param input what it reads on standard input.
   * @throws AwsCliError with AWS's code.
   */
  async tell(args: readonly string[], input = ''): Promise<string> {
    const { code, stdout, stderr } = await runChild(
      ['aws', ...args, '--region', this.region, '--output', 'json'],
      { minutes: this.minutes, setting: 'skyfleet:timeouts.callMinutes', input },
    );
    if (code !== 0) {
      const said = stderr.trim();
      throw new AwsCliError(args, /An error occurred \((\w[\w.]*)\)/.exec(said)?.[1], said);
    }
    return stdout;
  }
}
