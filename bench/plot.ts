import { ratioOf, type Figure } from './figures';

const [labelWidth, plotWidth, valueWidth] = [400, 330, 50];
const [lineHeight, barHeight, top, bottom] = [24, 14, 34, 26];
const width = labelWidth + plotWidth + valueWidth;

const escaped = (text: string): string => text.replace(/&/g, '&amp;').replace(/</g, '&lt;');

/** The figures' ratios as bars, each with its bound as a line across it, as an SVG. */
export function plot(figures: readonly Figure[], title: string): string {
  const most =
    Math.ceil(2 * Math.max(...figures.map((figure) => Math.max(ratioOf(figure), figure.bound ?? 0)))) / 2;
  const x = (ratio: number): number => Math.round(labelWidth + (ratio / most) * plotWidth);
  const height = top + figures.length * lineHeight + bottom;
  const foot = height - bottom;
  const ticks = Array.from({ length: 2 * most + 1 }, (_, index) => index / 2);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="sans-serif" font-size="12">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    `<text x="10" y="20" font-size="13">${escaped(title)}</text>`,
    ...ticks.flatMap((tick) => [
      `<line x1="${x(tick)}" x2="${x(tick)}" y1="${top - 4}" y2="${foot}" stroke="#ddd"/>`,
      `<text x="${x(tick)}" y="${foot + 16}" text-anchor="middle" fill="#555">${tick}</text>`,
    ]),
    ...figures.flatMap((figure, index) => bar(figure, top + index * lineHeight, x)),
    '</svg>\n',
  ].join('\n');
}

function bar(figure: Figure, y: number, x: (ratio: number) => number): string[] {
  const { bound } = figure;
  const ratio = ratioOf(figure);
  const fill = bound === undefined ? '#9aa5b1' : ratio <= bound ? '#2f7d4f' : '#c0392b';
  const label = `${figure.name}: ${figure.unit === 's' ? 'wall' : 'memory'} ÷ ${figure.against}`;
  const line =
    bound === undefined
      ? []
      : [
          `<line x1="${x(bound)}" x2="${x(bound)}" y1="${y - 3}" y2="${y + barHeight + 3}" stroke="#000" stroke-width="2"/>`,
        ];
  return [
    `<text x="${labelWidth - 8}" y="${y + barHeight - 3}" text-anchor="end">${escaped(label)}</text>`,
    `<rect x="${x(0)}" y="${y}" width="${x(ratio) - x(0)}" height="${barHeight}" fill="${fill}"/>`,
    ...line,
    `<text x="${x(Math.max(ratio, bound ?? 0)) + 6}" y="${y + barHeight - 3}">${ratio.toFixed(2)}</text>`,
  ];
}
