import {
  changeClasses,
  changedInputs,
  classesOf,
  fleetInputs,
  hardest,
  inputClasses,
  type ChangeClass,
} from '../../../config/change-classes';
import { changeReference } from '../../../config/document';
import { configSchema, type FleetConfig } from '../../../config/schema';
import { good } from './good';
import { walk } from './schema-walk';
import * as fs from 'node:fs';
import * as path from 'node:path';

const zones = ['us-west-2a'];

/** Inputs of a fleet that are no keys below `skyfleet:` of the schema. */
const besideTheSchema = ['aws:region', 'files', 'orchestratorToken', 'skypilotToken', 'orchestratorApiToken'];

/** A key of the schema without what stands for the inside of a map. */
const keysOf = (place: string): string => place.replace(/(\{\}|\{key\}|\[\])+$/, '');

/** The entries of the table that speak of a key: its own, or that of a key above it. */
function entriesFor(key: string): string[] {
  return Object.keys(inputClasses).filter(
    (input) => key === input || key.startsWith(`${input}.`) || key.startsWith(`${input}[`),
  );
}

const places = walk(configSchema).places.map(({ path: place }) => keysOf(place));
const leaves = [...new Set(places)].filter(
  (place) =>
    place !== '' && !places.some((other) => other.startsWith(`${place}.`) || other.startsWith(`${place}[].`)),
);

test.each(leaves)('%s has exactly one entry in the table', (key) => {
  expect(entriesFor(key)).toHaveLength(1);
});

test('the table speaks of nothing that is no input', () => {
  const unknown = Object.keys(inputClasses).filter(
    (input) => !places.includes(input) && !besideTheSchema.includes(input),
  );
  expect(unknown).toEqual([]);
});

/** For each input, values whose change has the class; the nodes are a cluster unless they are said to be a managed job. */
const examples: [input: string, from: unknown, to: unknown, expected: ChangeClass, kind?: 'managed'][] = [
  ['aws:region', 'us-west-2', 'us-east-1', 'replace'],
  ['files', { 'a.sh': '1' }, { 'a.sh': '2' }, 'refresh'],
  ['orchestratorToken', undefined, 'x', 'refresh'],
  ['network.cidr', '10.0.0.0/16', '10.1.0.0/16', 'replace'],
  ['network.nat', 'none', 'single', 'replace'],
  ['network.nat', 'zonal', 'none', 'replace'],
  ['network.nat', 'single', 'zonal', 'none'],
  ['access.ssm', undefined, true, 'refresh'],
  ['access.ssm', undefined, true, 'replace', 'managed'],
  ['access.proxy', undefined, { command: 'ssh' }, 'refresh'],
  ['access.proxy', undefined, { command: 'ssh' }, 'replace', 'managed'],
  ['fleets[].nodesPerCluster', 1, 2, 'scale'],
  ['fleets[].nodesPerCluster', 3, 2, 'rebuild-workers'],
  ['fleets[].nodesPerCluster', 1, 2, 'replace', 'managed'],
  ['fleets[].instanceType', 't3.medium', 't3.large', 'replace'],
  ['fleets[].cpus', 2, 4, 'replace'],
  ['fleets[].memoryGiB', 4, 8, 'replace'],
  ['fleets[].architecture', 'x86_64', 'arm64', 'replace'],
  ['fleets[].accelerators', undefined, { T4: 1 }, 'replace'],
  ['fleets[].spot', true, false, 'replace'],
  ['fleets[].zones', ['us-west-2a', 'us-west-2b'], ['us-west-2a'], 'none'],
  ['fleets[].zones', ['us-west-2a', 'us-west-2b'], ['us-west-2b'], 'replace'],
  ['fleets[].diskSizeGiB', 30, 40, 'replace'],
  ['fleets[].imageId', undefined, 'ami-0123456789abcdef0', 'replace'],
  ['fleets[].ordinals', { first: 0, last: 9 }, { first: 10, last: 19 }, 'refresh'],
  ['fleets[].identity', 'place', 'instance', 'refresh'],
  ['fleets[].labels', {}, { a: 'b' }, 'refresh'],
  ['fleets[].tags', {}, { a: 'b' }, 'refresh'],
  ['fleets[].drainMinutes', 0, 5, 'refresh'],
  ['fleets[].recovery', 'up', 'managed', 'replace'],
  ['fleets[].recovery', undefined, 'up', 'none'],
  ['orchestrator.endpoints', ['nats://a:4222'], ['nats://b:4222'], 'refresh'],
  ['orchestrator.tls', undefined, {}, 'refresh'],
  ['bacalhau.image', 'a:1', 'a:2', 'refresh'],
  ['bacalhau.acceptNetworkedJobs', false, true, 'refresh'],
  ['bacalhau.logLevel', 'info', 'debug', 'refresh'],
  ['sensor.image', 'a:1', 'a:2', 'refresh'],
  ['buckets.prefix', 'fleets/', 'other/', 'refresh'],
  ['buckets.endpointUrl', undefined, 'http://s3', 'refresh'],
  ['tags', {}, { team: 'x' }, 'refresh'],
];

