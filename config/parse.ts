import { z } from 'zod';
import { ConfigError, problemAt, type ConfigProblem } from './problem';
import { rules, type Surroundings } from './rules';
import { configKeys, configSchema, type SkyfleetConfig } from './schema';

type JsonSchema = z.core.JSONSchema.BaseSchema;

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, part) =>
      typeof value === 'object' && value !== null ? (value as Record<PropertyKey, unknown>)[part] : undefined,
    root,
  );
}

/** The keys that the schema knows at a path. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  const root: JsonSchema = z.toJSONSchema(configSchema, { io: 'input' });
  const schema = path.reduce<JsonSchema>((at, part) => {
    const next =
      typeof part === 'number' ? at.items : (at.properties?.[String(part)] ?? at.additionalProperties);
    return next as JsonSchema;
  }, root);
  const { propertyNames } = schema as { propertyNames?: JsonSchema };
  return Object.keys(schema.properties ?? {}).concat((propertyNames?.enum ?? []) as string[]);
}

/** What is allowed, in the words of a user. The schema's own messages say it already; the rest are zod's codes. */
function allowed(issue: z.core.$ZodIssue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined
        ? `is missing; set it to a value of type ${issue.expected}`
        : `must be of type ${issue.expected === 'int' ? 'whole number' : issue.expected}; correct it`;
    case 'invalid_value':
      return `must be one of ${issue.values.map((one) => JSON.stringify(one)).join(', ')}; choose one of these`;
    case 'too_small':
      return issue.origin === 'string' || issue.origin === 'array'
        ? issue.message
        : `must be ${issue.inclusive === true ? '' : 'more than '}${issue.minimum}${issue.inclusive === true ? ' or more' : ''}; raise it`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must be ${issue.maximum} characters at most; shorten it`
        : `must be ${issue.maximum} or less; lower it`;
    default:
      return issue.message;
  }
}

function problemsOf(issue: z.core.$ZodIssue, root: unknown): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    const message = `is not a known key; remove it or write one of ${knownKeys(issue.path).join(', ')}`;
    return issue.keys.map((unknownKey) => {
      const path = [...issue.path, unknownKey];
      return problemAt(path, valueAt(root, path), message);
    });
  }
  if (issue.code === 'invalid_key') {
    // What is wrong with the key of a record; its value may be fine.
    return issue.issues.map(({ message }) => problemAt(issue.path, issue.path.at(-1), `key ${message}`));
  }
  const value = valueAt(root, issue.path);
  return [problemAt(issue.path, value, allowed(issue, value))];
}

/** The top-level keys that have no problem, by which it is known what the rules can be asked about. */
function soundKeys(issues: readonly z.core.$ZodIssue[]): Set<string> {
  const broken = new Set(issues.map(({ path }) => path[0]));
  return new Set(configKeys.filter((key) => !broken.has(key)));
}

/** Parses what can be parsed: the sections without a problem, with their defaults. */
function soundSections(raw: Record<string, unknown>, keys: ReadonlySet<string>): Partial<SkyfleetConfig> {
  return Object.fromEntries(
    configKeys.filter((key) => keys.has(key)).map((key) => [key, configSchema.shape[key].parse(raw[key])]),
  );
}

/** The checked configuration, or every problem that was found. */
export type ConfigCheck =
  { config: SkyfleetConfig; problems: [] } | { config: undefined; problems: ConfigProblem[] };

/** Checks the plain values below `skyfleet:` and fills in the defaults; reports every problem at once. */
export function checkConfig(raw: Record<string, unknown>, surroundings: Surroundings): ConfigCheck {
  const result = configSchema.safeParse(raw);
  const issues = result.error?.issues ?? [];
  const keys = soundKeys(issues);
  const sound = result.data ?? (soundSections(raw, keys) as SkyfleetConfig);
  const problems = [
    ...issues.flatMap((issue) => problemsOf(issue, raw)),
    ...rules
      .filter(({ needs }) => needs.every((key) => keys.has(key)))
      .flatMap((rule) => rule.problems(sound, surroundings)),
  ];
  return result.success && problems.length === 0
    ? { config: result.data, problems: [] }
    : { config: undefined, problems };
}

/**
 * As `checkConfig`, for those who need a sound configuration.
 *
 * @throws ConfigError with every problem found.
 */
export function parseConfig(raw: Record<string, unknown>, surroundings: Surroundings): SkyfleetConfig {
  const { config, problems } = checkConfig(raw, surroundings);
  if (config === undefined) throw new ConfigError(problems);
  return config;
}
