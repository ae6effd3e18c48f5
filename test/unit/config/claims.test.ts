import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { claimProblems, claimsOfStackFile, clashes, type Claim } from '../../../config/claims';

const ordinals = (stack: string, first: number, last: number): Claim => ({
  stack,
  kind: 'ordinals',
  key: 'skyfleet:fleets[0].ordinals',
  range: { first, last },
});
const vpc = (stack: string, range: string): Claim => ({
  stack,
  kind: 'cidr',
  key: 'skyfleet:network.cidr',
  range,
});

test('ranges that touch in one ordinal clash, neighbours do not', () => {
  const [a, b, c] = [ordinals('a', 0, 9), ordinals('b', 9, 19), ordinals('c', 20, 29)];
  expect(clashes([a, b, c])).toEqual([[a, b]]);
});

test('VPCs of which one holds the other clash, neighbours do not', () => {
  const [a, b, c] = [vpc('a', '10.0.0.0/15'), vpc('b', '10.1.0.0/16'), vpc('c', '10.2.0.0/16')];
  expect(clashes([a, b, c, ordinals('d', 0, 9)])).toEqual([[a, b]]);
});

test('a stack file claims its network and the range of each of its fleets', () => {
  const text =
    'config:\n  skyfleet:network: { cidr: 10.1.0.0/16 }\n' +
    '  skyfleet:fleets:\n    - ordinals: { first: 1, last: 2 }\n    - name: broken\n';
  expect(claimsOfStackFile('dev', text)).toEqual([vpc('dev', '10.1.0.0/16'), ordinals('dev', 1, 2)]);
  expect(claimsOfStackFile('empty', '')).toEqual([]);
});

describe('beside the stack files of a project', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-claims-'));
    fs.writeFileSync(path.join(folder, 'Pulumi.yaml'), 'name: skyfleet\n');
    fs.writeFileSync(
      path.join(folder, 'Pulumi.eu.yaml'),
      'config:\n  skyfleet:network: { cidr: 10.1.0.0/16 }\n  skyfleet:fleets:\n    - ordinals: { first: 100, last: 199 }\n',
    );
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test('what another stack has is refused, naming both', () => {
    const values = { network: { cidr: '10.1.4.0/22' }, fleets: [{ ordinals: { first: 150, last: 160 } }] };
    expect(claimProblems(folder, 'us', values)).toEqual([
      {
        key: 'skyfleet:network.cidr',
        value: '10.1.4.0/22',
        message: 'overlaps skyfleet:network.cidr of stack eu (10.1.0.0/16); give each its own range',
      },
      {
        key: 'skyfleet:fleets[0].ordinals',
        value: { first: 150, last: 160 },
        message: 'overlaps skyfleet:fleets[0].ordinals of stack eu (100–199); give each its own range',
      },
    ]);
  });

  test("a stack's own file does not stand against it", () => {
    const values = { network: { cidr: '10.1.0.0/16' }, fleets: [{ ordinals: { first: 100, last: 199 } }] };
    expect(claimProblems(folder, 'eu', values)).toEqual([]);
  });

  test('two fleets of one stack must not share ordinals either', () => {
    const fleets = [{ ordinals: { first: 0, last: 5 } }, { ordinals: { first: 5, last: 6 } }];
    expect(claimProblems(folder, 'us', { fleets })).toMatchObject([
      { message: expect.stringContaining('skyfleet:fleets[1].ordinals of stack us (5–6)') as string },
    ]);
  });
});
