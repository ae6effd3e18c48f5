/** What a plugin does, apart from how it is served. */
import type { Properties, PropertyChange } from './properties';

export interface CheckFailure {
  readonly property: string;
  readonly reason: string;
}

export interface CheckResult {
  readonly inputs: Properties;
  readonly failures: readonly CheckFailure[];
}

export interface DiffResult {
  readonly changes: readonly PropertyChange[];
  readonly deleteBeforeReplace: boolean;
}

export interface CheckCall {
  readonly type: string;
  readonly name: string;
  readonly olds: Properties;
  readonly news: Properties;
  readonly randomSeed: Uint8Array;
}

/** What an operation on a resource runs under: abandoned when `signal` fires, on cancel or time-out. */
export interface Operation {
  readonly type: string;
  readonly urn: string;
  readonly signal: AbortSignal;
  /** The user's `customTimeouts` in seconds, or undefined. */
  readonly timeoutSeconds: number | undefined;
  /** Shows a line as the resource's status on the console. */
  readonly log: (line: string) => void;
}

export interface ReadResult {
  readonly id: string;
  readonly state: Properties;
  readonly inputs: Properties;
}

export interface Plugin {
  readonly version: string;
  checkConfig(news: Properties): CheckFailure[];
  configure(args: Properties, signal: AbortSignal): Promise<void>;
  check(call: CheckCall): Promise<CheckResult>;
  diff(call: { type: string; olds: Properties; news: Properties }): Promise<DiffResult>;
  /** `preview` asks for the planned state, with `unknown` for what only creation will tell. */
  create(op: Operation, news: Properties, preview: boolean): Promise<{ id: string; state: Properties }>;
  /** Undefined where the resource is gone. */
  read(op: Operation, id: string, state: Properties, inputs: Properties): Promise<ReadResult | undefined>;
  update(
    op: Operation,
    id: string,
    olds: Properties,
    news: Properties,
    preview: boolean,
  ): Promise<Properties>;
  delete(op: Operation, id: string, state: Properties): Promise<void>;
  invoke(token: string, args: Properties, signal: AbortSignal): Promise<Properties>;
}

/** The resource exists, but is not as it was asked for: Pulumi records it, and the next update completes it. */
export class IncompleteResourceError extends Error {
  constructor(
    message: string,
    readonly id: string,
    readonly state: Properties,
  ) {
    super(message);
    this.name = 'IncompleteResourceError';
  }
}
