import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { renderTask, renderSkyConfig } from '../../../deployment/operator/task';
import { Catalog, readCatalog } from '../../../review/cost/catalog';
import { costOf, type Cost } from '../../../review/cost/cost';
import { priceIn, readPrices, withOwnPrices } from '../../../review/cost/prices';
import type { Side, SidePlace } from '../../../review/sides';
import { machine, placement, unnamed } from '../operator/fixtures';

const head =
  'InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,GpuInfo,Price,SpotPrice,Region,AvailabilityZone,Arch';
const catalog = new Catalog(
  [
    head,
    't3.medium,,,2,4,,0.04,0.012,us-west-2,usw2-az1,x86_64',
    't3.medium,,,2,4,,0.04,0.016,us-west-2,usw2-az2,x86_64',
    't3.large,,,2,8,,0.08,,us-west-2,usw2-az1,x86_64',
    'm6i.large,,,2,8,,0.10,0.05,us-west-2,usw2-az1,x86_64',
    'm6i.xlarge,,,4,16,,0.20,0.01,us-west-2,usw2-az1,x86_64',
    'c6i.2xlarge,,,8,16,,0.30,0.1,us-west-2,usw2-az1,x86_64',
    'm6i.2xlarge,,,8,32,,0.40,0.1,us-west-2,usw2-az1,x86_64',
    `g4dn.xlarge,T4,1,4,16,"{'Gpus': [{'Name': 'T4', 'Count': 1}]}",0.5,0.2,us-west-2,usw2-az1,x86_64`,
    `g4dn.2xlarge,T4,1,8,32,"{'Gpus': [{'Name': 'T4', 'Count': 1}]}",0.7,0.1,us-west-2,usw2-az1,x86_64`,
    't3.medium,,,2,4,,0.05,0.02,eu-west-1,euw1-az1,x86_64',
  ].join('\n'),
  'a test',
);
const prices = readPrices();

const place = (spec = machine, internalIps = false): SidePlace => ({
  place: 'p-0',
  task: renderTask('p-0', spec, {}),
  skypilot: renderSkyConfig(
    { ...placement, connection: { ...placement.connection, internalIps } },
    {},
  ) as never,
  node: '{}',
});
const resource = (type: string, inputs: Record<string, unknown> = {}): Side['resources'][number] => ({
  urn: `urn:pulumi:dev::skyfleet::${type}::${JSON.stringify(inputs)}`,
  type,
  inputs,
});
const side = (places: SidePlace[], resources: Side['resources'] = []): Side => ({ places, resources });
const cost = (after: Side, before: Side = side([]), region = 'us-west-2'): Cost =>
  costOf({ before, after }, region, { prices, catalog });
const monthly = ({ items }: Cost): Record<string, number | null> =>
  Object.fromEntries(items.map(({ item, to }) => [item, to.monthlyUsd]));

describe('a catalog', () => {
  test('gives the dearest zone of a region', () => {
    expect(catalog.priceOf('t3.medium', 'us-west-2')).toEqual({ onDemand: 0.04, spot: 0.016 });
  });

  test('does not know what it does not say', () => {
    expect(catalog.priceOf('t3.large', 'us-west-2')).toEqual({ onDemand: 0.08, spot: undefined });
    expect(catalog.priceOf('t3.medium', 'us-east-1')).toEqual({ onDemand: undefined, spot: undefined });
  });

  test.each([
    ['the cheapest that is large enough', { cpus: '2+', memory: '8+' }, 'm6i.large'],
    ['four GiB for each vCPU where no memory is named', { cpus: '8+' }, 'm6i.2xlarge'],
    ['memory alone', { memory: '16+' }, 'm6i.xlarge'],
    ['the cheapest with the accelerator, in its market', { accelerators: { t4: 1 } }, 'g4dn.2xlarge'],
    ['none', { cpus: '64+' }, undefined],
  ])('chooses as SkyPilot does: %s', (_, needs, type) => {
    expect(catalog.chosenType({ ...needs, use_spot: true }, 'us-west-2')).toBe(type);
  });

  test('says where its prices are from', () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-catalog-'));
    const file = path.join(folder, 'vms.csv');
    expect(readCatalog(file)).toBeUndefined();
    fs.writeFileSync(file, head);
    expect(readCatalog(file)?.origin).toMatch(/^SkyPilot's catalog of \d{4}-\d\d-\d\d$/);
    fs.writeFileSync(`${file}.origin`, 'made up\n');
    expect(readCatalog(file)?.origin).toBe('made up');
    fs.rmSync(folder, { recursive: true });
  });
});

