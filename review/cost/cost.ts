import type { SkyCandidate } from '../../deployment/operator/machine';
import type { SkyTask } from '../../deployment/operator/task';
import type { Side, SidePlace } from '../sides';
import type { Catalog, MachinePrice } from './catalog';
import { priceIn, type PriceName, type Prices } from './prices';

/** What something costs for a month: how many of it there are, and US dollars; null where the price is unknown. */
export interface Amount {
  count: number;
  monthlyUsd: number | null;
}

/** One item of a stack's cost. */
export interface CostItem {
  item: string;
  from: Amount;
  to: Amount;
}

/** What a stack costs, as it is recorded and as it is to be. */
export interface Cost {
  items: CostItem[];
  /** The sum of what is known, and whether that is all. */
  total: { from: Sum; to: Sum };
  /** The same with every node on-demand, on the dearest of the types that its fleet permits. */
  worstCase: { from: Sum; to: Sum };
}

/** A sum of prices; `complete` where no price in it is unknown. */
export interface Sum {
  monthlyUsd: number;
  complete: boolean;
}

/**
 * The disk that SkyPilot gives a machine of its default tier: gp3 with 3,500 IOPS and 218 MiB/s (0.14.1:
 * `sky/clouds/aws.py`, `_get_disk_specs`), of which 3,000 and 125 are part of the price of the storage
 * (https://aws.amazon.com/ebs/pricing/).
 */
const disk = { iopsAbove: 500, mibpsAbove: 93 } as const;

/** A kind of item: what it is called, and what it comes to on one side of the change. */
type ItemOf = (side: Side) => Amount;

const none: Amount = { count: 0, monthlyUsd: 0 };

/** A number of things at one price; nothing costs nothing, whether or not its price is known. */
function amountOf(count: number, each: number | undefined): Amount {
  if (count === 0) return none;
  return { count, monthlyUsd: each === undefined ? null : count * each };
}

function plus(a: Amount, b: Amount): Amount {
  const known = a.monthlyUsd !== null && b.monthlyUsd !== null;
  return {
    count: a.count + b.count,
    monthlyUsd: known ? (a.monthlyUsd ?? 0) + (b.monthlyUsd ?? 0) : null,
  };
}

/** What the machines of a stack cost by its catalog. */
class Machines {
  constructor(
    private readonly catalog: Catalog | undefined,
    private readonly region: string,
    private readonly hours: number,
  ) {}

  /** The nodes of the places in one market, as their first choice is. */
  inMarket(places: readonly SidePlace[], spot: boolean): Amount {
    return places
      .filter(({ task }) => task.resources.ordered[0]?.use_spot === spot)
      .map(({ task }) => {
        const [first] = task.resources.ordered;
        const price = first === undefined ? undefined : this.priceOf(task, first);
        return amountOf(task.num_nodes, this.monthly(spot ? price?.spot : price?.onDemand));
      })
      .reduce(plus, none);
  }

  /** The nodes of the places, all on-demand and on the dearest permitted type. */
  worst(places: readonly SidePlace[]): Amount {
    return places
      .map(({ task }) => {
        const prices = task.resources.ordered.map((candidate) => this.priceOf(task, candidate)?.onDemand);
        const known = prices.filter((one) => one !== undefined);
        const dearest = known.length === prices.length ? Math.max(...known) : undefined;
        return amountOf(task.num_nodes, this.monthly(dearest));
      })
      .reduce(plus, none);
  }

  private priceOf({ resources }: SkyTask, candidate: SkyCandidate): MachinePrice | undefined {
    const needs = { ...resources, ...candidate };
    const type = needs.instance_type ?? this.catalog?.chosenType(needs, this.region);
    return type === undefined ? undefined : this.catalog?.priceOf(type, this.region);
  }

  private monthly(hourly: number | undefined): number | undefined {
    return hourly === undefined ? undefined : hourly * this.hours;
  }
}

const nodesOf = (places: readonly SidePlace[]): number =>
  places.reduce((sum, { task }) => sum + task.num_nodes, 0);

