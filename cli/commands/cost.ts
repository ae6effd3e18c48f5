import type { StackReview } from '../../review/model';
import { reviewerOf, type ReviewSettings } from '../../review/run';
import type { CostReport } from '../../deployment/operator/skypilot';
import { exitCodes } from '../exit-codes';
import { readFleet } from '../fleet/fleet';
import { jsonText, tableText } from '../output';
import { concluded, sideBySide, valuesOf } from '../side-by-side';
import { whileSpinning } from '../spinner';
import { stacksOf, type StackChoice } from '../stacks';

export interface CostOptions extends StackChoice, ReviewSettings {
  /** Days to look back for what the machines have cost so far. */
  days: number;
  json: boolean;
}

/** What the machines of a stack have cost, by SkyPilot's record of when they were up. */
export interface CostSoFar {
  /** US dollars. */
  machinesUsd: number;
  /** Hours of all machines together. */
  machineHours: number;
  /** Clusters that were up in that time, also those that have ended. */
  clusters: number;
  days: number;
}

/** What a stack costs. */
export interface StackCost {
  stack: string;
  soFar: CostSoFar;
  /** For a month: as the last `up` left it, and as it is declared. */
  monthly: Pick<StackReview['cost'], 'total' | 'machinePrices'>;
}

/** Sums up what clusters have cost. */
export const costSoFar = (reports: readonly CostReport[], days: number): CostSoFar => ({
  machinesUsd: reports.reduce((sum, { total_cost }) => sum + total_cost, 0),
  machineHours: reports.reduce((sum, { duration, num_nodes }) => sum + (duration * num_nodes) / 3600, 0),
  clusters: reports.length,
  days,
});

const dollars = (amount: number, complete = true): string =>
  `${complete ? '' : 'at least '}$${amount.toFixed(2)}`;

function costText(costs: readonly StackCost[]): string {
  const rows = costs.map(({ stack, soFar, monthly: { total } }) => [
    stack,
    dollars(soFar.machinesUsd),
    `${soFar.machineHours.toFixed(1)} h`,
    dollars(total.from.monthlyUsd, total.from.complete),
    dollars(total.to.monthlyUsd, total.to.complete),
  ]);
  const days = costs[0]?.soFar.days ?? 0;
  const head = ['stack', `machines, ${days} days`, 'of', 'a month, as it is', 'a month, as declared'];
  const sources = [...new Set(costs.map(({ monthly }) => monthly.machinePrices))];
  return (
    tableText(head, rows) +
    sources.map((source) => `Prices of machines: ${source}\n`).join('') +
    "So far: SkyPilot's own record of the machines alone; the bill also has disks, addresses and traffic.\n"
  );
}

/** Says what stacks have cost so far, and what they cost for a month. */
export async function cost(options: CostOptions): Promise<number> {
  const { days } = options;
  const stacks = await stacksOf(options);
  const reviewer = reviewerOf(options);
  const outcomes = await whileSpinning(`previewing ${stacks.join(', ')}`, () =>
    sideBySide(stacks, async (stack): Promise<StackCost> => {
      const [fleet, review] = await Promise.all([readFleet(stack), reviewer(stack)]);
      const reports = await (await fleet.server()).costReports(days);
      const { total, machinePrices } = review.cost;
      return { stack, soFar: costSoFar(reports, days), monthly: { total, machinePrices } };
    }),
  );
  const costs = valuesOf(outcomes).map(({ value }) => value);
  if (options.json) process.stdout.write(jsonText(costs));
  else if (costs.length > 0) process.stdout.write(costText(costs));
  return concluded(outcomes, () => exitCodes.done);
}
