import type { z } from 'zod';

/** A rule that the schema holds in one place: a check on the value at a path. */
export interface SchemaRule {
  /** `fleets[].name`; `{}` stands for the values of a map and `{key}` for its keys. */
  path: string;
  /** Code of the issue that zod raises. */
  code: string;
  /** The rule's own message; undefined where zod words it. */
  message: string | undefined;
  /** The same object wherever a schema is used again. */
  check: object;
}

/** A place in the schema with the type that is expected there. */
export interface SchemaPlace {
  path: string;
  type: string;
  required: boolean;
}

interface Definition {
  type: string;
  check?: string;
  checks?: { _zod: { def: Definition } }[];
  error?: (issue: { input: unknown; code: string }) => string | { message: string } | undefined;
  innerType?: z.core.$ZodType;
  element?: z.core.$ZodType;
  keyType?: z.core.$ZodType;
  valueType?: z.core.$ZodType;
  shape?: Record<string, z.core.$ZodType>;
}

const codes: Record<string, string> = {
  string_format: 'invalid_format',
  greater_than: 'too_small',
  less_than: 'too_big',
  min_length: 'too_small',
  max_length: 'too_big',
  number_format: 'invalid_type',
  custom: 'custom',
};

function messageOf(definition: Definition, code: string): string | undefined {
  // A message that is made from the value is told apart by the place alone.
  const text = definition.error?.({ input: '', code });
  return typeof text === 'string' ? text : text?.message;
}

/** Every place and every rule of a schema. */
export function walk(schema: z.core.$ZodType, path = ''): { places: SchemaPlace[]; rules: SchemaRule[] } {
  const definition = schema._zod.def as unknown as Definition;
  const parts: ReturnType<typeof walk>[] = [];
  const below = (inner: z.core.$ZodType | undefined, at: string): void => {
    if (inner !== undefined) parts.push(walk(inner, at));
  };
  below(definition.innerType, path);
  below(definition.element, `${path}[]`);
  below(definition.keyType, `${path}{key}`);
  below(definition.valueType, `${path}{}`);
  for (const [key, property] of Object.entries(definition.shape ?? {}))
    below(property, path === '' ? key : `${path}.${key}`);

  const checks = [...(definition.check === undefined ? [] : [schema]), ...(definition.checks ?? [])] as {
    _zod: { def: Definition };
  }[];
  const rules = checks.map((check): SchemaRule => {
    const { def } = check._zod;
    const code = codes[def.check ?? ''];
    if (code === undefined) throw new Error(`${path}: no code is known for the check ${def.check ?? ''}`);
    return { path, code, message: messageOf(def, code), check };
  });
  const wrapped = definition.innerType !== undefined;
  const places = wrapped ? [] : [{ path, type: definition.type, required: schema._zod.optin === undefined }];
  return {
    places: [...places, ...parts.flatMap((part) => part.places)],
    rules: [...rules, ...parts.flatMap((part) => part.rules)],
  };
}

/** The path of an issue in the way that places are written. */
export function placeOf(issue: z.core.$ZodIssue, places: readonly SchemaPlace[]): string {
  const known = new Set(places.map(({ path }) => path));
  return issue.path.reduce<string>((path, part, index) => {
    const last = index === issue.path.length - 1;
    if (typeof part === 'number') return `${path}[]`;
    const own = path === '' ? String(part) : `${path}.${String(part)}`;
    if (known.has(own)) return own;
    return last && issue.code === 'invalid_key' ? `${path}{key}` : `${path}{}`;
  }, '');
}
