import { besideRepairs } from '../../../cli/commands/repair';
import { costSoFar } from '../../../cli/commands/cost';
import { reportsNamed, type NodeHealth } from '../../../cli/commands/health';
import { destructionOf, destructionText } from '../../../cli/destruction';
import { failingChecks, parseHealthReport } from '../../../cli/fleet/health-reports';
import { ageText, tableText } from '../../../cli/output';
import type { StackReview } from '../../../review/model';

const review = (operations: Partial<StackReview['operations'][number]>[], resources: unknown[] = []) =>
  ({ stack: 'dev', operations, resources }) as unknown as StackReview;
const repair = { kind: 'repair' as const, reason: 's-0-n0 is gone', places: ['s-0'] };

test('repairing does nothing but repair', () => {
  expect(besideRepairs(review([repair]))).toBeUndefined();
  expect(
    besideRepairs(
      review(
        [repair, { kind: 'scale', reason: '1 node', places: ['s-1'] }],
        [{ op: 'update', type: 'aws:ec2/vpc:Vpc', name: 'vpc', properties: [] }],
      ),
    ),
  ).toBe(
    'there is more to do than to repair, and nothing was done; npx skyfleet create --stack dev does all of it:\n' +
      '  s-1: scale: 1 node\n  update aws:ec2/vpc:Vpc vpc',
  );
});

test('what machines have cost is summed up over clusters that are there and that were', () => {
  const cluster = { name: 's-0-aaaa', user_hash: 'u', duration: 7200, num_nodes: 2, total_cost: 0.5 };
  expect(costSoFar([cluster, { ...cluster, name: 's-0-bbbb', num_nodes: 1, total_cost: 0.25 }], 30)).toEqual({
    machinesUsd: 0.75,
    machineHours: 6,
    clusters: 2,
    days: 30,
  });
});

describe('a health report', () => {
  const report = {
    healthy: false,
    time: '2026-11-30T00:58:00+00:00',
    place: 's-0',
    nodeName: 's-0-n0',
    instanceId: 'i-0',
    sensorId: 'SENSOR_0',
    interruption: null,
    checks: [
      { name: 'disk', ok: false, detail: '0.1 GiB free', values: {} },
      { name: 'memory', ok: true, detail: 'enough' },
    ],
  };

  test('is read, with what fails in words', () => {
    expect(failingChecks(parseHealthReport(JSON.stringify(report), 'x'))).toEqual(['disk: 0.1 GiB free']);
  });

  test.each<[string, string, string]>([
    ['no JSON', '<html>', 's3://b/health/n.json is no JSON'],
    ['another JSON', '{"healthy": "yes"}', 's3://b/health/n.json is no health report'],
  ])('is refused where it is %s', (_, text, message) => {
    expect(() => parseHealthReport(text, 's3://b/health/n.json')).toThrow(message);
  });

  test('is found by any name of its node', () => {
    const reports = [
      { ...report, stack: 'dev', gone: false },
      {
        ...report,
        stack: 'dev',
        gone: true,
        nodeName: 's-1-n0',
        place: 's-1',
        sensorId: 'SENSOR_1',
        instanceId: 'i-1',
      },
    ] as NodeHealth[];
    for (const name of ['s-1', 's-1-n0', 'SENSOR_1', 'i-1'])
      expect(reportsNamed(reports, [name]).map(({ nodeName }) => nodeName)).toEqual(['s-1-n0']);
    expect(reportsNamed(reports, [])).toHaveLength(2);
    expect(() => reportsNamed(reports, ['mars'])).toThrow(
      'there is no report of mars; there are reports of:\n  s-0-n0 · SENSOR_0\n  s-1-n0 · SENSOR_1',
    );
  });
});

test('what a destroy comes to is read from what is recorded', () => {
  const cluster = 'urn:pulumi:dev::skyfleet::skyfleet:sky:SkyCluster$command:local:Command';
  const submission = JSON.stringify({ incarnation: 's-0-aaaa', requestId: 'r', retiring: [], generation: 1 });
  const ready = JSON.stringify({ incarnation: 's-0-aaaa', nodes: [{ nodeName: 's-0-n0' }], tags: [] });
  const commandOf = (name: string, environment: object, stdout: string) => ({
    urn: `${cluster}::${name}`,
    type: 'command:local:Command',
    custom: true,
    inputs: { environment },
    outputs: { stdout },
  });
  const exported = JSON.stringify({
    deployment: {
      resources: [
        { urn: 'urn:x::pulumi:pulumi:Stack::s', type: 'pulumi:pulumi:Stack', custom: false },
        { urn: 'urn:x::pulumi:providers:aws::default', type: 'pulumi:providers:aws', custom: true },
        {
          urn: 'urn:x::aws:s3/bucket:Bucket::data',
          type: 'aws:s3/bucket:Bucket',
          custom: true,
          retainOnDelete: true,
        },
        commandOf('s-0-submit', { SKYFLEET_GENERATION: '1' }, submission),
        commandOf('s-0-wait', { SKYFLEET_SUBMISSION: submission }, ready),
      ],
    },
  });
  const destruction = destructionOf(exported);
  expect(destruction).toEqual({
    places: 1,
    nodes: ['s-0-n0'],
    resources: 2,
    kept: ['aws:s3/bucket:Bucket data'],
  });
  expect(destructionText('dev', destruction)).toBe(
    'dev: 2 resources are deleted; 1 place ends, with 1 node: s-0-n0\n  stays: aws:s3/bucket:Bucket data\n',
  );
});

test('a table has its columns aligned, and nothing behind them', () => {
  expect(
    tableText(
      ['name', 'what'],
      [
        ['a', 'first'],
        ['longer', ''],
      ],
    ),
  ).toBe('NAME    WHAT\na       first\nlonger\n');
});

test.each([
  ['2026-11-30T00:59:30Z', '30 s'],
  ['2026-11-30T00:50:00Z', '10 min'],
  ['2026-11-29T12:00:00Z', '13 h'],
  ['2026-11-20T00:00:00Z', '10 d'],
  ['2026-11-30T01:00:05Z', '0 s'],
  [undefined, ''],
])('the age since %s is %s', (since, age) => {
  expect(ageText(since, Date.parse('2026-11-30T01:00:00Z'))).toBe(age);
});