describe('the file of prices', () => {
  test('has a price for an address everywhere, and for a disk where it names the region', () => {
    expect(priceIn(prices, 'publicIpv4Hour', 'mars-1')).toBe(0.005);
    expect(priceIn(prices, 'diskGbMonth', 'us-west-2')).toBe(0.08);
    expect(priceIn(prices, 'diskGbMonth', 'mars-1')).toBeUndefined();
  });

  test("is completed by a file of the user's own, region by region", () => {
    const own = withOwnPrices(
      prices,
      'prices: { diskGbMonth: { what: a, source: bill, date: 2026-01-01, usd: { us-west-2: 0.07 } } }',
      'own.yaml',
    );
    expect(priceIn(own, 'diskGbMonth', 'us-west-2')).toBe(0.07);
    expect(priceIn(own, 'diskGbMonth', 'eu-west-1')).toBe(0.088);
    expect(own.prices.diskGbMonth.source).toBe('bill');
  });

  test('is refused with all that is wrong with it', () => {
    expect(() => withOwnPrices(prices, 'prices: { disk: 1 }\nhours: 2', 'own.yaml')).toThrow(
      /^own\.yaml is no file of prices:/,
    );
  });
});

describe('the cost of a stack', () => {
  test('is that of its nodes, their disks and addresses', () => {
    const { items, total, worstCase } = cost(side([place({ ...machine, nodes: 3 })]));
    expect(items.map(({ item, to: { count } }) => [item, count])).toEqual([
      ['instances, spot', 3],
      ['disks', 3],
      ['public IPv4 addresses', 3],
    ]);
    // 30 GB, 500 IOPS and 93 MiB/s above what gp3 includes.
    const disk = 30 * 0.08 + 500 * 0.005 + 93 * 0.04;
    expect(total.to.monthlyUsd).toBeCloseTo(3 * (730 * 0.016 + disk + 730 * 0.005), 6);
    expect(worstCase.to.monthlyUsd).toBeCloseTo(3 * (730 * 0.04 + disk + 730 * 0.005), 6);
    expect(total.to.complete).toBe(true);
  });

  test('goes by the first choice, and at worst by the dearest that is permitted', () => {
    const spec = { ...machine, fallbackInstanceTypes: ['m6i.large'], onDemandFallback: true };
    const { items, worstCase, total } = cost(side([place(spec)]));
    expect(items[0]).toMatchObject({ item: 'instances, spot', to: { count: 1 } });
    expect(worstCase.to.monthlyUsd - total.to.monthlyUsd).toBeCloseTo(730 * (0.1 - 0.016), 6);
  });

  test('of a size is that of the type that SkyPilot chooses', () => {
    const spec = { ...unnamed, cpus: 2, memoryGiB: 8, spot: false };
    expect(monthly(cost(side([place(spec)])))['instances, on-demand']).toBeCloseTo(73, 6);
  });

  test('counts what the stack has beside nodes', () => {
    const { items } = cost(
      side(
        [place(machine, true)],
        [
          resource('aws:ec2/eip:Eip'),
          resource('aws:ec2/natGateway:NatGateway'),
          resource('aws:ec2/vpcEndpoint:VpcEndpoint', { vpcEndpointType: 'Gateway' }),
          resource('aws:s3/bucket:Bucket'),
        ],
      ),
    );
    expect(Object.fromEntries(items.map(({ item, to }) => [item, to.monthlyUsd]))).toMatchObject({
      'public IPv4 addresses': 730 * 0.005,
      'NAT gateways': 730 * 0.045,
      'gateway endpoints': 0,
      buckets: 10 * 0.023,
    });
  });

  test('is told before and after', () => {
    const { total } = cost(side([]), side([place()]));
    expect(total.to).toEqual({ monthlyUsd: 0, complete: true });
    expect(total.from.monthlyUsd).toBeGreaterThan(0);
  });

  test('is unknown where a price is, and never zero', () => {
    const sides = { before: side([]), after: side([place()], [resource('aws:ec2/flowLog:FlowLog')]) };
    expect(monthly(costOf(sides, 'us-west-2', { prices, catalog: undefined }))).toMatchObject({
      'instances, spot': null,
      'flow logs (by traffic)': null,
    });
    // The disk's storage is known there; what is beyond it is not, and so the whole disk.
    const elsewhere = cost(side([place({ ...machine, region: 'eu-north-1' })]), side([]), 'eu-north-1');
    expect(monthly(elsewhere)).toEqual({
      'instances, spot': null,
      disks: null,
      'public IPv4 addresses': 730 * 0.005,
    });
    expect(elsewhere.total.to).toEqual({ monthlyUsd: 730 * 0.005, complete: false });
    expect(elsewhere.worstCase.to.complete).toBe(false);
  });
});
