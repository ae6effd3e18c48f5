/** What is planned, what is found, and how the two differ. No I/O here. */
import {
  type Properties,
  type PropertyChange,
  UNKNOWN,
  type Value,
  changesBetween,
  containsUnknown,
  inputOf,
  isObject,
} from '../properties';
import { type Input, type Inputs, type Tags, canonical, sameJson, text } from './inputs';
import type { Aws, ResourceType, TagChange } from './resource-type';

function inputsOf(resource: ResourceType): Inputs {
  const own = Object.entries(resource.inputs).filter(([key]) => key !== 'tagsAll');
  return { ...Object.fromEntries(own), ...(resource.global ? {} : { region: text({ replaces: true }) }) };
}

/** The inputs and what they make of the tags with the provider's default ones, which is compared, and read by an import. */
export function inputsAndAllTags(resource: ResourceType): Inputs {
  return { ...inputsOf(resource), ...(resource.tag ? { tagsAll: { kind: 'tags' } } : {}) };
}

export function allTags(defaultTags: Tags, news: Properties): Properties[string] {
  const tags = news['tags'];
  if (tags === UNKNOWN) return UNKNOWN;
  return { ...defaultTags, ...(isObject(tags) ? tags : {}) };
}

export function differences(resource: ResourceType, olds: Properties, news: Properties): PropertyChange[] {
  const changes = Object.entries(inputsAndAllTags(resource)).flatMap(([key, input]) => {
    const after = news[key];
    if ((after === undefined || after === null) && input.computed) return [];
    const old = canonical(input, olds[key]);
    const now = canonical(input, after);
    return changesBetween(key, old, now, false).length === 0
      ? []
      : changesBetween(key, olds[key], after, replaces(input, olds[key], after));
  });
  // A change of `tags` shows as itself; `tagsAll` shows where the provider's default tags are what changed.
  return changes.some(({ path }) => inputOf(path) === 'tags')
    ? changes.filter(({ path }) => inputOf(path) !== 'tagsAll')
    : changes;
}

function replaces({ replaces: rule = false }: Input, before: Value, after: Value): boolean {
  return typeof rule === 'function' ? rule(before, after) : rule;
}

export function plannedState(resource: ResourceType, olds: Properties, news: Properties): Properties {
  const creating = Object.keys(olds).length === 0;
  const state: Properties = creating ? {} : { ...olds };
  if (creating) for (const key of resource.outputs) state[key] = UNKNOWN;
  for (const [key, input] of Object.entries(inputsOf(resource))) {
    if (news[key] !== undefined && news[key] !== null) state[key] = news[key];
    else if (!input.computed) state[key] = undefined;
    else if (creating) state[key] = UNKNOWN;
  }
  const changed = creating ? [] : differences(resource, olds, news).map(({ path }) => inputOf(path));
  for (const [output, causes] of Object.entries(resource.renewed ?? {})) {
    if (olds[output] !== undefined && causes.some((input) => changed.includes(input)))
      state[output] = UNKNOWN;
  }
  if (resource.tag) state['tagsAll'] = containsUnknown(news['tags']) ? UNKNOWN : news['tagsAll'];
  return state;
}

/** AWS's answer, with the program's own wording where it means the same, and what AWS never tells. */
export function stateOf(resource: ResourceType, aws: Aws, known: Properties, found: Properties): Properties {
  const state: Properties = resource.global ? {} : { region: aws.region };
  for (const [key, input] of Object.entries(inputsOf(resource))) {
    const [asked, told] = [known[key], found[key]];
    if (key === 'region') continue;
    if (!(key in found)) state[key] = asked;
    else if (input.kind === 'json' && typeof asked === 'string' && typeof told === 'string') {
      state[key] = sameJson(asked, told) ? asked : told;
    } else if (JSON.stringify(canonical(input, asked)) === JSON.stringify(canonical(input, told))) {
      state[key] = asked ?? told;
    } else state[key] = told;
  }
  for (const key of resource.outputs) state[key] = found[key];
  if (resource.tag) {
    const all = (found['tagsAll'] ?? {}) as Tags;
    state['tagsAll'] = all;
    state['tags'] = ownTags(all, (known['tags'] ?? {}) as Tags, (known['tagsAll'] ?? {}) as Tags);
  }
  return state;
}

/** The tags without those that came from the provider's default tags. */
function ownTags(all: Tags, tags: Tags, tagsAll: Tags): Tags {
  const inherited = (key: string): boolean => tags[key] === undefined && tagsAll[key] === all[key];
  return Object.fromEntries(Object.entries(all).filter(([key]) => !inherited(key)));
}

/** Inputs that would give this state: those that were given (all of them for an import), as they now are. */
export function inputsFromState(resource: ResourceType, given: Properties, state: Properties): Properties {
  const inputs: Properties = {};
  for (const [key, input] of Object.entries(inputsOf(resource))) {
    const empty = canonical(input, state[key]) === undefined && typeof state[key] !== 'boolean';
    if (empty && input.default === undefined) continue;
    if (given[key] === undefined && input.computed) continue;
    inputs[key] = state[key];
  }
  if (resource.tag) inputs['tagsAll'] = state['tagsAll'];
  if (given['__defaults'] !== undefined) inputs['__defaults'] = given['__defaults'];
  return inputs;
}

export function tagChange(olds: Tags, news: Tags): TagChange {
  return {
    all: news,
    set: Object.fromEntries(Object.entries(news).filter(([key, value]) => olds[key] !== value)),
    removed: Object.keys(olds).filter((key) => news[key] === undefined),
  };
}
