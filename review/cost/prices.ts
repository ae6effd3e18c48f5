import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';

const price = z.strictObject({
  what: z.string().min(1),
  source: z.string().min(1),
  date: z.iso.date(),
  usd: z.record(z.string().regex(/^(any|[a-z]{2}(-[a-z]+)+-\d)$/), z.number().nonnegative()),
});

const names = [
  'diskGbMonth',
  'diskIopsMonth',
  'diskMibpsMonth',
  'publicIpv4Hour',
  'natGatewayHour',
  'gatewayEndpointHour',
  'bucketGbMonth',
] as const;

/** What has a price in the file of prices. */
export type PriceName = (typeof names)[number];

const pricesSchema = z.strictObject({
  hoursPerMonth: z.number().positive(),
  prices: z.record(z.enum(names), price),
  assumptions: z.strictObject({
    bucketGb: z.strictObject({ value: z.number().nonnegative(), what: z.string().min(1) }),
  }),
});

/** What a user's own file may say: any part of it. */
const ownPricesSchema = z.strictObject({
  hoursPerMonth: pricesSchema.shape.hoursPerMonth.optional(),
  prices: z.partialRecord(z.enum(names), price).optional(),
  assumptions: pricesSchema.shape.assumptions.optional(),
});

export type Prices = z.infer<typeof pricesSchema>;

/**
 * Prices with those of a file of a user's own before them, region by region.
 *
 * @throws Error with all that is wrong with the file.
 */
export function withOwnPrices(prices: Prices, text: string, file: string): Prices {
  const { success, data, error } = ownPricesSchema.safeParse(parse(text));
  if (!success) throw new Error(`${file} is no file of prices:\n${z.prettifyError(error)}`);
  const merged = { ...prices.prices };
  for (const name of names) {
    const own = data.prices?.[name];
    if (own !== undefined) merged[name] = { ...own, usd: { ...merged[name].usd, ...own.usd } };
  }
  return {
    hoursPerMonth: data.hoursPerMonth ?? prices.hoursPerMonth,
    prices: merged,
    assumptions: data.assumptions ?? prices.assumptions,
  };
}

/** The prices that come with the project, and those of a file of a user's own. */
export function readPrices(own?: string): Prices {
  const text = fs.readFileSync(path.join(__dirname, 'prices.yaml'), 'utf8');
  const prices = pricesSchema.parse(parse(text));
  return own === undefined ? prices : withOwnPrices(prices, fs.readFileSync(own, 'utf8'), own);
}

/** A price in a region in US dollars; undefined where it is unknown there. */
export const priceIn = ({ prices }: Prices, name: PriceName, region: string): number | undefined =>
  prices[name].usd[region] ?? prices[name].usd['any'];
