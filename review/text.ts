import Table from 'cli-table3';
import { groupsOf } from './groups';
import type { Operation, Review, StackReview } from './model';

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Names as a reader takes them in: each where they are few, else the first and the last. */
function namesText(names: readonly string[], what: string): string {
  return names.length <= 3
    ? names.join(', ')
    : `${names[0]} … ${names.at(-1)} (${counted(names.length, what)})`;
}

/** Places as a reader takes them in. */
export const placesText = (places: readonly string[]): string => namesText(places, 'place');

/** An operation in one line. */
export const operationText = ({ kind, reason, places }: Operation): string =>
  `${placesText(places)}: ${kind}: ${reason}`;

/** What happens to nodes, one line for each that does. */
export function nodeLines({ nodes }: StackReview): string[] {
  const { added, removed, replaced, updated, identities } = nodes;
  const named = (what: string, names: readonly string[]): string[] =>
    names.length === 0 ? [] : [`${counted(names.length, 'node')} ${what}: ${names.join(', ')}`];
  return [
    ...(added === 0 ? [] : [`${counted(added, 'node')} added`]),
    ...named('removed', removed),
    ...named('replaced by another', replaced),
    ...named('brought up to date in place', updated),
    ...identities.map(({ place, why }) => `${place}: its nodes become other sensors (${why})`),
  ];
}

/** The resources beside the places, in one line. */
export function resourcesText({ resources }: StackReview): string {
  const counts = new Map<string, number>();
  for (const { op } of resources) counts.set(op, (counts.get(op) ?? 0) + 1);
  return [...counts].map(([op, count]) => `${count} to ${op}`).join(', ');
}

/** What a stack's review comes to, in one line. */
export function summary(stack: StackReview): string {
  if (!stack.changes) return 'no changes';
  const running = stack.operations.filter(({ kind }) => kind !== 'none');
  const places = running.reduce((sum, operation) => sum + operation.places.length, 0);
  return places === 0
    ? 'no place changes'
    : `${counted(places, 'place')} ${places === 1 ? 'changes' : 'change'}`;
}

type Amounts = { from: number | null; to: number | null };

/** US dollars: cents of a month, and of an hour as much as there is to see. */
const dollars = (amount: number | null, digits = 2): string =>
  amount === null ? 'unknown' : `$${amount.toFixed(digits)}`;

const fromTo = (from: string, to: string): string => (from === to ? to : `${from} → ${to}`);

function difference({ from, to }: Amounts): string {
  if (from === null || to === null) return 'unknown';
  const by = to - from;
  return Math.abs(by) < 0.005 ? '' : `${by < 0 ? '-' : '+'}$${Math.abs(by).toFixed(2)}`;
}

/** Headings of what a stack costs. */
export const costHead = ['', 'count', 'a month', 'difference', 'an hour'];

type Sums = StackReview['cost']['total'];

/** A row of what something costs. */
function costRow(
  item: string,
  count: string,
  { from, to }: Amounts,
  hours: number,
  least: { from: string; to: string } = { from: '', to: '' },
): string[] {
  const hourly = (amount: number | null): string => dollars(amount === null ? null : amount / hours, 4);
  return [
    item,
    count,
    fromTo(`${least.from}${dollars(from)}`, `${least.to}${dollars(to)}`),
    difference({ from, to }),
    fromTo(`${least.from}${hourly(from)}`, `${least.to}${hourly(to)}`),
  ];
}

/** A row of a sum, which is a lower bound where something in it is unknown. */
const sumRow = (item: string, { from, to }: Sums, hours: number): string[] =>
  costRow(item, '', { from: from.monthlyUsd, to: to.monthlyUsd }, hours, {
    from: from.complete ? '' : 'at least ',
    to: to.complete ? '' : 'at least ',
  });

const sumRows = ({ total, worstCase }: { total: Sums; worstCase: Sums }, hours: number): string[][] => [
  sumRow('total', total, hours),
  sumRow('worst case, all on-demand', worstCase, hours),
];

/** What a stack costs: a row for each item, then the sums. */
export const costRows = ({ cost }: StackReview): string[][] => [
  ...cost.items.map(({ item, from, to }) =>
    costRow(
      item,
      fromTo(String(from.count), String(to.count)),
      { from: from.monthlyUsd, to: to.monthlyUsd },
      cost.hoursPerMonth,
    ),
  ),
  ...sumRows(cost, cost.hoursPerMonth),
];

