import * as fs from 'node:fs';
import * as path from 'node:path';
import { CHECKOUT } from '../../../local/rig/paths';
import { closingLine, parseRecord, surplus, totalsOf, type KillLine } from '../../chaos/driver';
import { uniform } from '../../chaos/uniform';

const line = (n: number, changes: Partial<KillLine> = {}): KillLine => ({
  ...{ n, seed: 1, commit: 'c', kind: 'pulumi', signal: 'SIGKILL', during: 'up', atSeconds: 1, hit: true },
  ...{ duration: 2, exitCode: 137, recovered: { lock: true, ended: 0, cleared: 0, unrecorded: [] } },
  ...{ then: 'up', found: { instances: 1, clusters: 1, orphans: [], lost: [] }, converged: true, seconds: 3 },
  ...changes,
});

test('a record is read back without its closing line, and summed up', () => {
  const failed = { instances: 2, clusters: 1, orphans: ['instance i-1', 'vpc v-1'], lost: ['a-0-bcde'] };
  const lines = [line(1), line(2, { converged: false, found: failed })];
  const text = `${lines.map((one) => JSON.stringify(one)).join('\n')}\nkills 2, converged 1, orphans 2, lost 1\n`;
  expect(parseRecord(text)).toEqual(lines);
  expect(closingLine(totalsOf(lines))).toBe('kills 2, converged 1, orphans 2, lost 1');
});

test('more of a kind than there should be is surplus, whichever it is', () => {
  expect(surplus(['vpc a', 'vpc b', 'role r'], ['vpc x', 'role r'])).toEqual(['vpc b']);
  expect(surplus(['vpc a'], [])).toEqual(['vpc a']);
});

test('the same seed draws the same numbers, and another one others, all from 0 to 1', () => {
  const drawn = (seed: number): number[] => Array.from({ length: 1000 }, uniform(seed));
  expect(drawn(1)).toEqual(drawn(1));
  expect(drawn(1)).not.toEqual(drawn(2));
  expect(drawn(1).every((number) => number >= 0 && number < 1)).toBe(true);
  const mean = drawn(1).reduce((sum, number) => sum + number, 0) / 1000;
  expect(Math.abs(mean - 0.5)).toBeLessThan(0.05);
});

test('the record in docs/chaos is of one commit and seed, has no gap, and comes to what its page says', () => {
  const read = (name: string): string => fs.readFileSync(path.join(CHECKOUT, 'docs', 'chaos', name), 'utf8');
  const lines = parseRecord(read('run.jsonl'));
  expect(lines.map(({ n }) => n)).toEqual(lines.map((_line, index) => index + 1));
  const origins = [...new Set(lines.map(({ seed, commit }) => `seed ${seed} on commit ${commit}`))];
  expect(origins).toHaveLength(1);
  const page = read('README.md').replace(/`/g, '').replace(/\s+/g, ' ');
  expect(page).toContain(origins[0]);
  expect(page).toContain(closingLine(totalsOf(lines)));
});
