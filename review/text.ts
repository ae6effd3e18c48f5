import type { Operation, Review, StackReview } from './model';

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** Places as a reader takes them in: named where they are few, else the first and the last. */
export function placesText(places: readonly string[]): string {
  return places.length <= 3
    ? places.join(', ')
    : `${places[0]} … ${places.at(-1)} (${counted(places.length, 'place')})`;
}

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
  const places = stack.operations.reduce((sum, operation) => sum + operation.places.length, 0);
  return places === 0
    ? 'no place changes'
    : `${counted(places, 'place')} ${places === 1 ? 'changes' : 'change'}`;
}

function stackText(stack: StackReview): string {
  const { operations, drift, files, resources, notes } = stack;
  const section = (title: string, lines: readonly string[]): string[] =>
    lines.length === 0 ? [] : ['', title, ...lines.map((line) => `  ${line}`)];
  return [
    `${stack.stack}: ${summary(stack)}`,
    ...section('Operations', operations.map(operationText)),
    ...section('Nodes', nodeLines(stack)),
    ...section(
      'Drift',
      drift.map(({ place, what }) => `${place}: ${what}`),
    ),
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
export const reviewText = ({ stacks }: Review): string => stacks.map(stackText).join('\n');
