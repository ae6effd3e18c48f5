import { gravitonTypes, isGraviton } from '../../../config/graviton';
import {
  candidates,
  machineKey,
  skyMachine,
  type MachinePlacement,
  type MachineSpec,
} from '../../../deployment/operator/machine';
import { machine, placement, unnamed } from './fixtures';

test('a machine is named, or described for SkyPilot to choose', () => {
  expect(skyMachine(machine)).toEqual({ instance_type: 't3.medium' });
  expect(skyMachine({ ...unnamed, cpus: 4, memoryGiB: 16 })).toEqual({ cpus: '4+', memory: '16+' });
  expect(skyMachine({ ...unnamed, accelerators: { T4: 1 } })).toEqual({ accelerators: { T4: 1 } });
});

test('on-demand comes after every zone has been tried for spot, and only where it may', () => {
  const tried = (spec: MachineSpec) =>
    candidates({ ...spec, zones: ['us-west-2b', 'us-west-2a'] }).map(({ infra, use_spot }) => [
      infra.slice(-1),
      use_spot,
    ]);
  const spot = [
    ['b', true],
    ['a', true],
  ];
  const onDemand = [
    ['b', false],
    ['a', false],
  ];
  expect(tried(machine)).toEqual(spot);
  expect(tried({ ...machine, onDemandFallback: true })).toEqual([...spot, ...onDemand]);
  expect(tried({ ...machine, spot: false })).toEqual(onDemand);
});

test('other types come after every zone has been tried, and before on-demand', () => {
  const several = {
    ...machine,
    zones: ['us-west-2b', 'us-west-2a'],
    fallbackInstanceTypes: ['t3.large', 'm6i.large'],
  };
  expect(skyMachine({ ...several, accelerators: { T4: 1 } })).toEqual({ accelerators: { T4: 1 } });
  const tried = candidates({ ...several, onDemandFallback: true }).map(
    ({ infra, instance_type, use_spot }) =>
      `${infra.slice(-1)} ${instance_type ?? ''} ${use_spot ? 'spot' : 'on-demand'}`,
  );
  expect(tried).toEqual(
    ['spot', 'on-demand'].flatMap((market) =>
      ['t3.medium', 't3.large', 'm6i.large'].flatMap((type) =>
        ['b', 'a'].map((zone) => `${zone} ${type} ${market}`),
      ),
    ),
  );
});

test('arm64 is tried as the types that are large enough, the smallest first', () => {
  expect(gravitonTypes(2, 4)).toEqual(['c7g.large', 'm7g.large', 'r7g.large']);
  expect(gravitonTypes(1, 8)).toEqual(['r7g.medium', 'm7g.large', 'c7g.xlarge']);
  expect(gravitonTypes(64, 256)).toEqual(['m7g.16xlarge', 'r7g.16xlarge']);
  expect(gravitonTypes(96, 1)).toEqual([]);
  const spec = { ...unnamed, cpus: 2, memoryGiB: 16, architecture: 'arm64' as const };
  expect(skyMachine(spec)).toEqual({});
  expect(candidates(spec)).toEqual([
    { infra: 'aws/us-west-2/us-west-2a', use_spot: true, instance_type: 'r7g.large' },
    { infra: 'aws/us-west-2/us-west-2a', use_spot: true, instance_type: 'm7g.xlarge' },
    { infra: 'aws/us-west-2/us-west-2a', use_spot: true, instance_type: 'c7g.2xlarge' },
  ]);
});

test.each([
  [
    'arm64',
    [
      't4g.small',
      'm7g.large',
      'c7gn.xlarge',
      'im4gn.large',
      'is4gen.large',
      'g5g.xlarge',
      'a1.large',
      'x2gd.large',
    ],
  ],
  [
    'x86_64',
    ['t3.medium', 'g4dn.xlarge', 'g5.xlarge', 'm6i.large', 'm5dn.large', 'trn1n.32xlarge', 'u-6tb1.metal'],
  ],
])('types of %s are known by their names', (architecture, types) => {
  expect(types.filter((type) => isGraviton(type) === (architecture === 'arm64'))).toEqual(types);
});

test('the machine key changes with anything that replaces machines, and with nothing else', () => {
  const key = machineKey(machine, placement);
  expect(key).toMatch(/^[0-9a-f]{16}$/);
  const changed: [Partial<MachineSpec>, Partial<MachinePlacement>][] = [
    [{ region: 'us-east-1' }, {}],
    [{ instanceType: 't3.large' }, {}],
    [{ cpus: 2 }, {}],
    [{ memoryGiB: 2 }, {}],
    [{ architecture: 'arm64' }, {}],
    [{ accelerators: { T4: 1 } }, {}],
    [{ spot: false }, {}],
    [{ diskSizeGiB: 31 }, {}],
    [{ imageId: 'ami-0123456789abcdef0' }, {}],
    [{}, { vpcName: 'other' }],
    [{}, { securityGroupName: 'other' }],
    [{}, { instanceProfileName: 'other' }],
    [{}, { connection: { internalIps: true } }],
  ];
  const keys = changed.map(([m, p]) => machineKey({ ...machine, ...m }, { ...placement, ...p }));
  expect(new Set([key, ...keys]).size).toBe(changed.length + 1);
  const elsewhere = {
    ...machine,
    zones: ['us-west-2b'],
    fallbackInstanceTypes: ['t3.large'],
    onDemandFallback: true,
    maxHourlyUsd: 1,
    nodes: 2,
  };
  expect(machineKey(elsewhere, { ...placement })).toBe(key);
});