test.each(examples)('%s from %j to %j is %s %s', (input, from, to, expected, ...[kind]) => {
  const changes = changedInputs({ [input]: from }, { [input]: to }, { zones, managed: kind === 'managed' });
  expect(changes.map((change) => change.class)).toEqual(expected === 'none' ? [] : [expected]);
  expect(classesOf(inputClasses[input] ?? { class: 'none' })).toContain(expected);
});

test('every input that can change something on a node has an example for each of its classes', () => {
  for (const [input, entry] of Object.entries(inputClasses)) {
    const shown = examples.filter(([example]) => example === input).map(([, , , found]) => found);
    const expected = classesOf(entry).some((one) => one !== 'none') ? classesOf(entry) : [];
    // Which places there are is no change of a place; e2e tests show it.
    if (!['fleets[].name', 'fleets[].clusters'].includes(input))
      expect([input, [...new Set(shown)].sort()]).toEqual([input, [...expected].sort()]);
  }
});

const config = configSchema.parse(good);
const [fleet] = config.fleets as [FleetConfig];
const inputs = fleetInputs(config, 'us-west-2', fleet);

test('the places of a fleet are made from every input that can change something on a node', () => {
  const possible = Object.entries(inputClasses)
    .filter(([, entry]) => classesOf(entry).some((one) => one !== 'none'))
    .map(([input]) => input);
  for (const input of Object.keys(inputs)) expect(possible).toContain(input);
  expect(inputs).toMatchObject({
    'aws:region': 'us-west-2',
    'fleets[].zones': config.network.zones,
    'fleets[].instanceType': fleet.instanceType,
    'bacalhau.logLevel': 'info',
  });
});

test('the number of clusters, what counts at the next launch only, and the order of a map change no place', () => {
  const other = { ...fleet, clusters: 9, onDemandFallback: true, maxHourlyUsd: 1 };
  expect(fleetInputs(config, 'us-west-2', other)).toEqual(inputs);
  const [a, b] = [{ tags: { x: '1', y: '2' } }, { tags: { y: '2', x: '1' } }];
  expect(changedInputs(a, b, { zones, managed: false })).toEqual([]);
});

test('a place is changed in the hardest way that any of its inputs asks for', () => {
  expect(hardest([])).toBe('none');
  expect(hardest(['refresh', 'replace', 'scale'])).toBe('replace');
  expect(changeClasses).toEqual(['none', 'refresh', 'scale', 'rebuild-workers', 'replace']);
});

test('an input that the table does not know is refused', () => {
  expect(() => changedInputs({ unheard: 1 }, { unheard: 2 }, { zones, managed: false })).toThrow(
    'unheard is not in the table',
  );
});

test('docs/changes.md is made from the table', () => {
  const file = path.join(__dirname, '..', '..', '..', 'docs', 'changes.md');
  expect(fs.readFileSync(file, 'utf8')).toBe(changeReference());
});
