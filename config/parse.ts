import { type z } from 'zod';
import { configSchema, type SkyfleetConfig } from './schema';

/** One thing wrong with the configuration, in the words of the stack file. */
export interface ConfigProblem {
  /** The key as the user wrote it, such as `skyfleet:fleets[0].clusters`. */
  key: string;
  /** The value found there; undefined where the key is missing. */
  value: unknown;
  /** What is allowed there and what to do. */
  message: string;
}

/** Raised before anything is touched; lists every problem at once. */
export class ConfigError extends Error {
  constructor(readonly problems: readonly ConfigProblem[]) {
    super(
      `The stack configuration has ${problems.length === 1 ? 'a problem' : `${problems.length} problems`}:\n` +
        problems.map((problem) => `  ${formatProblem(problem)}`).join('\n'),
    );
    this.name = 'ConfigError';
  }
}

function formatProblem({ key, value, message }: ConfigProblem): string {
  return value === undefined ? `${key}: ${message}` : `${key} is ${JSON.stringify(value)}: ${message}`;
}

/** `skyfleet:fleets[0].clusters` from the path of a zod issue. */
export function configKey(path: readonly PropertyKey[]): string {
  return path.reduce<string>((key, part, index) => {
    if (index === 0) return `skyfleet:${String(part)}`;
    return typeof part === 'number' ? `${key}[${part}]` : `${key}.${String(part)}`;
  }, 'skyfleet');
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    root,
  );
}

function problemsOf(issue: z.core.$ZodIssue, root: unknown): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((unknownKey) => {
      const path = [...issue.path, unknownKey];
      return {
        key: configKey(path),
        value: valueAt(root, path),
        message: 'is not a known key; remove it or correct its spelling',
      };
    });
  }
  if (issue.code === 'invalid_key') {
    // What is wrong with the key of a record; its value may be fine.
    return issue.issues.map(({ message }) => ({
      key: configKey(issue.path),
      value: issue.path.at(-1),
      message: `key ${message}`,
    }));
  }
  const value = valueAt(root, issue.path);
  const message =
    value === undefined && issue.code === 'invalid_type'
      ? `is missing; set it to a value of type ${issue.expected}`
      : issue.message;
  return [{ key: configKey(issue.path), value, message }];
}

/**
 * Checks the plain values below `skyfleet:` and fills in the defaults.
 *
 * @throws ConfigError with every problem found.
 */
export function parseConfig(raw: Record<string, unknown>): SkyfleetConfig {
  const result = configSchema.safeParse(raw);
  if (!result.success) {
    throw new ConfigError(result.error.issues.flatMap((issue) => problemsOf(issue, raw)));
  }
  return result.data;
}
