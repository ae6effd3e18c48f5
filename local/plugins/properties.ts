/** Property values as they cross Pulumi's plugin protocol, and how two of them differ. No I/O here. */

export type Value = string | number | boolean | null | undefined | Value[] | { [key: string]: Value };
export type Properties = Record<string, Value>;

/** Stands in a preview for a value that only the deployment will tell (`rpc.unknownValue` of the SDK). */
export const UNKNOWN = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

const SIGNATURE = '4dabf18193072939515e22adb298388d';
const SECRET = '1b47061264138c4ac30d75fd1eb44270';

export function isObject(value: Value): value is Record<string, Value> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

export function containsUnknown(value: Value): boolean {
  if (Array.isArray(value)) return value.some(containsUnknown);
  return isObject(value) ? Object.values(value).some(containsUnknown) : value === UNKNOWN;
}

export function unwrapSecrets(value: Value): Value {
  if (Array.isArray(value)) return value.map(unwrapSecrets);
  if (!isObject(value)) return value;
  if (value[SIGNATURE] === SECRET) return unwrapSecrets(value['value']);
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, unwrapSecrets(inner)]));
}

export interface PropertyChange {
  /** `tags.Name`, `environment["a.b"]`, `rules[0].status` */
  readonly path: string;
  readonly kind: 'add' | 'delete' | 'update';
  readonly replaces: boolean;
}

const missing = (value: Value): value is null | undefined => value === undefined || value === null;

/** The differences of two values, at the depth where they differ. */
export function changesBetween(
  path: string,
  before: Value,
  after: Value,
  replaces: boolean,
): PropertyChange[] {
  if (missing(before) && missing(after)) return [];
  if (missing(before)) return [{ path, kind: 'add', replaces }];
  if (missing(after)) return [{ path, kind: 'delete', replaces }];
  if (isObject(before) && isObject(after)) {
    const keys = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort();
    return keys.flatMap((key) => changesBetween(memberPath(path, key), before[key], after[key], replaces));
  }
  if (Array.isArray(before) && Array.isArray(after)) {
    const length = Math.max(before.length, after.length);
    return Array.from({ length }, (_, i) =>
      changesBetween(`${path}[${i}]`, before[i], after[i], replaces),
    ).flat();
  }
  return before === after ? [] : [{ path, kind: 'update', replaces }];
}

/** The top-level property that a path lies in. */
export function inputOf(path: string): string {
  return /^[^.[]*/.exec(path)?.[0] ?? path;
}

export function memberPath(path: string, key: string): string {
  return /[."[\]]/.test(key)
    ? `${path}["${key.replaceAll('"', '\\"')}"]`
    : path === ''
      ? key
      : `${path}.${key}`;
}
