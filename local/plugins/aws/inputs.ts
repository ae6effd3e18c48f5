/**
 * What a resource type takes: each input with its shape, default and whether a change replaces the resource.
 * Check, comparison and the types that the handlers see all come from these descriptions. No I/O here.
 */
import { UNKNOWN, type Properties, type Value, isObject, memberPath } from '../properties';

interface Shape {
  readonly kind: 'text' | 'number' | 'flag' | 'json' | 'tags' | 'list' | 'set' | 'record';
  readonly oneOf?: readonly string[];
  readonly of?: Shape;
  readonly members?: Inputs;
}

export interface Options {
  readonly required?: boolean;
  /** A change makes a new resource: any, or those for which the function says so. */
  readonly replaces?: boolean | ((before: Value, after: Value) => boolean);
  /** Where it is left out, AWS chooses, and what AWS chose is no difference. */
  readonly computed?: boolean;
  readonly default?: Value;
  /** No message quotes its value. */
  readonly secret?: boolean;
}

/** `T` is what the handlers get; it exists for the compiler only. */
export interface Input<T = unknown> extends Shape, Options {
  readonly phantom?: T;
}

export type Inputs = Readonly<Record<string, Input>>;

type Given<T, O extends Options> = O extends { required: true } | { default: Value } ? T : T | undefined;
type TypeOf<I> = I extends Input<infer T> ? T : never;
type OptionalKeys<I extends Inputs> = {
  [K in keyof I]: undefined extends TypeOf<I[K]> ? K : never;
}[keyof I];
export type PropsOf<I extends Inputs> = { [K in Exclude<keyof I, OptionalKeys<I>>]: TypeOf<I[K]> } & {
  [K in OptionalKeys<I>]?: TypeOf<I[K]>;
};
export type Tags = Record<string, string>;

// Without options an input is optional.
type None = { readonly required?: never };

export const text = <O extends Options & { oneOf?: readonly string[] } = None>(
  options?: O,
): Input<Given<string, O>> => ({ kind: 'text', ...options });

export const number = <O extends Options = None>(options?: O): Input<Given<number, O>> => ({
  kind: 'number',
  ...options,
});

export const flag = <O extends Options = None>(options?: O): Input<Given<boolean, O>> => ({
  kind: 'flag',
  ...options,
});

/** A JSON document as text, compared by meaning. */
export const json = <O extends Options = None>(options?: O): Input<Given<string, O>> => ({
  kind: 'json',
  ...options,
});

export const list = <T, O extends Options = None>(
  of: Input<T>,
  options?: O,
): Input<Given<NonNullable<T>[], O>> => ({
  kind: 'list',
  of,
  ...options,
});

/** A list whose order means nothing. */
export const set = <T, O extends Options = None>(
  of: Input<T>,
  options?: O,
): Input<Given<NonNullable<T>[], O>> => ({
  kind: 'set',
  of,
  ...options,
});

export const record = <I extends Inputs, O extends Options = None>(
  members: I,
  options?: O,
): Input<Given<PropsOf<I>, O>> => ({ kind: 'record', members, ...options });

export const tagMap: Input<Tags | undefined> = { kind: 'tags' };

export interface Problem {
  readonly path: string;
  readonly reason: string;
}

/** What `values` have that the type would not apply, and what they lack. */
export function problemsOf(type: string, inputs: Inputs, values: Properties, at = ''): Problem[] {
  const refused = Object.keys(values)
    .filter((key) => values[key] !== undefined && values[key] !== null && inputs[key] === undefined)
    .map((key) => ({
      path: memberPath(at, key),
      reason:
        `${type} in this stand-in does not apply "${memberPath(at, key)}", and dropping it silently would ` +
        `be wrong; it applies ${Object.keys(inputs).sort().join(', ')}. Leave it out, or add it to the ` +
        `type's entry in local/plugins/aws/resources`,
    }));
  const wrong = Object.entries(inputs).flatMap(([key, input]) => {
    const value = values[key];
    const path = memberPath(at, key);
    if (value !== undefined && value !== null) return shapeProblems(type, input, value, path);
    return input.required ? [{ path, reason: `${type} needs "${path}"` }] : [];
  });
  return [...refused, ...wrong];
}