const countOf = (
  { resources }: Side,
  type: string,
  which: (inputs: Record<string, unknown>) => boolean = () => true,
): number => resources.filter((one) => one.type === type && which(one.inputs ?? {})).length;

/** The items of a stack's cost beside its machines. */
function otherItems(prices: Prices, region: string): Record<string, ItemOf> {
  const monthly = (name: PriceName): number | undefined => {
    const usd = priceIn(prices, name, region);
    return usd === undefined ? undefined : usd * (name.endsWith('Hour') ? prices.hoursPerMonth : 1);
  };
  const bucketGb = prices.assumptions.bucketGb.value;
  const diskOf = ({ task }: SidePlace): Amount => {
    const parts = [
      amountOf(task.resources.disk_size, monthly('diskGbMonth')),
      amountOf(disk.iopsAbove, monthly('diskIopsMonth')),
      amountOf(disk.mibpsAbove, monthly('diskMibpsMonth')),
    ].reduce(plus);
    return amountOf(task.num_nodes, parts.monthlyUsd ?? undefined);
  };
  const bucketEach = monthly('bucketGbMonth');
  return {
    disks: ({ places }) => places.map(diskOf).reduce(plus, none),
    'public IPv4 addresses': (side) =>
      amountOf(
        nodesOf(side.places.filter(({ skypilot }) => !skypilot.aws.use_internal_ips)) +
          countOf(side, 'aws:ec2/eip:Eip'),
        monthly('publicIpv4Hour'),
      ),
    'NAT gateways': (side) =>
      amountOf(countOf(side, 'aws:ec2/natGateway:NatGateway'), monthly('natGatewayHour')),
    'gateway endpoints': (side) =>
      amountOf(
        countOf(side, 'aws:ec2/vpcEndpoint:VpcEndpoint', (inputs) => inputs['vpcEndpointType'] === 'Gateway'),
        monthly('gatewayEndpointHour'),
      ),
    'other endpoints': (side) =>
      amountOf(
        countOf(side, 'aws:ec2/vpcEndpoint:VpcEndpoint', (inputs) => inputs['vpcEndpointType'] !== 'Gateway'),
        undefined,
      ),
    buckets: (side) =>
      amountOf(
        countOf(side, 'aws:s3/bucket:Bucket'),
        bucketEach === undefined ? undefined : bucketEach * bucketGb,
      ),
    'flow logs (by traffic)': (side) => amountOf(countOf(side, 'aws:ec2/flowLog:FlowLog'), undefined),
  };
}

function sumOf(amounts: readonly Amount[]): Sum {
  return {
    monthlyUsd: amounts.reduce((sum, { monthlyUsd }) => sum + (monthlyUsd ?? 0), 0),
    complete: amounts.every(({ monthlyUsd }) => monthlyUsd !== null),
  };
}

/**
 * What a stack costs, as it is recorded and as it is to be. Prices that are unknown are null, never zero.
 *
 * @param catalog prices of machines; undefined where there is no catalog.
 */
export function costOf(
  { before, after }: { before: Side; after: Side },
  region: string,
  { prices, catalog }: { prices: Prices; catalog: Catalog | undefined },
): Cost {
  const machines = new Machines(catalog, region, prices.hoursPerMonth);
  const others = otherItems(prices, region);
  const ofMachines: Record<string, ItemOf> = {
    'instances, spot': ({ places }) => machines.inMarket(places, true),
    'instances, on-demand': ({ places }) => machines.inMarket(places, false),
  };
  const both = (items: Record<string, ItemOf>): CostItem[] =>
    Object.entries(items)
      .map(([item, of]) => ({ item, from: of(before), to: of(after) }))
      .filter(({ from, to }) => from.count > 0 || to.count > 0);
  const items = [...both(ofMachines), ...both(others)];
  const worst = [...both({ worst: ({ places }) => machines.worst(places) }), ...both(others)];
  const sums = (of: readonly CostItem[]): { from: Sum; to: Sum } => ({
    from: sumOf(of.map(({ from }) => from)),
    to: sumOf(of.map(({ to }) => to)),
  });
  return { items, total: sums(items), worstCase: sums(worst) };
}
