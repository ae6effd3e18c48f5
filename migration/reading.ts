import type { z } from 'zod';
import type { ConfigProblem } from '../config/problem';
import type { fleetSchema } from '../config/schema';

/** What became of something that an earlier tool was told. */
export type Outcome =
  /** It stands in the stack file as it was. */
  | 'taken'
  /** It stands there otherwise, or something stands there that nobody had written. */
  | 'changed'
  /** Skyfleet has nothing for it, and `why` says what takes its place. */
  | 'none'
  /** No earlier tool knows the key either. */
  | 'unknown';

/** One line of the report. */
export interface Entry {
  /** The key as it stands in the earlier file, or the file beside it. */
  key: string;
  outcome: Outcome;
  /** What was found; left out for whatever could hold a secret. */
  value?: string | number | boolean;
  /** The key of the stack file that says it now. */
  to?: string;
  /** Why it is as it is; left out where there is nothing to say. */
  why?: string;
}

/** What a fleet is besides its name, its size and its ordinals. */
export type FleetSettings = Omit<
  z.input<typeof fleetSchema>,
  'name' | 'clusters' | 'nodesPerCluster' | 'ordinals'
>;

/** The fleet of one region, which becomes a stack of its own. */
export interface RegionFleet {
  region: string;
  /** How many nodes; a region with none gets no stack. */
  nodes: number;
  /** A zone that the earlier tool was held to. */
  zone?: string;
  settings: FleetSettings;
}

/** What was understood of the configuration of an earlier tool. */
export interface Reading {
  fleets: RegionFleet[];
  /** AWS tags of everything. */
  tags: Record<string, string>;
  entries: Entry[];
  /** What is wrong with it; then the rest does not count. */
  problems: ConfigProblem[];
  /** Where it says that its files are, as it is written there. */
  files: {
    /** `aws.files_directory`. */
    folder?: string;
    /** Local sides of `file_mounts`. */
    mounted: string[];
  };
}

/** A reading of a file with which nothing can be done. */
export const refused = (problems: ConfigProblem[]): Reading => ({
  fleets: [],
  tags: {},
  entries: [],
  problems,
  files: { mounted: [] },
});

/**
 * Shares nodes out among regions as the earlier tools do: each gets the same number, and the first ones get one more
 * until none is left (`cmd_create` in spot_deployer/commands/create.py and amauo/commands/create.py).
 */
export function spread(nodes: number, regions: number): number[] {
  return Array.from(
    { length: regions },
    (_, index) => Math.floor(nodes / regions) + (index < nodes % regions ? 1 : 0),
  );
}

/** Problems with the values of a zod schema, with keys such as `regions[0].us-west-2.image`. */
export function problemsOf(error: z.ZodError, root: unknown): ConfigProblem[] {
  return error.issues.map((issue) => {
    const { path } = issue;
    // Of a key that is wrong in itself, zod says so one level below.
    const message =
      issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    const value = path.reduce<unknown>(
      (at, part) => (at as Record<PropertyKey, unknown> | null | undefined)?.[part],
      root,
    );
    const plain = ['string', 'number', 'boolean'].includes(typeof value);
    return { key: keyAt(path), value: plain ? value : undefined, message };
  });
}

/** `regions[0].us-west-2` from a path such as `['regions', 0, 'us-west-2']`. */
export function keyAt(path: readonly PropertyKey[]): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
}
