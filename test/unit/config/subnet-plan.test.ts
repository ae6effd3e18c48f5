import { cidrOf, cidrsOverlap, rangeOf } from '../../../config/cidr';
import { natSubnetPlan, subnetPlan } from '../../../config/subnet-plan';

test('each zone gets an eighth of the range', () => {
  expect(subnetPlan('10.42.0.0/16', 3)).toEqual(['10.42.0.0/19', '10.42.32.0/19', '10.42.64.0/19']);
  expect(subnetPlan('10.42.0.0/25', 8)[7]).toBe('10.42.0.112/28');
});

test('a zone added later moves no other', () => {
  for (let zones = 1; zones < 8; zones++) {
    expect(subnetPlan('10.0.0.0/8', zones + 1).slice(0, zones)).toEqual(subnetPlan('10.0.0.0/8', zones));
  }
});

test('NAT gateways stand in the last eighth, which no zone of theirs has', () => {
  expect(natSubnetPlan('10.42.0.0/16', 2)).toEqual(['10.42.224.0/22', '10.42.228.0/22']);
  for (const zone of subnetPlan('10.42.0.0/16', 7))
    for (const nat of natSubnetPlan('10.42.0.0/16', 7))
      expect([zone, nat, cidrsOverlap(zone, nat)]).toEqual([zone, nat, false]);
});

test('a range is read and written alike', () => {
  for (const cidr of ['0.0.0.0/0', '10.42.7.128/25', '255.255.255.255/32'])
    expect(cidrOf(rangeOf(cidr))).toBe(cidr);
  expect(cidrOf(rangeOf('10.42.7.9/16'))).toBe('10.42.0.0/16');
});
