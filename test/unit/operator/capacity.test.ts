import * as fs from 'node:fs';
import * as path from 'node:path';
import { attemptsIn, capacityFailure } from '../../../deployment/operator/capacity';

/** What SkyPilot 0.14.1 printed for a launch, recorded on a rig and shortened. */
const recorded = (name: string): string =>
  fs.readFileSync(path.join(__dirname, 'skypilot-logs', `${name}.txt`), 'utf8');

test('what was tried is read from the log of the launch, in order', () => {
  const reason = 'InsufficientInstanceCapacity';
  expect(attemptsIn(recorded('no-capacity'))).toEqual([
    { zone: 'us-west-2a', instanceType: 't3.medium', market: 'spot', hourlyUsd: 0.02, reason },
    { zone: 'us-west-2b', instanceType: 't3.medium', market: 'spot', hourlyUsd: 0.02, reason },
    { zone: 'us-west-2b', instanceType: 't3.large', market: 'spot', hourlyUsd: 0.03, reason },
    { zone: 'us-west-2a', instanceType: 't3.medium', market: 'on-demand', hourlyUsd: 0.05, reason },
  ]);
});

describe('the message of a launch that failed', () => {
  test('lists what was tried with prices and reasons, and says what else may be permitted', () => {
    const log = recorded('no-capacity');
    const spotOnly = log.slice(0, log.lastIndexOf('Considered resources'));
    expect(capacityFailure('ResourcesUnavailableError', spotOnly)).toBe(
      [
        'AWS had no machine for it. What was tried, in this order, with the price of one node:',
        '  us-west-2a t3.medium spot $0.02/h: InsufficientInstanceCapacity',
        '  us-west-2b t3.medium spot $0.02/h: InsufficientInstanceCapacity',
        '  us-west-2b t3.large spot $0.03/h: InsufficientInstanceCapacity',
        'Permit more: another zone (skyfleet:network.zones, and zones of the fleet where it names them); ' +
          'other types (fallbackInstanceTypes of the fleet); on-demand as the last resort (onDemandFallback: true); ' +
          'or wait, and run pulumi up again',
      ].join('\n'),
    );
    const all = capacityFailure('ResourcesUnavailableError', log);
    expect(all).toContain('  us-west-2a t3.medium on-demand $0.05/h: InsufficientInstanceCapacity\n');
    expect(all).not.toContain('onDemandFallback');
  });

  test('names zone and reason where a cluster that is there was to be completed', () => {
    const message = capacityFailure('ResourcesUnavailableError', recorded('no-capacity-for-a-worker'));
    expect(message).toContain(
      '  us-west-2a the type that the cluster has, price unknown: InsufficientInstanceCapacity\n' +
        'SkyPilot completes a cluster that is there with the same type in the same zone only, and stops its nodes',
    );
  });

  test('is left to SkyPilot where another zone, type or market would not help', () => {
    const log = recorded('no-capacity');
    const refused = log.replaceAll('InsufficientInstanceCapacity', 'UnauthorizedOperation');
    expect(capacityFailure('ResourcesUnavailableError', refused)).toBeUndefined();
    expect(capacityFailure('CommandError', log)).toBeUndefined();
    expect(capacityFailure('ResourcesUnavailableError', '')).toBeUndefined();
  });
});

/** The lines of one round of SkyPilot's search, as in the recorded log. */
const round = (nodes: number, cost: string, ...rest: string[]): string =>
  [
    `Considered resources (${nodes} node${nodes === 1 ? '' : 's'}):`,
    ' INFRA              INSTANCE          vCPUs   Mem(GB)   GPUS   COST ($)   CHOSEN   ',
    ` AWS (us-west-2a)   t3.nano[Spot]     2       0.5       -      ${cost}       \u001b[32m   ✔\u001b[0m     `,
    ' AWS (us-west-2b)   t3.nano           2       0.5       -      9.99                ',
    ...rest,
  ].join('\n');
const launching = '⚙︎ Launching on AWS us-west-2\u001b[0m (us-west-2a).';

test('the price is that of one node, also where SkyPilot rounds it to nothing', () => {
  const failed = `${launching}\nAn error occurred (InsufficientInstanceCapacity) when calling the RunInstances operation`;
  expect(attemptsIn(round(4, '0.10', failed))).toMatchObject([{ instanceType: 't3.nano', hourlyUsd: 0.025 }]);
  expect(capacityFailure('ResourcesUnavailableError', round(1, '0.00', failed))).toContain(
    '  us-west-2a t3.nano spot below $0.01/h: Insufficient',
  );
});

test('a quota is a reason, and a higher one a way out', () => {
  const noQuota =
    'sky.exceptions.ResourcesUnavailableError: Found no quota for t3.nano spot instances in region us-west-2 in AWS.';
  const message = capacityFailure('ResourcesUnavailableError', round(1, '0.01', noQuota));
  expect(message).toContain('  us-west-2a t3.nano spot $0.01/h: no quota for it in this region\n');
  expect(message).toContain('a higher quota');
});

test("what AWS gives no code for is told in SkyPilot's words", () => {
  const words = 'AWS handler error: Failed to launch instances. Max attempts exceeded.';
  expect(attemptsIn(round(1, '0.01', launching, words))).toMatchObject([
    { reason: 'Failed to launch instances. Max attempts exceeded.' },
  ]);
  expect(attemptsIn(round(1, '0.01', launching))).toMatchObject([{ reason: 'SkyPilot gives no reason' }]);
});
