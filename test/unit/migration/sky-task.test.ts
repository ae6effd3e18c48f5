import { parseAccelerator, parseQuantity } from '../../../migration/quantity';
import type { Entry, Reading } from '../../../migration/reading';
import { readSkyTask } from '../../../migration/sky-task';
import { openTask, read, wrapperTask } from './earlier-files';

const entry = ({ entries }: Reading, key: string): Entry | undefined =>
  entries.find((one) => one.key === key);
const containing = (text: string): string => expect.stringContaining(text) as string;
const problemsOf = (document: unknown, ...regions: string[]): string[] =>
  readSkyTask(document, regions).problems.map(({ key, message }) => `${key} ${message}`);

test('the task of the wrapper becomes a fleet, with num_nodes from where it stands', () => {
  const reading = readSkyTask(read(wrapperTask));
  expect(reading.fleets).toEqual([
    { region: 'us-west-2', nodes: 3, settings: { instanceType: 't3.medium', spot: true, diskSizeGiB: 30 } },
  ]);
  expect(reading.tags).toEqual({ team: 'weather' });
  expect(entry(reading, 'resources.num_nodes')).toMatchObject({
    value: 3,
    to: 'skyfleet:fleets[0].clusters',
    why: containing('SkyPilot refuses it under resources'),
  });
});

test('every key of the task is told, and no variable with what it says', () => {
  const reading = readSkyTask(read(wrapperTask));
  const { resources, ...task } = read(wrapperTask) as { resources: object };
  const keys = [...Object.keys(task), ...Object.keys(resources).map((key) => `resources.${key}`)];
  const told = reading.entries.map(({ key }) => key);
  expect(keys.filter((key) => !told.some((one) => one.startsWith(key)))).toEqual([]);
  expect(entry(reading, 'envs.API_KEY')?.outcome).toBe('none');
  expect(JSON.stringify(reading)).not.toContain('planted-variable');
});

test('each file mount is told with what takes its place', () => {
  const reading = readSkyTask(read(wrapperTask));
  const mount = (target: string): Entry | undefined => entry(reading, `file_mounts./tmp/deploy/${target}`);
  expect(mount('etc/bacalhau/orchestrator_token')?.to).toBe('skyfleet:orchestratorToken');
  expect(mount('etc/bacalhau/orchestrator_endpoint')?.to).toBe('skyfleet:orchestrator.endpoints');
  expect(mount('opt/sensor/docker-compose.yml')).toMatchObject({
    outcome: 'none',
    why: containing('compose files'),
  });
  expect(mount('etc/aws/credentials')).toMatchObject({ outcome: 'none', why: containing('role') });
});

test('nodes are shared out among several regions', () => {
  const listed = { num_nodes: 4, resources: { region: ['us-west-2', 'us-east-1', 'eu-west-1'], cpus: 2 } };
  const sizes = (document: unknown, ...regions: string[]): [string, number][] =>
    readSkyTask(document, regions).fleets.map(({ region, nodes }) => [region, nodes]);
  expect(sizes(listed)).toEqual([
    ['us-west-2', 2],
    ['us-east-1', 1],
    ['eu-west-1', 1],
  ]);
  expect(sizes(read(openTask), 'eu-west-1', 'eu-north-1')).toEqual([
    ['eu-west-1', 3],
    ['eu-north-1', 2],
  ]);
});

test('a size stays one, with its price limit', () => {
  const [fleet] = readSkyTask(read(openTask), ['us-west-2']).fleets;
  expect(fleet?.settings).toEqual({
    cpus: 2,
    memoryGiB: 8,
    spot: false,
    diskSizeGiB: 256,
    maxHourlyUsd: 0.2,
  });
});

test("where nothing is written SkyPilot's defaults hold, and the report says so", () => {
  const reading = readSkyTask({ run: 'true', resources: { region: 'us-west-2' } });
  expect(reading.fleets).toEqual([
    {
      region: 'us-west-2',
      nodes: 1,
      settings: { cpus: 8, memoryGiB: 32, spot: false, diskSizeGiB: 256 },
    },
  ]);
  for (const key of ['instance_type', 'use_spot', 'disk_size']) {
    expect(entry(reading, `resources.${key}`)?.outcome).toBe('changed');
  }
});

