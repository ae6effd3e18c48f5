import { readLegacyConfig } from '../../../migration/legacy-config';
import { spread, type Entry } from '../../../migration/reading';
import { amauoConfig, read, spotDeployerConfig } from './earlier-files';

const reading = readLegacyConfig(read(spotDeployerConfig));
const amauo = readLegacyConfig(read(amauoConfig));
const entry = (key: string, from = reading): Entry | undefined => from.entries.find((one) => one.key === key);
const containing = (text: string): string => expect.stringContaining(text) as string;

test.each([
  [8, 3, [3, 3, 2]],
  [3, 3, [1, 1, 1]],
  [2, 4, [1, 1, 0, 0]],
])('%i nodes in %i regions are shared out evenly, the rest to the first ones', (nodes, regions, shares) => {
  expect(spread(nodes, regions)).toEqual(shares);
});

test('each region becomes a fleet of spot machines with its share of the nodes', () => {
  expect(reading.problems).toEqual([]);
  expect(reading.fleets).toEqual([
    { region: 'us-west-2', nodes: 3, settings: { instanceType: 't3.medium', spot: true, diskSizeGiB: 20 } },
    {
      region: 'us-east-1',
      nodes: 3,
      settings: {
        instanceType: 't3.large',
        spot: true,
        diskSizeGiB: 31,
        imageId: 'ami-0abcdef1234567890',
        tags: { Coast: 'east' },
      },
    },
    {
      region: 'eu-west-1',
      nodes: 2,
      settings: { cpus: 2, memoryGiB: 4, spot: true, maxHourlyUsd: 0.04, diskSizeGiB: 20 },
    },
  ]);
  expect(entry('aws.total_instances')?.why).toContain('us-west-2 3, us-east-1 3, eu-west-1 2');
});

test('a price limit has a counterpart only where the type is left open', () => {
  expect(entry('regions[2].eu-west-1.spot_price_limit')).toMatchObject({
    outcome: 'taken',
    to: 'skyfleet:fleets[0].maxHourlyUsd',
  });
  expect(entry('aws.spot_price_limit')).toMatchObject({
    outcome: 'none',
    why: containing('cpus and memoryGiB'),
  });
});

test('tags are taken over as SkyPilot takes them, but none that the earlier tool finds its instances by', () => {
  expect(reading.tags).toEqual({ Project: 'Weather-stations', NodeCount: '8' });
  expect(entry('aws.tags.Project')).toMatchObject({ outcome: 'changed', why: containing('no spaces') });
  expect(entry('aws.tags.ManagedBy')).toMatchObject({ outcome: 'none' });
});

test.each(['username', 'ssh_key_name', 'public_ssh_key_path', 'security_group_name', 'startup_script'])(
  'aws.%s has no counterpart, and the report says what takes its place',
  (key) => {
    const found = entry(`aws.${key}`);
    expect(found?.outcome).toBe('none');
    expect(found?.why?.length).toBeGreaterThan(20);
  },
);

test('where nothing is written the defaults of the earlier tools hold', () => {
  expect(amauo.fleets[1]).toEqual({
    region: 'ca-central-1',
    nodes: 1,
    settings: { instanceType: 't3.medium', spot: true, diskSizeGiB: 50 },
  });
  expect(entry('aws.total_instances', amauo)).toMatchObject({ value: 3, why: containing('is not written') });
});

test('a region that gets no node is told and gets no stack', () => {
  expect(amauo.fleets[3]?.nodes).toBe(0);
  expect(entry('regions[3].eu-north-1', amauo)).toMatchObject({
    outcome: 'none',
    why: containing('no stack'),
  });
});

test('unknown keys are listed at every level, without what they say', () => {
  const unknown = amauo.entries.filter(({ outcome }) => outcome === 'unknown').map(({ key }) => key);
  expect(unknown).toEqual(['dashboard', 'aws.retries', 'regions[0].us-east-2.colour']);
  expect(JSON.stringify(amauo)).not.toContain('planted-unknown-value');
});

test('every key of the file is told', () => {
  const keys = Object.keys((read(spotDeployerConfig) as { aws: object }).aws);
  const told = reading.entries.map(({ key }) => key);
  expect(keys.filter((key) => !told.some((one) => one.startsWith(`aws.${key}`)))).toEqual([]);
});

test('a disk smaller than an image is raised', () => {
  const small = readLegacyConfig({ aws: { instance_storage_gb: 4 }, regions: [{ 'us-west-2': {} }] });
  expect(small.fleets[0]?.settings.diskSizeGiB).toBe(8);
  expect(entry('aws.instance_storage_gb', small)).toMatchObject({ value: 4, outcome: 'changed' });
});

test('all problems are told at once, with the keys as they are written', () => {
  const { problems } = readLegacyConfig({
    aws: { total_instances: true, instance_storage_gb: 'big', spot_price_limit: 0, tags: ['a'] },
    regions: [
      { 'us-west': {} },
      { 'us-east-1': { machine_type: 't3', image: 'ubuntu' } },
      { 'us-east-2': {}, 'eu-west-1': {} },
    ],
  });
  expect(problems.map(({ key }) => key)).toEqual([
    'aws.total_instances',
    'aws.instance_storage_gb',
    'aws.spot_price_limit',
    'aws.tags',
    'regions[0].us-west',
    'regions[1].us-east-1.machine_type',
    'regions[1].us-east-1.image',
    'regions[2]',
  ]);
  expect(problems[0]).toMatchObject({ value: true, message: containing('whole number') });
});

test.each([
  ['no regions', { aws: {} }, 'must be a list of regions'],
  ['an empty list of regions', { regions: [] }, 'must name at least one region'],
  ['a region twice', { regions: [{ 'us-west-2': {} }, { 'us-west-2': {} }] }, 'must name each region once'],
  ['no nodes', { aws: { total_instances: 0 }, regions: [{ 'us-west-2': {} }] }, 'must be 1 or more'],
])('%s is refused', (_, document, message) => {
  expect(readLegacyConfig(document).problems).toMatchObject([{ message: containing(message) }]);
});
