import { execFile } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';

/** A resource in a preview: as it is recorded, or as it is to be. */
export interface PreviewState {
  urn: string;
  type: string;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
  /** The resources that each property is taken from. */
  propertyDependencies?: Record<string, string[]>;
}

/** What Pulumi would do with one resource. */
export interface PreviewStep {
  /** `same`, `create`, `update`, `delete`, `replace`, … */
  op: string;
  urn: string;
  oldState?: PreviewState;
  newState?: PreviewState;
  /** The properties that differ, by their path. */
  detailedDiff?: Record<string, unknown> | null;
}

/** What `pulumi preview --json` prints, as far as it is read here. */
export interface Preview {
  /** The stack's configuration by key: text, or JSON where a value has a structure; `[secret]` for secrets. */
  config: Record<string, string>;
  steps: PreviewStep[];
  diagnostics: { severity: string; message: string }[];
}

/**
 * Reads what `pulumi preview --json` printed.
 *
 * @throws Error with what the preview complains of.
 */
export function parsePreview(json: string): Preview {
  const { config = {}, steps = [], diagnostics = [] } = JSON.parse(json) as Partial<Preview>;
  const plain = diagnostics.map(({ severity, message }) => ({
    severity,
    message: stripVTControlCharacters(message).trim(),
  }));
  const errors = plain.filter(({ severity }) => severity === 'error').map(({ message }) => message);
  if (errors.length > 0) throw new Error(`pulumi preview failed:\n${errors.join('\n')}`);
  return { config, steps, diagnostics: plain };
}

/** Name of a resource, from its URN. */
export const nameOf = (urn: string): string => urn.split('::').at(-1) ?? '';

const submitSuffix = '-submit';

/** The place that a submit command is of, from its name; undefined where it is none. */
export const placeOfSubmit = (name: string): string | undefined =>
  name.endsWith(submitSuffix) ? name.slice(0, -submitSuffix.length) : undefined;

const waitSuffix = '-wait';

/** The place that a wait command is of, from its name; undefined where it is none. */
export const placeOfWait = (name: string): string | undefined =>
  name.endsWith(waitSuffix) ? name.slice(0, -waitSuffix.length) : undefined;

/** What names the commands of a place, and nothing else, as a target of Pulumi's. */
export const targetsOf = (place: string): string[] => [
  `**::${place}${submitSuffix}`,
  `**::${place}${waitSuffix}`,
];

/** What Pulumi's JSON holds for a string that is not known before an update (`UnknownStringValue` of its SDKs). */
const unknownMark = '04da6b54-80e4-46f7-96ec-b56ff0331ba9';

/** Whether a value of a preview is known before the `up`. */
export const isKnown = (value: unknown): boolean => value !== unknownMark;

/** What a preview holds for a secret. */
export const secretMark = '[secret]';

/**
 * Has Pulumi preview a stack.
 *
 * @param args further arguments, such as `--show-sames`.
 * @returns the JSON that it printed, with whatever exit code: its errors stand in the JSON.
 * @throws Error where it printed none.
 */
export function previewStack(stack: string, args: readonly string[]): Promise<string> {
  const all = ['preview', '--json', '--non-interactive', '--stack', stack, ...args];
  return new Promise((resolve, reject) => {
    execFile('pulumi', all, { maxBuffer: 2 ** 30 }, (error, stdout, stderr) => {
      if (stdout.trimStart().startsWith('{')) resolve(stdout);
      else reject(new Error(`pulumi preview failed: ${stderr.trim() || (error?.message ?? stdout)}`));
    });
  });
}
