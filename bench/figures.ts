/** A quantity of ours against the same of what it is compared with, measured alternately. */
export interface Figure {
  /** What is measured, such as `up` of 16 clusters. */
  name: string;
  /** What it is compared with. */
  against: string;
  unit: 's' | 'MiB';
  /** One value of ours and one of the other for each pair of runs. */
  pairs: readonly (readonly [ours: number, other: number])[];
  /** The ratio that must not be exceeded; absent where a figure only stands beside the others. */
  bound?: number;
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  const [low, high] = [sorted[Math.ceil(middle) - 1], sorted[Math.floor(middle)]];
  if (low === undefined || high === undefined) throw new Error('there is no median of nothing');
  return (low + high) / 2;
}

/** The median of the ratios of the pairs, because both runs of a pair saw the machine in the same state. */
export const ratioOf = ({ pairs }: Figure): number => median(pairs.map(([ours, other]) => ours / other));

/** Whether the ratio is within the bound; a figure without one always is. */
export const isWithin = (figure: Figure): boolean =>
  figure.bound === undefined || ratioOf(figure) <= figure.bound;

/** The text of one cell for each column. */
export function row(figure: Figure): string[] {
  const value = (values: number[]): string =>
    `${median(values).toFixed(figure.unit === 's' ? 1 : 0)} ${figure.unit}`;
  return [
    figure.name,
    value(figure.pairs.map(([ours]) => ours)),
    figure.against,
    value(figure.pairs.map(([, other]) => other)),
    ratioOf(figure).toFixed(2),
    figure.bound === undefined ? '' : String(figure.bound),
    figure.bound === undefined ? '' : isWithin(figure) ? 'yes' : '**no**',
  ];
}

const header = ['measured', 'ours', 'against', '', 'ratio', 'bound', 'within bound'];

/** The figures as a Markdown table. */
export function table(figures: readonly Figure[]): string {
  const lines = [header, header.map(() => '---'), ...figures.map(row)];
  const widths = header.map((_, column) => Math.max(...lines.map((cells) => cells[column]?.length ?? 0)));
  return lines
    .map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] ?? 0, cell === '---' ? '-' : ' ')))
    .map((cells) => `| ${cells.join(' | ')} |\n`)
    .join('');
}

/** The text of a document with what stands between two marks replaced. */
export function withSection(document: string, name: string, text: string): string {
  const [begin, end] = [`<!-- ${name} -->\n`, `<!-- end of ${name} -->`];
  const [from, to] = [document.indexOf(begin), document.indexOf(end)];
  if (from === -1 || to < from)
    throw new Error(`the document has no section between ${begin.trim()} and ${end}`);
  return `${document.slice(0, from + begin.length)}\n${text}\n${document.slice(to)}`;
}
