import type { Review, StackReview } from './model';
import { nodeLines, placesText, resourcesText, summary } from './text';

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

function stackMarkdown(stack: StackReview): string {
  const { operations, drift, files, resources, notes } = stack;
  const section = (title: string, body: string): string[] => (body === '' ? [] : [`### ${title}`, body]);
  const rows = operations.map(
    ({ kind, reason, places }) => `| \`${kind}\` | ${cell(placesText(places))} | ${cell(reason)} |`,
  );
  return [
    `## ${stack.stack}: ${summary(stack)}`,
    ...(rows.length === 0 ? [] : [['| change | places | why |', '| --- | --- | --- |', ...rows].join('\n')]),
    ...section('Nodes', list(nodeLines(stack))),
    ...section('Drift since the last up', list(drift.map(({ place, what }) => `${place}: ${what}`))),
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
export const reviewMarkdown = ({ stacks }: Review): string => `${stacks.map(stackMarkdown).join('\n\n')}\n`;
