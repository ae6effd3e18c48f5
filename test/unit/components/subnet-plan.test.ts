import { subnetPlan } from '../../../components/subnet-plan';

test('each zone gets an eighth of the range', () => {
  expect(subnetPlan('10.42.0.0/16', 3)).toEqual(['10.42.0.0/19', '10.42.32.0/19', '10.42.64.0/19']);
});

test('a zone added later moves no other', () => {
  for (let zones = 1; zones < 8; zones++) {
    expect(subnetPlan('10.0.0.0/8', zones + 1).slice(0, zones)).toEqual(subnetPlan('10.0.0.0/8', zones));
  }
});

test('an address within the range counts as the range', () => {
  expect(subnetPlan('10.42.7.9/16', 1)).toEqual(subnetPlan('10.42.0.0/16', 1));
});

test('ranges that AWS could not divide are refused', () => {
  expect(subnetPlan('10.42.0.0/25', 8)[7]).toBe('10.42.0.112/28');
  expect(() => subnetPlan('10.42.0.0/26', 1)).toThrow(
    'network.cidr 10.42.0.0/26 is too small to divide; use a /25 or larger',
  );
  expect(() => subnetPlan('10.42.0.0/16', 9)).toThrow('network.zones has 9 zones');
});
