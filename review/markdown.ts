import type { Review, StackReview } from './model';
import {
  allCostRows,
  blockedText,
  costHead,
  costNotes,
  costRows,
  findingGroups,
  hasCost,
  nodeLines,
  placesText,
  policyNotes,
  resourcesText,
  secretLines,
  summary,
} from './text';

/** A text as it is: nothing in it is taken for HTML. */
const plain = (text: string): string =>
  text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');

/** A text in a cell of a table. */
const cell = (text: string): string =>
  plain(text)
    .replace(/\|/g, '\\|')
    .replace(/\s*\n\s*/g, ' ');

/** A block that is closed until somebody opens it, as GitHub shows it. */
function folded(title: string, body: string): string {
  return `<details><summary>${plain(title)}</summary>\n\n${body}\n\n</details>`;
}

/** A block of code whose fence is longer than any in it. */
function code(language: string, text: string): string {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}${language}\n${text.trimEnd()}\n${fence}`;
}

const list = (lines: readonly string[]): string => lines.map((line) => `- ${plain(line)}`).join('\n');

/** A table; all but the first column of numbers to the right, where `numbers` says so. */
function table(head: readonly string[], rows: readonly string[][], numbers = false): string {
  const rule = head.map((_, index) => (numbers && index > 0 ? '---:' : '---'));
  return [head, rule, ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** What the rules have found, the grave first. */
function policyMarkdown(stack: StackReview): string {
  const rows = findingGroups(stack).map(({ rule, severity, resources, what, remedy }) => [
    severity === 'error' ? '**error**' : severity,
    cell(resources),
    `${cell(what)} (\`${rule}\`)`,
    cell(remedy),
  ]);
  const found = rows.length === 0 ? [] : [table(['', 'resource', 'finding', 'remedy'], rows)];
  const notes = policyNotes(stack);
  return [...found, ...(notes.length === 0 ? [] : [list(notes)])].join('\n\n');
}

/** Sums of a cost, which count nothing. */
function sumTable(rows: readonly string[][]): string {
  const [first = '', , ...rest] = costHead;
  return table(
    [first, ...rest],
    rows.map(([item = '', , ...amounts]) => [item, ...amounts]),
    true,
  );
}

/** What the stack costs: the sum, and folded what it is made of. */
function costMarkdown(stack: StackReview): string {
  const rows = costRows(stack).map((cells) => cells.map(cell));
  const items = rows.slice(0, -2);
  return [
    sumTable(rows.slice(-2)),
    folded('What it is made of', [table(costHead, items, true), list(costNotes(stack))].join('\n\n')),
  ].join('\n\n');
}

function stackMarkdown(stack: StackReview): string {
  const { operations, drift, files, resources, notes } = stack;
  const section = (title: string, body: string): string[] => (body === '' ? [] : [`### ${title}`, body]);
  const rows = operations.map(({ kind, reason, places }) => [
    `\`${kind}\``,
    cell(placesText(places)),
    cell(reason),
  ]);
  return [
    `## ${stack.stack}: ${summary(stack)}`,
    ...(stack.blocked ? [`**An \`up\` is ${plain(blockedText(stack))}.**`] : []),
    ...(rows.length === 0 ? [] : [table(['change', 'places', 'why'], rows)]),
    ...section('Nodes', list(nodeLines(stack))),
    ...section('Policy', policyMarkdown(stack)),
    ...section('Cost', hasCost(stack) ? costMarkdown(stack) : ''),
    ...section('Drift since the last up', list(drift.map(({ place, what }) => `${place}: ${what}`))),
    ...section('Secrets', list(secretLines(stack))),
    ...section(
      'Files',
      files
        .map(({ text, of, diff }) =>
          folded(`${text} (${placesText(of)})`, diff === '' ? 'A secret, changed.' : code('diff', diff)),
        )
        .join('\n\n'),
    ),
    ...(resources.length === 0
      ? []
      : [
          folded(
            `Other resources: ${resourcesText(stack)}`,
            list(
              resources.map(
                ({ op, type, name, properties }) =>
                  `${op} \`${type}\` ${name}${properties.length > 0 ? `: ${properties.join(', ')}` : ''}`,
              ),
            ),
          ),
        ]),
    ...section('Notes', list(notes)),
  ].join('\n\n');
}

/** A review as Markdown, for a pull request. */
export function reviewMarkdown(review: Review): string {
  const all = allCostRows(review);
  const together = all.length === 0 ? [] : [`## All stacks\n\n${sumTable(all)}`];
  return `${[...review.stacks.map(stackMarkdown), ...together].join('\n\n')}\n`;
}