/** What several stacks cost together; nothing where there is only one that costs. */
export function allCostRows({ stacks }: Review): string[][] {
  const costs = stacks.filter(hasCost).map(({ cost }) => cost);
  const [first] = costs;
  if (first === undefined || costs.length < 2) return [];
  const together = (which: 'total' | 'worstCase'): Sums => {
    const side = (of: 'from' | 'to'): Sums['from'] => ({
      monthlyUsd: costs.reduce((sum, cost) => sum + cost[which][of].monthlyUsd, 0),
      complete: costs.every((cost) => cost[which][of].complete),
    });
    return { from: side('from'), to: side('to') };
  };
  return sumRows({ total: together('total'), worstCase: together('worstCase') }, first.hoursPerMonth);
}

/** Whether a stack has anything that costs. */
export const hasCost = ({ cost }: StackReview): boolean => cost.items.length > 0;

/** What the figures are made of. */
export const costNotes = ({ cost }: StackReview): string[] => [
  `Machines: ${cost.machinePrices}. A month is ${cost.hoursPerMonth} hours.`,
  `Assumed: ${cost.assumptions.join('; ')}. Not in it: traffic, requests and taxes.`,
];

/** What the rules have found, the same finding of several resources once. */
export function findingGroups({
  policy,
}: StackReview): (Omit<StackReview['policy']['findings'][number], 'resource'> & { resources: string })[] {
  return groupsOf(policy.findings, ({ rule, what, remedy }) => JSON.stringify([rule, what, remedy])).map(
    (findings) => {
      const [{ rule, severity, what, remedy }] = findings;
      const names = findings.map(({ resource }) => resource);
      return { rule, severity, what, remedy, resources: namesText(names, 'resource') };
    },
  );
}

/** How the rules are set otherwise, and what they could not look at. */
export const policyNotes = ({ policy }: StackReview): string[] => [
  ...policy.settings.map(({ rule, severity, reason }) => `${rule} is set to ${severity}: ${reason}`),
  ...(policy.unchecked.length === 0
    ? []
    : [`Known only after the up, and not looked at: ${policy.unchecked.join(', ')}`]),
];

/** The secrets that change, one line for each. */
export const secretLines = ({ secrets }: StackReview): string[] =>
  secrets.map(({ secret, from, to }) => `${secret}: changed (${from ?? 'none'} → ${to ?? 'none'})`);

/** What blocks an `up`, in one line. */
export function blockedText({ policy }: StackReview): string {
  const errors = policy.findings.filter(({ severity }) => severity === 'error');
  return `blocked by ${[...new Set(errors.map(({ rule }) => rule))].join(', ')}`;
}

/** A table without lines around it. */
function table(head: readonly string[], rows: readonly string[][]): string[] {
  const none = Object.fromEntries(
    [
      ...['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right'],
      ...['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'],
    ].map((part) => [part, '']),
  );
  const style = { head: [], border: [], 'padding-left': 0, 'padding-right': 2 };
  const shown = new Table({ head: [...head], chars: { ...none, middle: '' }, style });
  shown.push(...rows);
  return shown
    .toString()
    .split('\n')
    .map((line) => line.trimEnd());
}

function stackText(stack: StackReview): string {
  const { operations, drift, files, resources, notes, blocked } = stack;
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`.trimEnd())];
  return [
    `${stack.stack}: ${summary(stack)}${blocked ? `; ${blockedText(stack)}` : ''}`,
    ...section('Operations', operations.map(operationText)),
    ...section('Nodes', nodeLines(stack)),
    ...section('Policy', [
      ...findingGroups(stack).flatMap(({ rule, severity, resources: names, what, remedy }) => [
        `${severity}: ${names}: ${what} (${rule})`,
        `  ${remedy}`,
      ]),
      ...policyNotes(stack),
    ]),
    ...section('Cost', hasCost(stack) ? [...table(costHead, costRows(stack)), ...costNotes(stack)] : []),
    ...section(
      'Drift',
      drift.map(({ place, what }) => `${place}: ${what}`),
    ),
    ...section('Secrets', secretLines(stack)),
    ...files.flatMap(({ text, of, diff }) =>
      section(
        `${text} (${placesText(of)})`,
        diff === '' ? ['a secret, changed'] : diff.trimEnd().split('\n'),
      ),
    ),
    ...section(
      `Other resources: ${resourcesText(stack)}`,
      resources.map(({ op, type, name, properties }) =>
        [op, type, name, ...(properties.length > 0 ? [`(${properties.join(', ')})`] : [])].join(' '),
      ),
    ),
    ...section('Notes', notes),
    '',
  ].join('\n');
}

/** A review as text for a terminal. */
export function reviewText(review: Review): string {
  const all = allCostRows(review);
  const together =
    all.length === 0
      ? []
      : [['All stacks', ...table(costHead, all).map((line) => `  ${line}`.trimEnd()), ''].join('\n')];
  return [...review.stacks.map(stackText), ...together].join('\n');
}
