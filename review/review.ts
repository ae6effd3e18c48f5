import { canonicalText } from '../config/change-classes';
import { nameOf, type Preview } from '../deployment/operator/preview';
import type { ConfigRenderer } from './bacalhau-config';
import type { Catalog } from './cost/catalog';
import { costOf } from './cost/cost';
import type { Prices } from './cost/prices';
import { groupsOf } from './groups';
import { kinds, type Operation, type ReviewedResource, type StackReview } from './model';
import { isOfPlace, placeChanges, type PlaceChange } from './places';
import { planOf, reviewedOf } from './policy/plan';
import { judge } from './policy/policy';
import { sidesOf } from './sides';
import { configDiffs, nodeText, secretChanges, textDiffs } from './texts';

/** Places with the same change are one operation. */
function operations(places: readonly PlaceChange[]): Operation[] {
  return groupsOf(places, ({ kind, reason, changes }) => canonicalText([kind, reason, changes])).map(
    (group) => {
      const [{ kind, reason, changes }] = group;
      return { kind, reason, places: group.map(({ place }) => place), changes };
    },
  );
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
    case 'none':
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

/** What a review knows beside the preview. */
export interface ReviewInputs {
  /** The shipped files by path. */
  files: Record<string, string>;
  prices: Prices;
  /** Prices of machines; undefined where there is no catalog, and they are unknown. */
  catalog: Catalog | undefined;
  /** Makes Bacalhau configurations; undefined where it cannot be done here. */
  renderConfig: ConfigRenderer | undefined;
}

/**
 * What a preview of a stack means.
 *
 * @param preview shows unchanged resources too.
 */
export function reviewStack(stack: string, preview: Preview, inputs: ReviewInputs): StackReview {
  const { files, prices, catalog, renderConfig } = inputs;
  const places = placeChanges(preview);
  const sides = sidesOf(preview);
  const region = preview.config['aws:region'] ?? '';
  const cost = costOf(sides, region, { prices, catalog });
  const reviewed = reviewedOf(sides.after);
  const policy = judge(
    planOf(preview, sides.after, reviewed, { files, cost, region }),
    reviewed.governance.policy,
  );
  const { bucketGb } = prices.assumptions;
  const texts = textDiffs(preview, places, Object.keys(files));
  const nodeDiffs = texts.filter(({ text }) => text === nodeText);
  const configs = renderConfig === undefined ? [] : configDiffs(places, nodeDiffs, renderConfig);
  const unmade =
    renderConfig === undefined && nodeDiffs.length > 0
      ? ['The Bacalhau configuration is not shown: there is no python3 here to make it with']
      : [];
  return {
    stack,
    operations: operations(places),
    nodes: nodesOf(places),
    drift: driftOf(places),
    cost: {
      ...cost,
      hoursPerMonth: prices.hoursPerMonth,
      machinePrices: catalog?.origin ?? 'unknown: there is no catalog',
      assumptions: [`${bucketGb.value} ${bucketGb.what}`],
    },
    policy,
    files: [...texts, ...configs],
    secrets: secretChanges(preview),
    resources: resourcesOf(preview),
    notes: [...notesOf(preview), ...unmade],
    changes: preview.steps.some(
      (step) => step.op !== 'same' && (step.newState ?? step.oldState)?.type !== 'pulumi:pulumi:Stack',
    ),
    blocked: policy.findings.some(({ severity }) => severity === 'error'),
  };
}
