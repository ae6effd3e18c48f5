import { configKey, ConfigError, parseConfig } from '../../../config/parse';

const good = {
  network: { cidr: '10.42.0.0/16', zones: ['us-west-2a'] },
  access: { cidrs: ['203.0.113.10/32'] },
  fleets: [{ name: 'sensors', clusters: 3, instanceType: 't3.medium', ordinals: { first: 0, last: 99 } }],
  orchestrator: { endpoints: ['nats://orchestrator.example.com:4222'] },
  sensor: { image: 'example.com/sensor:1.2.3' },
  skypilot: { endpoint: 'http://127.0.0.1:46580' },
};
const fleet = good.fleets[0];

function problemsOf(change: Record<string, unknown>): string[] {
  try {
    parseConfig({ ...good, ...change });
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ key, message }) => `${key}: ${message}`);
    throw error;
  }
  return [];
}

test('a minimal configuration gets the documented defaults', () => {
  const config = parseConfig(good);
  expect(config.fleets[0]).toMatchObject({
    nodesPerCluster: 1,
    spot: true,
    diskSizeGiB: 30,
    identity: 'place',
    labels: {},
  });
  expect(config.bacalhau).toEqual({
    image: 'ghcr.io/bacalhau-project/bacalhau:v1.9.0',
    acceptNetworkedJobs: false,
    logLevel: 'info',
  });
  expect(config.buckets).toEqual({ forceDestroy: false });
  expect(config.timeouts).toEqual({ launchMinutes: 30, deleteMinutes: 20 });
});

const bad: [string, Record<string, unknown>, string][] = [
  [
    'a label key that Bacalhau does not take',
    { fleets: [{ ...fleet, labels: { 'team.name': 'x' } }] },
    'skyfleet:fleets[0].labels.team.name: key must be a label key',
  ],
  [
    'a label that is set anyway',
    { fleets: [{ ...fleet, labels: { zone: 'x' } }] },
    'skyfleet:fleets[0].labels.zone: key is set by Skyfleet',
  ],
  [
    'a label value that is none',
    { fleets: [{ ...fleet, labels: { team: 'a b' } }] },
    'skyfleet:fleets[0].labels.team: must be a label value',
  ],
  [
    'a tag key of our own',
    { tags: { 'skyfleet-place': 'x' } },
    'skyfleet:tags.skyfleet-place: key must be a tag key',
  ],
  ['a tag value with a space', { tags: { team: 'a b' } }, 'skyfleet:tags.team: must be a tag value'],
  [
    'a missing key',
    { skypilot: undefined },
    'skyfleet:skypilot: is missing; set it to a value of type object',
  ],
  ['an unknown key', { flets: [] }, 'skyfleet:flets: is not a known key; remove it or correct its spelling'],
  [
    'an unknown nested key',
    { fleets: [{ ...fleet, nodes: 3 }] },
    'skyfleet:fleets[0].nodes: is not a known key',
  ],
  [
    'a CIDR that is none',
    { network: { ...good.network, cidr: '10.42.0.0' } },
    'skyfleet:network.cidr: must be an IPv4 CIDR block',
  ],
  [
    'a zone that is none',
    { network: { ...good.network, zones: ['us-west-2'] } },
    'skyfleet:network.zones[0]: must be a zone',
  ],
  [
    'a world-open access',
    { access: { cidrs: ['0.0.0.0/0'] } },
    'skyfleet:access.cidrs[0]: must not be open to the world',
  ],
  [
    'a fleet name in capitals',
    { fleets: [{ ...fleet, name: 'Sensors' }] },
    'skyfleet:fleets[0].name: must be lower-case letters',
  ],
  [
    'true as a number of clusters',
    { fleets: [{ ...fleet, clusters: true }] },
    'skyfleet:fleets[0].clusters: ',
  ],
  ['no cluster', { fleets: [{ ...fleet, clusters: 0 }] }, 'skyfleet:fleets[0].clusters: '],
  [
    'an instance type that is none',
    { fleets: [{ ...fleet, instanceType: 'medium' }] },
    'skyfleet:fleets[0].instanceType: must be an EC2',
  ],
  [
    'an AMI id that is none',
    { fleets: [{ ...fleet, imageId: 'ubuntu' }] },
    'skyfleet:fleets[0].imageId: must be an AMI id',
  ],
  [
    'an unpinned image',
    { sensor: { image: 'example.com/sensor:latest' } },
    'skyfleet:sensor.image: must name a version',
  ],
  [
    'an image without a tag',
    { sensor: { image: 'localhost:5000/sensor' } },
    'skyfleet:sensor.image: must name a version',
  ],
  [
    'an orchestrator by http',
    { orchestrator: { endpoints: ['http://o:4222'] } },
    'skyfleet:orchestrator.endpoints[0]: must be nats://',
  ],
  [
    'ordinals in the wrong order',
    { fleets: [{ ...fleet, ordinals: { first: 5, last: 4 } }] },
    'skyfleet:fleets[0].ordinals.last: last must not be below first',
  ],
  [
    'more nodes than ordinals',
    { fleets: [{ ...fleet, clusters: 2, nodesPerCluster: 3, ordinals: { first: 0, last: 4 } }] },
    'skyfleet:fleets[0].ordinals: must hold 6 ordinals (clusters × nodesPerCluster), holds 5; raise last',
  ],
  [
    'two fleets of one name',
    { fleets: [fleet, { ...fleet, ordinals: { first: 100, last: 199 } }] },
    'skyfleet:fleets[1].name: must be unique in the stack',
  ],
  [
    'a SkyPilot endpoint that is none',
    { skypilot: { endpoint: 'localhost' } },
    'skyfleet:skypilot.endpoint: must be an http',
  ],
];

test.each(bad)('%s is refused by its key', (_, change, problem) => {
  expect(problemsOf(change)).toContainEqual(expect.stringContaining(problem));
});

test('every problem is named at once, with the value found', () => {
  expect(() =>
    parseConfig({ ...good, sensor: { image: 'x' }, fleets: [{ ...fleet, clusters: -1 }] }),
  ).toThrow(
    /has 2 problems:\n {2}skyfleet:fleets\[0\]\.clusters is -1: [^\n]+\n {2}skyfleet:sensor\.image is "x": /,
  );
});

test('a key is written as in the stack file', () => {
  expect(configKey(['fleets', 0, 'ordinals', 'last'])).toBe('skyfleet:fleets[0].ordinals.last');
});
