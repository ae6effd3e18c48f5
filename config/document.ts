import { z } from 'zod';
import { classesOf, inputClasses } from './change-classes';
import { configSchema } from './schema';
import { sharedKeys } from './shared';

/** What the documentation and `Pulumi.yaml` say of the configuration, made from its schema. */

type JsonSchema = z.core.JSONSchema.BaseSchema;

/** A key of the configuration. */
interface DocumentedKey {
  /** Path below the top-level key, such as `fleets[].name`. */
  path: string;
  type: string;
  /** Default as JSON; `required` where the key must be there, empty where it may be absent. */
  fallback: string;
  meaning: string;
}

const properties = (schema: JsonSchema): [string, JsonSchema][] =>
  Object.entries((schema.properties ?? {}) as Record<string, JsonSchema>);

function typeOf(schema: JsonSchema): string {
  const choices = schema.enum ?? (schema.const === undefined ? undefined : [schema.const]);
  if (choices !== undefined) return choices.map((choice) => `\`${JSON.stringify(choice)}\``).join(' or ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items as JsonSchema)}`;
  if (schema.type === 'object' && schema.properties === undefined) {
    return `map to ${typeOf(schema.additionalProperties as JsonSchema)}`;
  }
  const { minimum, maximum, exclusiveMinimum } = schema;
  const from = exclusiveMinimum === undefined ? minimum : `above ${exclusiveMinimum}`;
  // zod writes the bounds of JavaScript's whole numbers where the schema names none.
  const upTo = maximum === Number.MAX_SAFE_INTEGER ? undefined : maximum;
  const bounds = [from, upTo].filter((bound) => bound !== undefined).join(' to ');
  return bounds === '' ? String(schema.type) : `${String(schema.type)}, ${bounds}`;
}

function keysBelow(path: string, schema: JsonSchema): DocumentedKey[] {
  return properties(schema).flatMap(([name, property]) => {
    const own = path === '' ? name : `${path}.${name}`;
    const fallback =
      property.default === undefined
        ? (schema.required ?? []).includes(name)
          ? 'required'
          : ''
        : `\`${JSON.stringify(property.default)}\``;
    const inner = property.type === 'array' ? (property.items as JsonSchema) : property;
    const innerPath = property.type === 'array' ? `${own}[]` : own;
    const key = { path: own, type: typeOf(property), fallback, meaning: property.description ?? '' };
    return [key, ...keysBelow(innerPath, inner)];
  });
}

function table(keys: readonly DocumentedKey[]): string {
  const rows = keys.map(
    ({ path, type, fallback, meaning }) =>
      `| \`${path}\` | ${type} | ${fallback} | ${meaning.replaceAll('|', '\\|')} |`,
  );
  return ['| key | type | default | meaning |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const root: JsonSchema = z.toJSONSchema(configSchema, { io: 'input' });

/** What `Pulumi.yaml` declares of each top-level key. */
export function declarations(): Record<string, { type: string; description: string; default?: unknown }> {
  return Object.fromEntries(
    properties(root).map(([name, schema]) => {
      const names = properties(schema.type === 'array' ? (schema.items as JsonSchema) : schema);
      const description = [schema.description ?? '', names.map(([inner]) => inner).join(', ')]
        .filter((part) => part !== '')
        .join(' Keys: ');
      // Pulumi takes every declared key without a default as required; those that a shared stack may give are not.
      const required = root.required?.includes(name) === true && !sharedKeys.some((key) => key === name);
      return [
        `skyfleet:${name}`,
        { type: String(schema.type), ...(required ? {} : { default: {} }), description },
      ];
    }),
  );
}

/** The reference of the configuration, `docs/configuration.md`. */
export function configurationReference(): string {
  const sections = properties(root).map(([name, schema]) => {
    const keys =
      schema.type === 'array' ? keysBelow(`${name}[]`, schema.items as JsonSchema) : keysBelow(name, schema);
    const type = keys.length === 0 ? `\n\nA ${typeOf(schema)}.` : '';
    return `## \`skyfleet:${name}\`\n\n${schema.description ?? ''}${type}${keys.length === 0 ? '' : `\n\n${table(keys)}`}`;
  });
  return `${introduction}\n\n${sections.join('\n\n')}\n`;
}

const introduction = `# Configuration

<!-- Made from config/schema.ts by \`make docs\`. -->

What a stack file \`Pulumi.<stack>.yaml\` may say. Every problem is reported at once, before anything is touched: the key
as you wrote it, the value, what is allowed and what to do. A key that is not listed here is an error.

Beside these keys a stack needs \`aws:region\`, and secrets are set with
\`pulumi config set --secret\`:

- \`skyfleet:orchestratorToken\`: token with which compute nodes join the orchestrator. Required, here or from the shared
  stack; refused in plain text.
- \`skyfleet:skypilotToken\`: service account token of the SkyPilot server, where it asks for a login. Sent by https only.
- \`skyfleet:orchestratorApiToken\`: API key or JWT for \`orchestrator.api\`, where it asks for one, with the
  capabilities \`read:node\` and \`write:node\`. Sent by https only.`;

/** What each change of an input does, `docs/changes.md`. */
export function changeReference(): string {
  const rows = Object.entries(inputClasses).map(([input, entry]) => {
    const classes = classesOf(entry)
      .map((one) => `\`${one}\``)
      .join(' or ');
    return `| \`${input}\` | ${classes} | ${entry.note ?? ''} |`;
  });
  return `${changeIntroduction}\n\n${['| input | class | |', '| --- | --- | --- |', ...rows].join('\n')}\n`;
}

const changeIntroduction = `# What a change does to nodes

<!-- Made from config/change-classes.ts by \`make docs\`. -->

Every input of a fleet has a class, which a preview names for each place, with the old and new values and what follows. The
old values are those that were last applied, also after an \`up\` that failed. [lifecycle.md](lifecycle.md) tells how
each class is carried out.

- \`none\`: nothing runs on a node.
- \`refresh\`: nodes are brought up to date on the same machines; only services whose files changed restart.
- \`scale\`: places, or nodes of a place, are added or removed; every other node stays undisturbed.
- \`rebuild-workers\`: a cluster gets fewer nodes. SkyPilot ends all of its workers to shrink it and makes the rest anew;
  the head node stays.
- \`replace\`: a new incarnation is ready before the old one goes (\`strategy: create-first\`), or the old one goes first
  (\`delete-first\`).

A key stands for the keys below it. Inputs without \`skyfleet:\` before them in a stack file (\`aws:region\`, secrets, the
shipped files) are listed by their names.`;
