/** How a check came out. `unknown` is what could not be told, which is not the same as being well. */
export type CheckState = 'ok' | 'failed' | 'unknown' | 'skipped';

/** One thing that a deployment needs, and how it is. */
export interface Check {
  /** What was looked at, such as `Pulumi CLI`. */
  check: string;
  state: CheckState;
  /** What was seen, or why nothing was. */
  detail: string;
  /** What to do; absent only where there is nothing to do. */
  remedy?: string;
}

/** It is as it must be. */
export const ok = (check: string, detail: string): Check => ({ check, state: 'ok', detail });

/** It is not as it must be. */
export const failed = (check: string, detail: string, remedy: string): Check => ({
  ...{ check, state: 'failed', detail, remedy },
});

/** It cannot be told how it is. */
export const unknown = (check: string, detail: string, remedy: string): Check => ({
  ...{ check, state: 'unknown', detail, remedy },
});

/** It was not looked at, because something that it needs is not well. */
export const skipped = (check: string, reason: string): Check => ({
  check,
  state: 'skipped',
  detail: reason,
});

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
