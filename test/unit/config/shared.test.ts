import { withShared } from '../../../config/shared';

test('what the stack file does not say comes from the shared stack', () => {
  expect(withShared({ network: {} }, { sensor: { image: 'a:1' }, tags: { team: 'x' } })).toEqual({
    network: {},
    sensor: { image: 'a:1' },
    tags: { team: 'x' },
  });
});

test('what the stack file says goes before, property by property', () => {
  expect(withShared({ tags: { team: 'own' } }, { tags: { team: 'shared', cost: '7' } })).toEqual({
    tags: { team: 'own', cost: '7' },
  });
});

test('of the ways of access the own one stands alone', () => {
  const shared = { access: { cidrs: ['10.0.0.0/8'] } };
  expect(withShared({ access: { ssm: true } }, shared)).toEqual({ access: { ssm: true } });
  expect(withShared({ access: {} }, shared)).toEqual(shared);
});

test('outputs that are no shared keys are left alone, and a wrong value of the stack file is kept for the checks', () => {
  expect(withShared({ tags: 'none' }, { tags: { team: 'x' }, fleets: [], url: 'x' })).toEqual({
    tags: 'none',
  });
});
