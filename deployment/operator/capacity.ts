import { stripVTControlCharacters } from 'node:util';

/** A machine that SkyPilot asked AWS for, and why it got none. */
export interface Attempt {
  zone: string;
  /** Type, market and price are absent where SkyPilot completed a cluster that was there: it names none of them then. */
  instanceType?: string;
  market?: 'spot' | 'on-demand';
  /** US dollars per hour of one node, by the catalog of SkyPilot's server. */
  hourlyUsd?: number;
  /** AWS's error code, or SkyPilot's words where there is none. */
  reason: string;
}

/** A machine that SkyPilot's optimizer has chosen to try next. */
type Choice = Omit<Attempt, 'reason'>;

const noQuota = 'no quota for it in this region';

/**
 * Why AWS gives no machine where another zone, type or market may: its error codes
 * (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
 */
const capacityReasons = new Set([
  'InsufficientCapacity',
  'InsufficientFreeAddressesInSubnet',
  'InsufficientHostCapacity',
  'InsufficientInstanceCapacity',
  'InstanceLimitExceeded',
  'MaxSpotInstanceCountExceeded',
  'SpotMaxPriceTooLow',
  'UnfulfillableCapacity',
  'Unsupported',
  'VcpuLimitExceeded',
  noQuota,
]);

/** Lines of SkyPilot's log of a launch (0.14.1: `sky/optimizer.py`, `sky/backends/cloud_vm_ray_backend.py`). */
const lines = {
  /** Head of the optimizer's table; its costs are of all nodes together. */
  table: /^Considered resources .*\((\d+) nodes?\):/,
  chosen: /^\s*AWS \(([^)]+)\)\s+([a-z][\w-]*\.[\w-]+)(\[Spot\])?\s.*\s(\d+\.\d+)\s+✔/,
  launching: /Launching\b.* on AWS \S+ \(([^)]+)\)/,
  awsError: /An error occurred \((\w[\w.]*)\) when calling the \w+ operation/,
  noQuota: /Found no quota for /,
  otherError: /AWS handler error: (.*)/,
};

/** What SkyPilot tried, in order, by its log of a launch that failed. */
export function attemptsIn(log: string): Attempt[] {
  const attempts: Attempt[] = [];
  let nodes = 1;
  let chosen: Choice | undefined;
  let current: Attempt | undefined;
  const begin = (choice: Choice): Attempt => {
    const attempt = { ...choice, reason: '' };
    attempts.push(attempt);
    return attempt;
  };
  for (const line of stripVTControlCharacters(log).split(/\r?\n/)) {
    const [, tableNodes] = lines.table.exec(line) ?? [];
    const [, place, type, spot, cost] = lines.chosen.exec(line) ?? [];
    const [, zone] = lines.launching.exec(line) ?? [];
    const [, code] = lines.awsError.exec(line) ?? [];
    const [, words] = lines.otherError.exec(line) ?? [];
    if (tableNodes !== undefined) [nodes, chosen, current] = [Number(tableNodes), undefined, undefined];
    else if (place !== undefined)
      chosen = {
        zone: place,
        instanceType: type,
        market: spot === undefined ? 'on-demand' : 'spot',
        hourlyUsd: Number(cost) / nodes,
      };
    else if (zone !== undefined) {
      current = begin({ ...chosen, zone });
      chosen = undefined;
    } else if (lines.noQuota.test(line) && chosen !== undefined) {
      begin(chosen).reason = noQuota;
      chosen = undefined;
    } else if (current !== undefined && code !== undefined) current.reason = code;
    else if (current?.reason === '' && words !== undefined) current.reason = words;
  }
  return attempts.map((attempt) => ({ ...attempt, reason: attempt.reason || 'SkyPilot gives no reason' }));
}

/** The price of one node as SkyPilot prints it: to the cent. */
function price(hourlyUsd: number | undefined): string {
  if (hourlyUsd === undefined) return 'price unknown';
  return hourlyUsd < 0.005 ? 'below $0.01/h' : `$${hourlyUsd.toFixed(2)}/h`;
}

function attemptLine({ zone, instanceType, market, hourlyUsd, reason }: Attempt): string {
  const machine = instanceType === undefined ? ['the type that the cluster has,'] : [instanceType, market];
  return `  ${[zone, ...machine, price(hourlyUsd)].join(' ')}: ${reason}`;
}

/** What to do about machines that are not to be had: whatever the fleet has not permitted yet comes first. */
function nextStep(attempts: readonly Attempt[]): string {
  if (attempts.some(({ instanceType }) => instanceType === undefined))
    return (
      'SkyPilot completes a cluster that is there with the same type in the same zone only, and stops its nodes where it cannot. ' +
      'Wait, and run pulumi up again'
    );
  const onDemand = attempts.some(({ market }) => market === 'on-demand');
  const quota = attempts.some(
    ({ reason }) => reason === noQuota || /LimitExceeded|CountExceeded/.test(reason),
  );
  const more = [
    'another zone (skyfleet:network.zones, and zones of the fleet where it names them)',
    'other types (fallbackInstanceTypes of the fleet)',
    ...(onDemand ? [] : ['on-demand as the last resort (onDemandFallback: true)']),
    ...(quota ? ['a higher quota (aws service-quotas request-service-quota-increase)'] : []),
  ];
  return `Permit more: ${more.join('; ')}; or wait, and run pulumi up again`;
}

/**
 * The message of a launch that failed because AWS had no machine for it: what was tried, at what price, and what to do.
 * Undefined where it failed for another reason, which says what SkyPilot said.
 *
 * @param type SkyPilot's exception class.
 * @param log what SkyPilot has printed for the launch.
 */
export function capacityFailure(type: string, log: string): string | undefined {
  if (type !== 'ResourcesUnavailableError') return undefined;
  const attempts = attemptsIn(log);
  if (!attempts.some(({ reason }) => capacityReasons.has(reason))) return undefined;
  return (
    'AWS had no machine for it. What was tried, in this order, with the price of one node:\n' +
    `${attempts.map(attemptLine).join('\n')}\n${nextStep(attempts)}`
  );
}
