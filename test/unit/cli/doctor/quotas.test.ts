import { judgeQuota } from '../../../../cli/doctor/quota';
import { familyOf, standardFamily } from '../../../../cli/doctor/quota-codes';
import { addedUp, needOf, usedByOthers } from '../../../../cli/doctor/vcpus';
import { fleetSchema, type FleetConfig } from '../../../../config/schema';

const fleet = (more: Record<string, unknown>): FleetConfig =>
  fleetSchema.parse({ name: 'sensors', clusters: 3, ordinals: { first: 0, last: 99 }, ...more });
const cpus = new Map([
  ['t3.medium', 2],
  ['c7g.xlarge', 4],
  ['g4dn.xlarge', 4],
]);

test.each([
  ['t3.medium', 'Standard'],
  ['i4i.large', 'Standard'],
  ['im4gn.large', 'Standard'],
  ['d3.xlarge', 'Standard'],
  ['h1.2xlarge', 'Standard'],
  ['inf2.xlarge', 'Inf'],
  ['dl1.24xlarge', 'DL'],
  ['hpc7g.16xlarge', 'HPC'],
  ['trn1.2xlarge', 'Trn'],
  ['g4dn.xlarge', 'G and VT'],
  ['gr6.4xlarge', 'G and VT'],
  ['vt1.3xlarge', 'G and VT'],
  ['p5.48xlarge', 'P'],
  ['x2idn.16xlarge', 'X'],
  ['u-6tb1.112xlarge', 'High Memory'],
  ['u7i-12tb.224xlarge', 'High Memory'],
])('%s counts towards the quota of %s', (type, family) => {
  expect(familyOf(type)?.name).toBe(family);
});

test('a Mac counts towards none', () => {
  expect(familyOf('mac2.metal')).toBeUndefined();
});

test('a fleet needs the vCPUs of its type for each node', () => {
  const need = needOf(fleet({ instanceType: 't3.medium', nodesPerCluster: 2 }), cpus);
  expect(need).toEqual({ family: standardFamily, spot: true, vcpus: 12 });
});

test('where SkyPilot chooses, the vCPUs that it is told to are counted', () => {
  expect(needOf(fleet({ cpus: 8, spot: false }), cpus)).toEqual({
    family: standardFamily,
    spot: false,
    vcpus: 24,
  });
  expect(needOf(fleet({ cpus: 4, memoryGiB: 8, architecture: 'arm64' }), cpus)).toMatchObject({ vcpus: 12 });
});

test.each([
  [{ accelerators: { T4: 1 }, cpus: 4 }, /SkyPilot chooses/],
  [{ memoryGiB: 16 }, /SkyPilot chooses/],
  [{ instanceType: 'm5.large' }, /not offered/],
  [{ instanceType: 'mac2.metal' }, /no quota/],
])('what %j needs cannot be told', (more, problem) => {
  expect(needOf(fleet(more), cpus)).toMatchObject({ problem: expect.stringMatching(problem) as string });
});

test('fleets add up where they share a quota', () => {
  const gpus = familyOf('g4dn.xlarge') ?? standardFamily;
  const standard = { family: standardFamily, spot: true };
  expect(
    addedUp([
      { ...standard, vcpus: 2 },
      { family: gpus, spot: true, vcpus: 4 },
      { ...standard, vcpus: 3 },
      { ...standard, spot: false, vcpus: 7 },
    ]),
  ).toEqual([
    { ...standard, vcpus: 5 },
    { family: gpus, spot: true, vcpus: 4 },
    { ...standard, spot: false, vcpus: 7 },
  ]);
});

test('what runs of the stack is not counted twice, and what others run is', () => {
  const spot = { type: 't3.medium', spot: true };
  const instances = [
    { ...spot, stack: 'organization/skyfleet/dev' },
    { ...spot, stack: 'organization/skyfleet/prod' },
    { ...spot, stack: undefined },
    { ...spot, spot: false, stack: undefined },
    { ...spot, type: 'g4dn.xlarge', stack: undefined },
  ];
  expect(
    usedByOthers(instances, 'organization/skyfleet/dev', { family: standardFamily, spot: true }, cpus),
  ).toBe(4);
});

describe('a quota', () => {
  const question = {
    ...{ check: 'quota', service: 'ec2', code: 'L-34B43A08', region: 'us-west-2', unit: 'vCPUs' },
    ...{ needed: 6, usedByOthers: 4 },
  };

  test('is large enough for both, to the last one', () => {
    expect(judgeQuota({ ...question, answer: { value: 10 } }).state).toBe('ok');
  });

  test('is not, and the request for more is told', () => {
    expect(judgeQuota({ ...question, answer: { value: 9 } })).toEqual({
      check: 'quota',
      state: 'failed',
      detail: 'the stack needs 6 vCPUs, others in the account use 4; the quota L-34B43A08 allows 9',
      remedy:
        'ask for more: aws service-quotas request-service-quota-increase --service-code ec2 --quota-code L-34B43A08 --region us-west-2 --desired-value 10',
    });
  });

  test('cannot be told where it cannot be read', () => {
    expect(judgeQuota({ ...question, answer: { problem: 'AccessDenied' } })).toMatchObject({
      state: 'unknown',
      remedy: expect.stringContaining('servicequotas:GetServiceQuota') as string,
    });
  });
});
