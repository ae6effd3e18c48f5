import type { Surroundings } from '../../../config/rules';
import { good, surroundings } from './good';

/** A configuration that a rule refuses. */
export interface BadExample {
  /** What is wrong, in words. */
  says: string;
  config: Record<string, unknown>;
  surroundings: Surroundings;
  /** The key and the beginning of the message. */
  problem: string;
}

const [sensors] = good.fleets;
const unsized = { name: 'sensors', clusters: 1, ordinals: { first: 0, last: 99 } };

/** An example that changes one section of the good configuration. */
const example = (
  says: string,
  change: Record<string, unknown>,
  problem: string,
  around: Partial<Surroundings> = {},
): BadExample => ({
  says,
  config: { ...good, ...change },
  surroundings: { ...surroundings, ...around },
  problem: problem.startsWith('aws:') ? problem : `skyfleet:${problem}`,
});
const network = (says: string, change: object, problem: string): BadExample =>
  example(says, { network: { ...good.network, ...change } }, `network.${problem}`);
const fleet = (says: string, change: object, problem: string): BadExample =>
  example(says, { fleets: [{ ...sensors, ...change }] }, `fleets[0].${problem}`);
const machine = (says: string, change: object, problem: string): BadExample =>
  example(says, { fleets: [{ ...unsized, ...change }] }, `fleets[0].${problem}`);
const section = (key: string) => (says: string, value: object, problem: string) =>
  example(says, { [key]: value }, `${key}.${problem}`);
const [access, orchestrator, buckets, governance, timeouts] = [
  section('access'),
  section('orchestrator'),
  section('buckets'),
  section('governance'),
  section('timeouts'),
];

const zones = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i'].map((letter) => `us-west-2${letter}`);
const proxy = { command: 'ssh -W %h:%p user@bastion', cidrs: ['10.0.0.0/28'] };

