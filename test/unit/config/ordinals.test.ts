import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { claimsOfStackFile, overlappingClaims, refuseSharedOrdinals } from '../../../config/ordinals';

const claim = (stack: string, first: number, last: number) => ({
  stack,
  key: 'skyfleet:fleets[0].ordinals',
  range: { first, last },
});

test('ranges that touch in one ordinal overlap, neighbours do not', () => {
  const [a, b, c] = [claim('a', 0, 9), claim('b', 9, 19), claim('c', 20, 29)];
  expect(overlappingClaims([a, b, c])).toEqual([[a, b]]);
});

test('a stack file claims the range of each of its fleets', () => {
  const text = 'config:\n  skyfleet:fleets:\n    - ordinals: { first: 1, last: 2 }\n    - name: broken\n';
  expect(claimsOfStackFile('dev', text)).toEqual([claim('dev', 1, 2)]);
  expect(claimsOfStackFile('empty', '')).toEqual([]);
});

describe('beside the stack files of a project', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-ordinals-'));
    fs.writeFileSync(path.join(folder, 'Pulumi.yaml'), 'name: skyfleet\n');
    fs.writeFileSync(
      path.join(folder, 'Pulumi.eu.yaml'),
      'config:\n  skyfleet:fleets:\n    - ordinals: { first: 100, last: 199 }\n',
    );
  });
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  test("another stack's range is refused, naming both", () => {
    expect(() => refuseSharedOrdinals(folder, 'us', [{ ordinals: { first: 150, last: 160 } }])).toThrow(
      'skyfleet:fleets[0].ordinals is {"first":150,"last":160}: overlaps skyfleet:fleets[0].ordinals of stack eu (100–199)',
    );
  });

  test("a stack's own file does not stand against it", () => {
    refuseSharedOrdinals(folder, 'eu', [{ ordinals: { first: 100, last: 199 } }]);
  });

  test('two fleets of one stack must not share ordinals either', () => {
    const shared = [{ ordinals: { first: 0, last: 5 } }, { ordinals: { first: 5, last: 6 } }];
    expect(() => refuseSharedOrdinals(folder, 'us', shared)).toThrow(
      'overlaps skyfleet:fleets[1].ordinals of stack us (5–6)',
    );
  });
});