test('a type makes a size and a price limit pointless', () => {
  const reading = readSkyTask({
    resources: {
      infra: 'aws/us-west-2',
      instance_type: 'g4dn.xlarge',
      cpus: 4,
      accelerators: 'T4:1',
      max_hourly_cost: 1,
    },
  });
  expect(reading.fleets[0]?.settings).toMatchObject({ instanceType: 'g4dn.xlarge', accelerators: { T4: 1 } });
  expect(reading.fleets[0]?.settings).not.toHaveProperty('cpus');
  expect(entry(reading, 'resources.cpus')?.outcome).toBe('none');
  expect(entry(reading, 'resources.max_hourly_cost')?.outcome).toBe('none');
});

test.each<[object, string | undefined]>([
  [{ infra: 'aws/us-west-2/us-west-2c' }, 'us-west-2c'],
  [{ infra: 'aws/us-west-2/*' }, undefined],
  [{ zone: 'us-west-2b' }, 'us-west-2b'],
])('the place %j is understood', (resources, zone) => {
  const [fleet] = readSkyTask({ resources }).fleets;
  expect(fleet?.region).toBe('us-west-2');
  expect(fleet?.zone).toBe(zone);
});

test('an image is taken over for its region, where it is an AMI', () => {
  const images = (image_id: unknown): unknown[] =>
    readSkyTask({ resources: { region: ['us-west-2', 'eu-west-1'], image_id } }).fleets.map(
      ({ settings }) => settings.imageId,
    );
  expect(images({ 'us-west-2': 'ami-01234567' })).toEqual(['ami-01234567', undefined]);
  expect(images('docker:ubuntu:24.04')).toEqual([undefined, undefined]);
});

test('unknown keys are listed', () => {
  const { entries } = readSkyTask({ colour: 'blue', resources: { region: 'us-west-2', shape: 'round' } });
  const unknown = entries.filter(({ outcome }) => outcome === 'unknown').map(({ key }) => key);
  expect(unknown).toEqual(['colour', 'resources.shape']);
});

test('all problems are told at once', () => {
  const resources = {
    cloud: 'gcp',
    instance_type: 'big',
    disk_size: 'some',
    use_spot: 'yes',
    accelerators: { T4: 1, A10G: 1 },
  };
  expect(problemsOf({ num_nodes: 0, resources })).toEqual([
    'num_nodes must be 1 or more; raise it',
    containing('resources.cloud must be aws'),
    containing('resources.instance_type must be an EC2 instance type'),
    containing('resources.accelerators must name one kind'),
    containing('resources.use_spot must be true or false'),
    containing('resources.disk_size must be an amount'),
  ]);
});

test.each<[string, object, string[], string]>([
  ['no region', { infra: 'aws' }, [], 'resources names no region'],
  ['a misspelt region', { infra: 'aws/us-west' }, [], 'resources.region must be a region'],
  ['a misspelt region of the user', { infra: 'aws' }, ['uswest2'], '--region must be a region'],
  [
    'a zone of another region',
    { region: 'us-west-2', zone: 'us-east-1a' },
    [],
    'resources.zone must be a zone of us-west-2',
  ],
])('%s is refused', (_, resources, regions, message) => {
  expect(problemsOf({ resources }, ...regions)).toEqual([containing(message)]);
});

test('two numbers of nodes that differ are refused', () => {
  expect(problemsOf({ num_nodes: 2, resources: { region: 'us-west-2', num_nodes: 3 } })).toEqual([
    containing('num_nodes must be what resources.num_nodes says'),
  ]);
});

test.each([
  [4, { value: 4, atLeast: false }],
  ['4+', { value: 4, atLeast: true }],
  ['7.5', { value: 8, atLeast: false }],
  ['16GB+', { value: 16, atLeast: true }],
  ['1TB', { value: 1024, atLeast: false }],
  ['2x', undefined],
  ['0', undefined],
])('the amount %s is understood', (text, quantity) => {
  expect(parseQuantity(text)).toEqual(quantity);
});

test.each<[Parameters<typeof parseAccelerator>[0], Record<string, number> | undefined]>([
  ['T4', { T4: 1 }],
  ['T4:2', { T4: 2 }],
  [{ T4: 2 }, { T4: 2 }],
  [{ T4: null }, { T4: 1 }],
  ['T4:', undefined],
  [{}, undefined],
  [{ T4: 1, A10G: 1 }, undefined],
])('the accelerator %j is understood', (written, accelerators) => {
  expect(parseAccelerator(written)).toEqual(accelerators);
});
