import { isWithin, median, ratioOf, table, withSection, type Figure } from '../../../bench/figures';
import { shellLoop } from '../../../bench/loop';
import { parseStat } from '../../../bench/measure';
import { plot } from '../../../bench/plot';

const figure: Figure = {
  name: 'up of 16 clusters',
  against: 'up of 1 cluster',
  unit: 's',
  pairs: [
    [30, 20],
    [24, 24],
    [50, 25],
  ],
  bound: 1.3,
};
const beside: Figure = { ...figure, against: 'a <loop>', bound: undefined };

test('the median is the one in the middle, or lies between the two that are', () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(() => median([])).toThrow('no median of nothing');
});

test('a ratio is the median of those of the pairs, and is held against its bound', () => {
  expect(ratioOf(figure)).toBe(1.5);
  expect(isWithin(figure)).toBe(false);
  expect(isWithin({ ...figure, bound: 1.5 })).toBe(true);
  expect(isWithin(beside)).toBe(true);
});

test('the table says of each figure whether it is within its bound', () => {
  expect(table([figure, beside])).toBe(
    [
      '| measured          | ours   | against         |        | ratio | bound | within bound |',
      '| ----------------- | ------ | --------------- | ------ | ----- | ----- | ------------ |',
      '| up of 16 clusters | 30.0 s | up of 1 cluster | 24.0 s | 1.50  | 1.3   | **no**       |',
      '| up of 16 clusters | 30.0 s | a <loop>        | 24.0 s | 1.50  |       |              |',
      '',
    ].join('\n'),
  );
});

test('the plot has a bar for each figure, and a line for each bound', () => {
  const svg = plot([figure, beside], 'Ratios');
  expect(svg.match(/fill="#c0392b"/g)).toHaveLength(1);
  expect(svg.match(/stroke="#000"/g)).toHaveLength(1);
  expect(svg).toContain('up of 16 clusters: wall ÷ a &lt;loop>');
});

test('only what stands between the marks of a section is replaced', () => {
  const document = 'before\n<!-- figures -->\nold\n<!-- end of figures -->\nafter\n';
  expect(withSection(document, 'figures', 'new')).toBe(
    'before\n<!-- figures -->\n\nnew\n<!-- end of figures -->\nafter\n',
  );
  expect(() => withSection('nothing', 'figures', 'new')).toThrow('no section between <!-- figures -->');
});

test('a process is read whose name looks like fields', () => {
  const fields = [
    'S',
    1,
    2,
    33,
    ...Array.from({ length: 7 }, () => 0),
    5,
    6,
    ...Array.from({ length: 8 }, () => 0),
    44,
  ];
  expect(parseStat(`7 (a) R 9 9) ${fields.join(' ')} 0\n`)).toEqual({ session: 33, pages: 44, ticks: 11 });
});

test('the shell loop runs the recorded commands of each place in their environment, all places at once', () => {
  const secret = {
    '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270',
    plaintext: `{"T":"it's"}`,
  };
  const resource = (name: string, create: string, environment: unknown) => ({
    urn: `urn:pulumi:s::p::command:local:Command::${name}`,
    inputs: { create, environment },
  });
  const resources = [
    resource('a-0-submit', 'node submit.js', secret),
    resource('a-0-wait', 'node wait.js', { SKYFLEET_SUBMISSION: 'old', N: '1' }),
    resource('other', 'node other.js', {}),
  ];
  expect(shellLoop({ deployment: { resources } })).toBe(
    [
      'jobs=',
      '(',
      'set -e',
      'SKYFLEET_SUBMISSION=$(',
      `export T='it'\\''s'`,
      'node submit.js',
      ')',
      'export SKYFLEET_SUBMISSION',
      `export N='1'`,
      'node wait.js > /dev/null',
      ') &',
      'jobs="$jobs $!"',
      'for job in $jobs; do wait "$job" || exit 1; done',
      '',
    ].join('\n'),
  );
});
