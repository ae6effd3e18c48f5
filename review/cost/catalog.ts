import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'csv-parse/sync';

/** A row of SkyPilot's catalog of AWS machines, as far as it is read here. */
interface Row {
  InstanceType: string;
  AcceleratorName: string;
  AcceleratorCount: string;
  vCPUs: string;
  MemoryGiB: string;
  /** US dollars per hour, on-demand. */
  Price: string;
  SpotPrice: string;
  Region: string;
  Arch: string;
}

/** What a machine costs in US dollars per hour; undefined where it is unknown. */
export interface MachinePrice {
  onDemand: number | undefined;
  spot: number | undefined;
}

/** What SkyPilot chooses a machine by, as its task says it. */
export interface MachineNeeds {
  cpus?: string;
  memory?: string;
  accelerators?: Record<string, number>;
  use_spot: boolean;
}

/** Families that SkyPilot chooses among, where no accelerator is wanted (0.14.1: `sky/catalog/aws_catalog.py`). */
const defaultFamilies = ['m6i', 'm6id', 'm7i', 'r6i', 'r6id', 'r7i', 'c6i', 'c6id', 'c7i'];
const [defaultCpus, defaultGibPerCpu] = [8, 4];

/** Where SkyPilot keeps the catalog that its clients and its server read (`sky/catalog/common.py`). */
export const usualCatalog = (): string => path.join(os.homedir(), '.sky', 'catalogs', 'v8', 'aws', 'vms.csv');

const amount = (text: string | undefined): number | undefined =>
  text === undefined || text === '' ? undefined : Number(text);

const atLeast = (wanted: string | undefined): number | undefined =>
  wanted === undefined ? undefined : Number(wanted.replace(/\+$/, ''));

/** The prices of AWS machines, as SkyPilot knows them. */
export class Catalog {
  private readonly rows = new Map<string, Row[]>();

  /** @param origin where the prices are from, in words. */
  constructor(
    text: string,
    readonly origin: string,
  ) {
    for (const row of parse<Row>(text, { columns: true })) {
      const key = `${row.Region} ${row.InstanceType}`;
      const rows = this.rows.get(key);
      if (rows === undefined) this.rows.set(key, [row]);
      else rows.push(row);
    }
  }

  /**
   * The price of a type in a region. Spot prices differ by zone, and the catalog knows zones by ids, which stand for
   * other zones in every account: the dearest zone counts.
   */
  priceOf(type: string, region: string): MachinePrice {
    const rows = this.rows.get(`${region} ${type}`) ?? [];
    const dearest = (column: 'Price' | 'SpotPrice'): number | undefined => {
      const prices = rows.map((row) => amount(row[column])).filter((one) => one !== undefined);
      return prices.length === 0 ? undefined : Math.max(...prices);
    };
    return { onDemand: dearest('Price'), spot: dearest('SpotPrice') };
  }

  /**
   * The type that SkyPilot chooses for a size, which is the cheapest on-demand one that is large enough; with an
   * accelerator, the cheapest in the market that is asked for (0.14.1: `sky/catalog/common.py`). Undefined where none fits.
   */
  chosenType(
    { cpus, memory, accelerators, use_spot: spot }: MachineNeeds,
    region: string,
  ): string | undefined {
    const [accelerator] = Object.entries(accelerators ?? {});
    const [leastCpus, leastMemory] = [atLeast(cpus), atLeast(memory)];
    const fits = (row: Row): boolean => {
      const [has, gib] = [Number(row.vCPUs), Number(row.MemoryGiB)];
      if (accelerator !== undefined) {
        const [name, count] = accelerator;
        if (row.AcceleratorName.toLowerCase() !== name.toLowerCase()) return false;
        if (Number(row.AcceleratorCount) !== count) return false;
        return has >= (leastCpus ?? 0) && gib >= (leastMemory ?? 0);
      }
      if (!defaultFamilies.includes(row.InstanceType.split('.')[0] ?? '')) return false;
      const enoughCpus = leastCpus ?? (leastMemory === undefined ? defaultCpus : 0);
      return has >= enoughCpus && gib >= (leastMemory ?? has * defaultGibPerCpu);
    };
    const column = accelerator !== undefined && spot ? 'SpotPrice' : 'Price';
    const fitting = [...this.rows.values()]
      .flat()
      .filter((row) => row.Region === region && fits(row))
      .flatMap((row) => {
        const price = amount(row[column]);
        return price === undefined ? [] : [{ type: row.InstanceType, price }];
      })
      .sort((a, b) => a.price - b.price);
    return fitting[0]?.type;
  }
}

/**
 * Reads a catalog. What stands beside it as `<file>.origin` says where its prices are from; SkyPilot's own has none.
 *
 * @returns undefined where there is no such file.
 */
export function readCatalog(file: string): Catalog | undefined {
  if (!fs.existsSync(file)) return undefined;
  const note = `${file}.origin`;
  const origin = fs.existsSync(note)
    ? fs.readFileSync(note, 'utf8').trim()
    : `SkyPilot's catalog of ${fs.statSync(file).mtime.toISOString().slice(0, 10)}`;
  return new Catalog(fs.readFileSync(file, 'utf8'), origin);
}
