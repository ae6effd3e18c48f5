import { parse } from 'yaml';
import { claimsOfStackFile, clashes } from '../../../config/claims';
import { checkConfig } from '../../../config/parse';
import type { Choices } from '../../../migration/choices';
import { readLegacyConfig } from '../../../migration/legacy-config';
import { freeRanges } from '../../../migration/ranges';
import { readSkyTask } from '../../../migration/sky-task';
import { stackFiles } from '../../../migration/stack-files';
import { amauoConfig, openTask, read, spotDeployerConfig, wrapperTask } from './earlier-files';

const choices: Choices = {
  prefix: undefined,
  zones: [],
  sshCidrs: ['203.0.113.10/32'],
  ssm: false,
  sensorImage: 'example.com/sensor:1.2.3',
  endpoints: ['nats://orchestrator.example.com:4222'],
};
const config = readLegacyConfig(read(spotDeployerConfig));
const containing = (text: string): string => expect.stringContaining(text) as string;
const keysOf = (problems: { key: string }[]): string[] => problems.map(({ key }) => key);

/** The values of a stack file as the program reads them. */
function valuesOf(text: string): { region: string; own: Record<string, unknown> } {
  const { config: all } = parse(text) as { config: Record<string, unknown> };
  const { 'aws:region': region, ...others } = all;
  const own = Object.fromEntries(
    Object.entries(others).map(([key, value]) => [key.slice('skyfleet:'.length), value]),
  );
  return { region: region as string, own };
}

test.each([
  ['aws-spot-deployer', config],
  ['amauo', readLegacyConfig(read(amauoConfig))],
  ['the wrapper', readSkyTask(read(wrapperTask))],
  ['a task without a region', readSkyTask(read(openTask), ['us-west-2', 'eu-west-1'])],
  ['a task in one zone', readSkyTask({ resources: { zone: 'us-west-2c', instance_type: 't3.small' } })],
])('the program takes what is made from the configuration of %s', (_, reading) => {
  const { stacks, problems } = stackFiles(reading, choices, [], 'config.yaml');
  expect(problems).toEqual([]);
  expect(stacks.length).toBeGreaterThan(0);
  for (const { text } of stacks) {
    const { region, own } = valuesOf(text);
    const surroundings = { region, skypilotToken: false, orchestratorApiToken: false };
    expect(checkConfig(own, surroundings).problems).toEqual([]);
  }
  expect(clashes(stacks.flatMap(({ stack, text }) => claimsOfStackFile(stack, text)))).toEqual([]);
});

test('a stack and its fleet are called after the region, with a prefix where one is wanted', () => {
  const names = (prefix: string | undefined): unknown[] =>
    stackFiles(config, { ...choices, prefix }, [], '').stacks.map(({ stack, text }) => [
      stack,
      (valuesOf(text).own['fleets'] as { name: string }[])[0]?.name,
    ]);
  expect(names(undefined)[0]).toEqual(['us-west-2', 'us-west-2']);
  expect(names('moved')[0]).toEqual(['moved-us-west-2', 'moved-us-west-2']);
});

test('zones are those of the user, or a guess that the report tells', () => {
  const { stacks, entries } = stackFiles(config, { ...choices, zones: ['us-west-2b', 'us-west-2d'] }, [], '');
  const zones = stacks.map(({ text }) => (valuesOf(text).own['network'] as { zones: string[] }).zones);
  expect(zones.slice(0, 2)).toEqual([
    ['us-west-2b', 'us-west-2d'],
    ['us-east-1a', 'us-east-1b'],
  ]);
  expect(entries.map(({ key }) => key)).not.toContain('zones of us-west-2');
  expect(entries.find(({ key }) => key === 'zones of us-east-1')?.why).toContain('--zone names them');
});

test('a fleet that was held to a zone stays there, in a network of two', () => {
  const task = readSkyTask({ resources: { zone: 'us-west-2c', instance_type: 't3.small' } });
  const { own } = valuesOf(stackFiles(task, choices, [], '').stacks[0]?.text ?? '');
  expect(own).toMatchObject({
    network: { zones: ['us-west-2c', 'us-west-2a'] },
    fleets: [{ zones: ['us-west-2c'] }],
  });
});

test('nothing that another stack file claims is claimed again', () => {
  const other = claimsOfStackFile(
    'other',
    'config: { skyfleet:network: { cidr: 10.64.0.0/15 }, skyfleet:fleets: [{ ordinals: { first: 9000, last: 10000 } }] }',
  );
  expect(freeRanges(['new', 'newer'], other)).toEqual([
    { cidr: '10.66.0.0/16', ordinals: { first: 20_000, last: 29_999 } },
    { cidr: '10.67.0.0/16', ordinals: { first: 30_000, last: 39_999 } },
  ]);
  const all = { stack: 'other', key: '', kind: 'cidr' as const, range: '10.0.0.0/8' };
  expect(() => freeRanges(['new'], [all])).toThrow('no free VPC range');
});

test('what only the user knows is left open, and no problem of the file', () => {
  const none = { ...choices, sshCidrs: [], sensorImage: undefined, endpoints: [] };
  const { stacks, problems } = stackFiles(config, none, [], '');
  expect(problems).toEqual([]);
  expect(Object.keys(valuesOf(stacks[0]?.text ?? '').own)).toEqual(['network', 'fleets', 'tags']);
});

test('what is wrong with an option is told once, and as the option', () => {
  const wrong = {
    ...choices,
    prefix: 'A',
    sshCidrs: ['0.0.0.0/0'],
    sensorImage: 'sensor:latest',
    zones: ['us-west-2a', 'eu-north-1a'],
  };
  const { problems } = stackFiles(config, wrong, [], '');
  expect(keysOf(problems).filter((key) => !key.startsWith('--prefix'))).toEqual([
    '--zone (skyfleet:network.zones)',
    '--ssh-cidr (skyfleet:access.cidrs[0])',
    '--sensor-image (skyfleet:sensor.image)',
    '--zone',
  ]);
  expect(keysOf(problems)).toContain('--prefix (skyfleet:fleets[0].name)');
});

test('two ways of access are refused', () => {
  const { problems } = stackFiles(config, { ...choices, ssm: true }, [], '');
  expect(problems).toMatchObject([{ message: containing('exactly one of cidrs, ssm and proxy') }]);
});

test('a fleet that is too large for a stack is refused with its stack file', () => {
  const large = readLegacyConfig({ aws: { total_instances: 501 }, regions: [{ 'us-west-2': {} }] });
  const { problems } = stackFiles(large, choices, [], '');
  expect(keysOf(problems)).toEqual(['Pulumi.us-west-2.yaml: skyfleet:fleets[0].clusters']);
});