function shapeProblems(type: string, shape: Shape & Options, value: Value, path: string): Problem[] {
  if (value === UNKNOWN) return [];
  const given = shape.secret ? '' : `, but is ${JSON.stringify(value)}`;
  const expected = (what: string): Problem[] => [
    { path, reason: `${type}: "${path}" must be ${what}${given}` },
  ];
  switch (shape.kind) {
    case 'text':
      if (typeof value !== 'string') return expected('a string');
      return shape.oneOf === undefined || shape.oneOf.includes(value)
        ? []
        : expected(`one of ${shape.oneOf.join(', ')} in this stand-in`);
    case 'number':
      return typeof value === 'number' ? [] : expected('a number');
    case 'flag':
      return typeof value === 'boolean' ? [] : expected('true or false');
    case 'json':
      return typeof value === 'string' && parseJson(value) !== undefined ? [] : expected('a JSON document');
    case 'tags':
      return isObject(value) && Object.values(value).every((tag) => typeof tag === 'string')
        ? []
        : expected('a map of strings');
    case 'list':
    case 'set':
      return Array.isArray(value)
        ? value.flatMap((item, i) => (shape.of ? shapeProblems(type, shape.of, item, `${path}[${i}]`) : []))
        : expected('a list');
    case 'record':
      return isObject(value) ? problemsOf(type, shape.members ?? {}, value, path) : expected('an object');
  }
}

export function withDefaults(inputs: Inputs, values: Properties): Properties {
  const defaults = Object.entries(inputs)
    .filter(
      ([key, input]) => input.default !== undefined && (values[key] === undefined || values[key] === null),
    )
    .map(([key, input]) => [key, input.default]);
  return { ...values, ...(Object.fromEntries(defaults) as Properties) };
}

/** A form in which equal means the same to AWS: sets sorted, JSON by meaning, empty and left out alike. */
export function canonical(shape: Shape, value: Value): Value {
  if (value === undefined || value === null || value === UNKNOWN) return value ?? undefined;
  switch (shape.kind) {
    case 'json':
      return typeof value === 'string' ? canonicalJson(value) : value;
    case 'tags':
      return isObject(value) && Object.keys(value).length > 0 ? sortKeys(value) : undefined;
    case 'list':
    case 'set': {
      if (!Array.isArray(value) || value.length === 0) return undefined;
      const items = value.map((item) => (shape.of ? canonical(shape.of, item) : item));
      return shape.kind === 'set' ? items.sort(byText) : items;
    }
    case 'record': {
      if (!isObject(value)) return value;
      const members = Object.entries(shape.members ?? {})
        .map(([key, member]): [string, Value] => [key, canonical(member, value[key])])
        .filter(
          ([, member]) => member !== undefined && !(isObject(member) && Object.keys(member).length === 0),
        );
      return Object.fromEntries(members);
    }
    default:
      return value === '' || value === false || value === 0 ? undefined : value;
  }
}

export function sameJson(a: string, b: string): boolean {
  return canonicalJson(a) === canonicalJson(b);
}

function canonicalJson(document: string): string {
  const parsed = parseJson(document);
  return parsed === undefined ? document : JSON.stringify(sortKeys(parsed));
}

function parseJson(document: string): Value {
  try {
    return JSON.parse(document) as Value;
  } catch {
    return undefined;
  }
}

/** IAM takes a list of one for its element, and the order in a list of strings means nothing to it. */
function sortKeys(value: Value): Value {
  if (Array.isArray(value)) {
    const items = value.map(sortKeys);
    if (items.length === 1) return items[0];
    return items.every((item) => typeof item === 'string') ? items.sort() : items;
  }
  if (!isObject(value)) return value;
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  );
}

const byText = (a: Value, b: Value): number => {
  const [x = '', y = ''] = [a, b].map((item) => JSON.stringify(item));
  return x < y ? -1 : x > y ? 1 : 0;
};
