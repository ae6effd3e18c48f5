import { canonicalText } from '../config/change-classes';
import { nameOf, type Preview } from '../deployment/operator/preview';
import { kinds, type Operation, type ReviewedResource, type StackReview } from './model';
import { isOfPlace, placeChanges, type PlaceChange } from './places';
import { textDiffs } from './texts';

/** Places with the same change are one operation. */
function operations(places: readonly PlaceChange[]): Operation[] {
  const groups = new Map<string, Operation>();
  for (const { place, kind, reason, changes } of places) {
    const key = canonicalText([kind, reason, changes]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { kind, reason, places: [place], changes });
    else group.places.push(place);
  }
  return [...groups.values()];
}

/** What happens to the nodes of a place. */
function ofPlace(change: PlaceChange): Omit<StackReview['nodes'], 'identities'> {
  const { kind, reason, nodes, standing } = change;
  const all = standing.map(({ nodeName }) => nodeName);
  const [kept, surplus] = [all.slice(0, nodes), all.slice(nodes)];
  const none = { added: Math.max(0, nodes - all.length), removed: surplus, replaced: [], updated: [] };
  switch (kind) {
    case 'replace':
      return { added: 0, removed: [], replaced: all, updated: [] };
    case 'rebuild-workers':
      // SkyPilot ends all workers of a cluster that gets smaller; its first node stays.
      return { ...none, replaced: kept.slice(1), updated: kept.slice(0, 1) };
    case 'scale':
    case 'launch':
      return none;
    case 'repair': {
      const gone = all.filter((name) => reason.includes(`${name} is gone`));
      const ill = all.filter((name) => reason.includes(`${name} is `) && !gone.includes(name));
      return { ...none, replaced: gone, updated: ill };
    }
    default:
      return { ...none, updated: kept };
  }
}

/** What happens to nodes. */
function nodesOf(places: readonly PlaceChange[]): StackReview['nodes'] {
  const each = places.map(ofPlace);
  return {
    added: each.reduce((sum, { added }) => sum + added, 0),
    removed: each.flatMap(({ removed }) => removed),
    replaced: each.flatMap(({ replaced }) => replaced),
    updated: each.flatMap(({ updated }) => updated),
    identities: places.flatMap(identityChanges),
  };
}

/** Why the nodes of a place become other sensors. */
function identityChanges({ place, kind, changes }: PlaceChange): { place: string; why: string }[] {
  const changed = (input: string): boolean => changes.some((change) => change.input === input);
  const why = [
    ...(changed('fleets[].ordinals') ? ['other ordinals'] : []),
    ...(changed('fleets[].identity') ? ['identity belongs to something else'] : []),
    ...(changed('aws:region') && kind === 'replace' ? ['another region'] : []),
  ];
  return why.length === 0 ? [] : [{ place, why: why.join(', ') }];
}

const repairMark = 'repair: ';

/** What is not as the last `up` left it: a repair is the reason, or stands behind a change of the configuration. */
function driftOf(places: readonly PlaceChange[]): StackReview['drift'] {
  return places.flatMap(({ place, kind, reason }) => {
    if (kind === 'repair') return [{ place, what: reason }];
    const at = reason.indexOf(`; ${repairMark}`);
    return at === -1 ? [] : [{ place, what: reason.slice(at + 2 + repairMark.length) }];
  });
}

/** Pulumi's steps that are halves of a replacement. */
const replacements = new Set(['replace', 'create-replacement', 'delete-replaced']);

/** The resources beside the places, each once. */
function resourcesOf({ steps }: Preview): ReviewedResource[] {
  const found = new Map<string, ReviewedResource>();
  for (const step of steps) {
    const type = (step.newState ?? step.oldState)?.type ?? '';
    const isOurs = type.startsWith('skyfleet:') || type.startsWith('pulumi:');
    if (step.op === 'same' || isOurs || isOfPlace(step)) continue;
    const op = replacements.has(step.op) ? 'replace' : step.op;
    const properties = op === 'create' || op === 'delete' ? [] : Object.keys(step.detailedDiff ?? {});
    found.set(`${op} ${step.urn}`, { op, type, name: nameOf(step.urn), properties });
  }
  return [...found.values()];
}

/** What the operations say themselves, and what is not of the stack. */
const saidOtherwise = [new RegExp(`^(.+: )?(${kinds.join('|')}): `), /^using pulumi-language-\w+ from/];

function notesOf({ diagnostics }: Preview): string[] {
  return diagnostics
    .filter(({ severity }) => severity !== 'debug')
    .map(({ message }) => message.replace(/^(info|warning): /, ''))
    .filter((message) => message !== '' && !saidOtherwise.some((pattern) => pattern.test(message)));
}

/**
 * What a preview of a stack means.
 *
 * @param files paths of the shipped files.
 */
export function reviewStack(stack: string, preview: Preview, files: readonly string[]): StackReview {
  const places = placeChanges(preview);
  const resources = resourcesOf(preview);
  return {
    stack,
    operations: operations(places),
    nodes: nodesOf(places),
    drift: driftOf(places),
    files: textDiffs(preview, places, files),
    resources,
    notes: notesOf(preview),
    changes: preview.steps.some(
      (step) => step.op !== 'same' && (step.newState ?? step.oldState)?.type !== 'pulumi:pulumi:Stack',
    ),
  };
}
