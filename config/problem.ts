/** One thing wrong with the configuration, in the words of the stack file. */
export interface ConfigProblem {
  /** The key as the user wrote it, such as `skyfleet:fleets[0].clusters`. */
  key: string;
  /** The value found there; undefined where the key is missing or its value is a secret. */
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

/** A problem as one line: the key, the value where there is one, and what to do. */
export function formatProblem({ key, value, message }: ConfigProblem): string {
  return value === undefined ? `${key}: ${message}` : `${key} is ${JSON.stringify(value)}: ${message}`;
}

/** `skyfleet:fleets[0].clusters` from a path such as `['fleets', 0, 'clusters']`. */
export function configKey(path: readonly PropertyKey[]): string {
  return path.reduce<string>((key, part, index) => {
    if (index === 0) return `skyfleet:${String(part)}`;
    return typeof part === 'number' ? `${key}[${part}]` : `${key}.${String(part)}`;
  }, 'skyfleet');
}

/** A problem with the value at a path of the configuration. */
export function problemAt(path: readonly PropertyKey[], value: unknown, message: string): ConfigProblem {
  return { key: configKey(path), value, message };
}
