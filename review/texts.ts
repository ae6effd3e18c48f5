import { createPatch } from 'diff';
import { nameOf, secretMark, type Preview } from '../deployment/operator/preview';
import { fileVariable } from '../deployment/operator/shipped-files';
import type { ConfigRenderer } from './bacalhau-config';
import { groupsOf } from './groups';
import type { SecretChange, TextDiff } from './model';
import { environmentOf, type PlaceChange } from './places';

/** What differs in one text of one fleet or place. */
interface Difference {
  text: string;
  of: string;
  diff: string;
}

/** The unified diff of two texts; undefined where they are the same, empty where one is a secret. */
function difference(title: string, before: unknown, after: unknown): string | undefined {
  if (before === after) return undefined;
  if (before === secretMark || after === secretMark) return '';
  const [from, to] = [before, after].map((value) => (typeof value === 'string' ? value : ''));
  const patch = createPatch(title, from ?? '', to ?? '', undefined, undefined, { context: 2 });
  // Without the heading, which the title is.
  return patch.slice(Math.max(0, patch.indexOf('@@')));
}

/** The lines that a diff takes away and adds, without those around them. */
const changedLines = (diff: string): string =>
  diff
    .split('\n')
    .filter((line) => /^[+-]/.test(line))
    .join('\n');

/** The same difference in several fleets or places is one. */
function grouped(differences: readonly Difference[]): TextDiff[] {
  return groupsOf(differences, ({ text, diff }) => `${text}\n${changedLines(diff)}`).map((group) => {
    const [{ text, diff }] = group;
    return { text, of: group.map(({ of }) => of), diff };
  });
}

/** A text that nodes make from another one: the Bacalhau configuration. */
const configText = 'Bacalhau configuration';

/**
 * How the Bacalhau configuration differs where `node.json` does, once for all places in which that differs in the same way.
 *
 * @param nodeDiffs how `node.json` differs.
 * @throws Error where the nodes of a place could not make theirs.
 */
export function configDiffs(
  places: readonly PlaceChange[],
  nodeDiffs: readonly TextDiff[],
  render: ConfigRenderer,
): TextDiff[] {
  return nodeDiffs.flatMap(({ of }): TextDiff[] => {
    const place = places.find((one) => one.place === of[0]);
    const [node] = place?.standing ?? [];
    if (place === undefined || node === undefined) return [];
    const made = (settings: unknown): string => {
      try {
        return render(String(settings), node);
      } catch (error) {
        const said = error instanceof Error ? error.message : String(error);
        throw new Error(`${place.place}: its nodes could not make their configuration: ${said}`, {
          cause: error,
        });
      }
    };
    const { oldState, newState } = place.submit;
    const diff = difference(
      configText,
      made(environmentOf(oldState)['SKYFLEET_NODE']),
      made(environmentOf(newState)['SKYFLEET_NODE']),
    );
    return diff === undefined ? [] : [{ text: configText, of, diff }];
  });
}

/** Name of what nodes are told. */
export const nodeText = 'node.json';

/** The texts that are made for a place, by the variables of its submit command. */
const placeTexts = {
  SKYFLEET_TASK: 'task',
  SKYFLEET_SKYPILOT_CONFIG: 'SkyPilot configuration',
  SKYFLEET_NODE: nodeText,
} as const;

/**
 * The texts that differ: shipped files, and what is made for places that stand.
 *
 * @param files paths of the shipped files; a text of another one goes by its variable.
 */
export function textDiffs(
  { steps }: Preview,
  places: readonly PlaceChange[],
  files: readonly string[],
): TextDiff[] {
  const paths = new Map(files.map((file) => [fileVariable(file), file]));
  const ofFleets = steps
    .filter(({ op, urn }) => op === 'update' && nameOf(urn).endsWith('-files-reviewed'))
    .flatMap(({ urn, oldState, newState }): Difference[] => {
      const [before, after] = [environmentOf(oldState), environmentOf(newState)];
      const of = nameOf(urn).slice(0, -'-files-reviewed'.length);
      return [...new Set([...Object.keys(before), ...Object.keys(after)])]
        .filter((variable) => variable.startsWith('FILE_'))
        .flatMap((variable) => {
          const name = paths.get(variable) ?? variable;
          const diff = difference(name, before[variable], after[variable]);
          return diff === undefined ? [] : [{ text: name, of, diff }];
        });
    });
  const ofPlaces = places
    .filter(({ submit }) => submit.op === 'update')
    .flatMap(({ place, submit }): Difference[] => {
      const [before, after] = [environmentOf(submit.oldState), environmentOf(submit.newState)];
      return Object.entries(placeTexts).flatMap(([variable, name]) => {
        const diff = difference(name, before[variable], after[variable]);
        return diff === undefined ? [] : [{ text: name, of: place, diff }];
      });
    });
  return grouped([...ofFleets, ...ofPlaces]);
}

const secretPrefix = 'SECRET_';

/** The secrets that change, by their fingerprints. */
export function secretChanges({ steps }: Preview): SecretChange[] {
  return steps
    .filter(({ op, urn }) => op === 'update' && urn.includes('skyfleet:review:Reviewed$'))
    .flatMap(({ oldState, newState }): SecretChange[] => {
      const [before, after] = [environmentOf(oldState), environmentOf(newState)];
      const names = new Set([...Object.keys(before), ...Object.keys(after)]);
      const print = (value: unknown): string | null => (typeof value === 'string' ? value : null);
      return [...names]
        .filter((name) => name.startsWith(secretPrefix) && before[name] !== after[name])
        .map((name) => ({
          secret: name.slice(secretPrefix.length),
          from: print(before[name]),
          to: print(after[name]),
        }));
    });
}