/** One or more for each rule of the configuration; a test finds out whether one has none. */
export const badExamples: BadExample[] = [
  network('a CIDR that is none', { cidr: '10.42.0.0' }, 'cidr: must be an IPv4 CIDR block'),
  network(
    'a CIDR with bits behind its prefix',
    { cidr: '10.42.7.0/16' },
    'cidr: has bits set behind its prefix; write 10.42.0.0/16',
  ),
  network('a VPC that is too large', { cidr: '10.0.0.0/8' }, 'cidr: must be a /16 to /25'),
  network('a VPC that is too small', { cidr: '10.42.0.0/26' }, 'cidr: must be a /16 to /25'),
  network(
    'a VPC too small for NAT',
    { cidr: '10.42.0.0/24', nat: 'single' },
    'cidr: must be a /16 to /22 with NAT gateways',
  ),
  network('a zone that is none', { zones: ['us-west-2', 'us-west-2b'] }, 'zones[0]: must be a zone'),
  network('a single zone', { zones: ['us-west-2a'] }, 'zones: must name two zones or more'),
  network('a zone named twice', { zones: ['us-west-2a', 'us-west-2a'] }, 'zones[1]: is named twice'),
  network('too many zones', { zones }, 'zones: must not name more than 8 zones'),
  network(
    'too many zones beside NAT gateways',
    { zones: zones.slice(0, 8), nat: 'zonal' },
    'zones: must not name more than 7 zones with NAT gateways',
  ),
  network(
    'a zone of another region',
    { zones: ['us-west-2a', 'us-east-1a'] },
    'zones[1]: must be a zone of aws:region us-west-2',
  ),

  example('no way of access', { access: {} }, 'access: must have exactly one of cidrs, ssm and proxy'),
  example(
    'two ways of access',
    { access: { ssm: true, proxy } },
    'access: must have exactly one of cidrs, ssm and proxy',
  ),
  access('no address range', { cidrs: [] }, 'cidrs: must name at least one address range'),
  access('an address range that is none', { cidrs: ['office'] }, 'cidrs[0]: must be an IPv4 CIDR block'),
  access('world-open access', { cidrs: ['0.0.0.0/0'] }, 'cidrs[0]: must not be open to the world'),
  access(
    'a proxy without the host',
    { proxy: { ...proxy, command: 'ssh -W bastion' } },
    'proxy.command: must be an OpenSSH ProxyCommand with %h and %p',
  ),

  example('no fleet', { fleets: [] }, 'fleets: must name at least one fleet'),
  example(
    'two fleets of one name',
    { fleets: [sensors, { ...sensors, ordinals: { first: 100, last: 199 } }] },
    'fleets[1].name: must be unique in the stack',
  ),
  fleet('a fleet name in capitals', { name: 'Sensors' }, 'name: must be lower-case letters'),
  fleet('a long fleet name', { name: 'a'.repeat(25) }, 'name: must be 24 characters at most'),
  fleet('no cluster', { clusters: 0 }, 'clusters: must be 1 or more'),
  fleet('too many clusters', { clusters: 501 }, 'clusters: must be 500 or less'),
  fleet('half a cluster', { clusters: 1.5 }, 'clusters: must be of type whole number'),
  fleet('no node', { nodesPerCluster: 0 }, 'nodesPerCluster: must be 1 or more'),
  fleet('too many nodes', { nodesPerCluster: 65 }, 'nodesPerCluster: must be 64 or less'),
  fleet('half a node', { nodesPerCluster: 0.5 }, 'nodesPerCluster: must be of type whole number'),
  fleet('an instance type that is none', { instanceType: 'medium' }, 'instanceType: must be an EC2'),
  machine('no machine', {}, 'instanceType: is missing; name an instance type, or what a node needs'),
  fleet('two machines', { cpus: 4 }, 'instanceType: must not stand beside cpus'),
  fleet(
    'another type that is none',
    { fallbackInstanceTypes: ['medium'] },
    'fallbackInstanceTypes[0]: must be an EC2 instance type',
  ),
  fleet(
    'no other type',
    { fallbackInstanceTypes: [] },
    'fallbackInstanceTypes: must name at least one type; leave it out for none',
  ),
  machine(
    'other types without a first',
    { cpus: 2, fallbackInstanceTypes: ['t3.large'] },
    'fallbackInstanceTypes: needs instanceType, the type to try first',
  ),
  fleet(
    'the same type again',
    { fallbackInstanceTypes: ['t3.large', 't3.medium'] },
    'fallbackInstanceTypes: must name each type once, t3.medium is there twice',
  ),
  fleet(
    'types of two processors',
    { fallbackInstanceTypes: ['t3.large', 't4g.medium'] },
    'fallbackInstanceTypes: must be of one processor: t3.medium is x86_64, t4g.medium is arm64',
  ),
  machine('no vCPU', { cpus: 0 }, 'cpus: must be 1 or more'),
  machine('too many vCPUs', { cpus: 449 }, 'cpus: must be 448 or less'),
  machine('half a vCPU', { cpus: 0.5 }, 'cpus: must be of type whole number'),
  machine('no memory', { memoryGiB: 0 }, 'memoryGiB: must be 1 or more'),
  machine('too much memory', { memoryGiB: 24_577 }, 'memoryGiB: must be 24576 or less'),
  machine('half a GiB', { memoryGiB: 0.5 }, 'memoryGiB: must be of type whole number'),
  machine('arm64 of no size', { cpus: 2, architecture: 'arm64' }, 'architecture: needs cpus and memoryGiB'),
  machine(
    'arm64 with an accelerator',
    { cpus: 2, memoryGiB: 4, architecture: 'arm64', accelerators: { T4: 1 } },
    'architecture: needs cpus and memoryGiB, without accelerators',
  ),
  machine(
    'arm64 larger than there is',
    { cpus: 65, memoryGiB: 4, architecture: 'arm64' },
    'architecture: needs 64 vCPUs and 512 GiB at most',
  ),
  machine(
    'two kinds of accelerators',
    { accelerators: { T4: 1, V100: 1 } },
    'accelerators: must name exactly',
  ),
  machine(
    'an accelerator that is none',
    { accelerators: { '4T': 1 } },
    "accelerators.4T: key must be SkyPilot's",
  ),
  machine('no accelerator', { accelerators: { T4: 0 } }, 'accelerators.T4: must be 1 or more'),
  machine('too many accelerators', { accelerators: { T4: 17 } }, 'accelerators.T4: must be 16 or less'),
  machine('half an accelerator', { accelerators: { T4: 0.5 } }, 'accelerators.T4: must be of type whole'),
  fleet(
    'on-demand that falls back to on-demand',
    { spot: false, onDemandFallback: true },
    'onDemandFallback: must not be true without spot',
  ),
  machine('a price of nothing', { cpus: 2, maxHourlyUsd: 0 }, 'maxHourlyUsd: must be more than 0'),
  machine('a price without sense', { cpus: 2, maxHourlyUsd: 1001 }, 'maxHourlyUsd: must be 1000 or less'),
  fleet(
    'a price limit of a named type',
    { maxHourlyUsd: 0.1 },
    'maxHourlyUsd: needs a machine that SkyPilot',
  ),
  fleet('no zone of its own', { zones: [] }, 'zones: must name at least one zone'),
  fleet(
    'a zone without a subnet',
    { zones: ['us-west-2c'] },
    'zones[0]: must be one of skyfleet:network.zones',
  ),
  fleet('a small disk', { diskSizeGiB: 7 }, 'diskSizeGiB: must be 8 or more'),
  fleet('a huge disk', { diskSizeGiB: 16_385 }, 'diskSizeGiB: must be 16384 or less'),
  fleet('half a GiB of disk', { diskSizeGiB: 8.5 }, 'diskSizeGiB: must be of type whole number'),
  fleet('another strategy', { strategy: 'both' }, 'strategy: must be one of "create-first", "delete-first"'),
  fleet('a negative time to drain', { drainMinutes: -1 }, 'drainMinutes: must be 0 or more'),
  fleet('a day and more to drain', { drainMinutes: 1441 }, 'drainMinutes: must be 1440 or less'),
  fleet('half a minute to drain', { drainMinutes: 0.5 }, 'drainMinutes: must be of type whole number'),
  fleet('an AMI id that is none', { imageId: 'ubuntu' }, 'imageId: must be an AMI id'),
  fleet('a negative ordinal', { ordinals: { first: -1, last: 9 } }, 'ordinals.first: must be 0 or more'),
  fleet(
    'a first ordinal too large',
    { ordinals: { first: 1e6, last: 9 } },
    'ordinals.first: must be 999999 or less',
  ),
  fleet(
    'half a first ordinal',
    { ordinals: { first: 0.5, last: 9 } },
    'ordinals.first: must be of type whole',
  ),
  fleet('a negative last ordinal', { ordinals: { first: 0, last: -1 } }, 'ordinals.last: must be 0 or more'),
  fleet(
    'a last ordinal too large',
    { ordinals: { first: 0, last: 1e6 } },
    'ordinals.last: must be 999999 or less',
  ),
  fleet('half a last ordinal', { ordinals: { first: 0, last: 9.5 } }, 'ordinals.last: must be of type whole'),
  fleet(
    'ordinals in the wrong order',
    { ordinals: { first: 5, last: 4 } },
    'ordinals: last must not be below first',
  ),
  fleet(
    'more nodes than ordinals',
    { clusters: 2, nodesPerCluster: 3, ordinals: { first: 0, last: 4 } },
    'ordinals: must hold 6 ordinals (clusters × nodesPerCluster), holds 5; raise last',
  ),
  fleet(
    'a label key that Bacalhau does not take',
    { labels: { 'team.name': 'x' } },
    'labels.team.name: key must be a label key',
  ),
  fleet('a label that is set anyway', { labels: { zone: 'x' } }, 'labels.zone: key is set by Skyfleet'),
  fleet('a label value that is none', { labels: { team: 'a b' } }, 'labels.team: must be a label value'),

  example(
    'a tag key of our own',
    { tags: { 'skyfleet-place': 'x' } },
    'tags.skyfleet-place: key must be a tag key',
  ),
  example('a tag value with a space', { tags: { team: 'a b' } }, 'tags.team: must be a tag value'),

  orchestrator('no orchestrator', { endpoints: [] }, 'endpoints: must name at least one orchestrator'),
  orchestrator('an orchestrator by http', { endpoints: ['http://o:4222'] }, 'endpoints[0]: must be nats://'),
  orchestrator(
    'a CA that is no certificate',
    { endpoints: ['nats://o:4222'], tls: { caCert: '/etc/ca.pem' } },
    'tls.caCert: must be the PEM text',
  ),
  orchestrator(
    'an API by nats',
    { endpoints: ['nats://o:4222'], api: 'nats://o:4222' },
    'api: must be an http or https address',
  ),
  example(
    "the token of the orchestrator's API in plain text",
    { orchestrator: { endpoints: ['nats://o:4222'], api: 'http://o.example.com:1234' } },
    'orchestrator.api: must be https, because skyfleet:orchestratorApiToken is sent to it',
    { orchestratorApiToken: true },
  ),
  example(
    "the token of an orchestrator's API that is not named",
    {},
    'orchestrator.api: is missing, and skyfleet:orchestratorApiToken is for it alone',
    { orchestratorApiToken: true },
  ),
  example(
    'an unpinned image',
    { sensor: { image: 'example.com/s:latest' } },
    'sensor.image: must name a version',
  ),
  example(
    'an image without a tag',
    { sensor: { image: 'localhost:5000/s' } },
    'sensor.image: must name a version',
  ),

  buckets('a prefix that is no folder', { prefix: 'fleets' }, 'prefix: must be one or more folders'),
  buckets('a long prefix', { prefix: `${'a'.repeat(200)}/` }, 'prefix: must be 200 characters at most'),
  buckets(
    'an endpoint that is none',
    { endpointUrl: 'minio' },
    'endpointUrl: must be an http or https address',
  ),
  ...['dataDays', 'oldVersionDays', 'brokenUploadDays'].flatMap((days) => {
    const most = days === 'brokenUploadDays' ? 365 : 36_500;
    const retention = (value: number, message: string): BadExample =>
      buckets(`${days} of ${value}`, { retention: { [days]: value } }, `retention.${days}: ${message}`);
    return [
      retention(0, 'must be 1 or more'),
      retention(most + 1, `must be ${most} or less`),
      retention(1.5, 'must be of type whole number'),
    ];
  }),

  example(
    'a SkyPilot endpoint that is none',
    { skypilot: { endpoint: 'localhost' } },
    'skypilot.endpoint: must be an http or https address',
  ),
  example(
    "SkyPilot's token in plain text",
    { skypilot: { endpoint: 'http://sky.example.com' } },
    'skypilot.endpoint: must be https, because skyfleet:skypilotToken is sent to it',
    { skypilotToken: true },
  ),

  governance('a region that is none', { regions: ['us-west'] }, 'regions[0]: must be a region'),
  governance('no region', { regions: [] }, 'regions: must name at least one region'),
  example(
    'a region that is not allowed',
    { governance: { regions: ['eu-west-1'] } },
    'aws:region: must be one of skyfleet:governance.regions (eu-west-1)',
  ),
  governance(
    'a required tag that is none',
    { requiredTags: ['aws:x'] },
    'requiredTags[0]: must be a tag key',
  ),
  example(
    'a required tag that is missing',
    { governance: { requiredTags: ['team'] } },
    'fleets[0].tags: must have team',
  ),
  governance(
    'a boundary that is none',
    { permissionsBoundary: 'admin' },
    'permissionsBoundary: must be the ARN',
  ),
  governance('a budget of nothing', { budget: { monthlyUsd: 0 } }, 'budget.monthlyUsd: must be more than 0'),
  governance(
    'a rule that is none',
    { policy: { 'no-such-rule': { severity: 'off', reason: 'because it is there' } } },
    'policy.no-such-rule: is not a known key; remove it or write one of open-to-world',
  ),
  governance(
    'a rule set without saying why',
    { policy: { 'public-bucket': { severity: 'off', reason: 'because' } } },
    'policy.public-bucket.reason: must say why',
  ),

  timeouts('no time', { launchMinutes: 0 }, 'launchMinutes: must be more than 0'),
  timeouts('too much time', { launchMinutes: 241 }, 'launchMinutes: must be 240 or less'),
  example(
    'a stack without its project',
    { shared: { stack: 'prod' } },
    'shared.stack: must be organization/',
  ),
];
