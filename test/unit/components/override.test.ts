import { currentOverride } from '../../../components/override';

const earlier = { reason: 'tags come later', rules: ['missing-tags'], at: '2026-01-01T00:00:00.000Z' };
const now = { reason: 'the budget is being raised', rules: ['over-budget'], at: '2026-02-01T00:00:00.000Z' };

test('the override of an up takes the place of the one before, which stays otherwise', () => {
  expect(currentOverride(JSON.stringify(now), earlier)).toEqual(now);
  expect(currentOverride(undefined, earlier)).toEqual(earlier);
  expect(currentOverride('', undefined)).toBeUndefined();
});

test('what is no override is refused', () => {
  expect(() => currentOverride('{"reason": "x"}', earlier)).toThrow(/rules/);
});
