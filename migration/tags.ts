import { z } from 'zod';
import { tagMap } from '../config/atoms';
import type { Entry } from './reading';

/** Tags as they stand in YAML, where a value may look like a number. */
export const legacyTags = z.record(
  z.string(),
  z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number or true or false; correct it'),
  'must be a map of tags; correct it',
);

/**
 * Tags that the earlier tools set themselves, and leave out where a user has set them too (`run_params` in
 * spot_deployer/commands/create.py and amauo/commands/create.py).
 */
const setByTheTool = new Set(
  'Name ManagedBy DeploymentId CreatedAt CreatedBy Region SpotDeployerVersion AmauoVersion amauoVersion'.split(
    ' ',
  ),
);

/** Why `ManagedBy` above all must not be taken over while both fleets run. */
const setByTheToolWhy =
  'the earlier tool set this tag itself, and ends instances by ManagedBy: on the new ones it would end them too';

/**
 * The tags of an earlier configuration as Skyfleet takes them, and what became of each.
 *
 * @param key under which they stand there, such as `aws.tags`.
 * @param to the key that they go to.
 */
export function translateTags(
  tags: z.output<typeof legacyTags>,
  key: string,
  to: string,
): { tags: Record<string, string>; entries: Entry[] } {
  const translated: Record<string, string> = {};
  const entries = Object.entries(tags).map(([name, value]): Entry => {
    const entry = { key: `${key}.${name}`, value };
    if (setByTheTool.has(name)) return { ...entry, outcome: 'none', why: setByTheToolWhy };
    const text = String(value).replace(/\s+/g, '-');
    if (!tagMap.safeParse({ [name]: text }).success) {
      return {
        ...entry,
        outcome: 'none',
        why: 'keys have no spaces, and do not begin with aws: or skyfleet-; values have 255 characters at most',
      };
    }
    translated[name] = text;
    return text === String(value)
      ? { ...entry, outcome: 'taken', to: `${to}.${name}` }
      : { ...entry, outcome: 'changed', to: `${to}.${name}`, why: `is ${text}: SkyPilot takes no spaces` };
  });
  return { tags: translated, entries };
}
