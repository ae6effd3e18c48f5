import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { claimsOfStackFile, clashes } from '../../../config/claims';
import { configurationReference, declarations } from '../../../config/document';
import { parseConfig } from '../../../config/parse';
import { withShared } from '../../../config/shared';

const checkout = path.join(__dirname, '..', '..', '..');
const text = (file: string): string => fs.readFileSync(path.join(checkout, file), 'utf8');
const read = (file: string): Record<string, Record<string, unknown>> =>
  parse(text(file)) as Record<string, Record<string, unknown>>;

const stacks = fs.readdirSync(checkout).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);
const configOf = (stack: string): Record<string, unknown> => read(`Pulumi.${stack}.yaml`)['config'] ?? {};

/** The outputs of the example of a shared stack. */
const shared = read('examples/shared-settings/Pulumi.prod.yaml')['config']?.[
  'skyfleet-shared:settings'
] as Record<string, unknown>;

test.each(stacks)('the stack file of %s is a good configuration', (stack) => {
  const entries = Object.entries(configOf(stack));
  const own = Object.fromEntries(
    entries.filter(([key]) => key.startsWith('skyfleet:')).map(([key, value]) => [key.slice(9), value]),
  ) as Record<string, unknown>;
  const outputs = own['shared'] === undefined ? {} : shared;
  const region = configOf(stack)['aws:region'] as string;
  const surroundings = { region, skypilotToken: false, orchestratorApiToken: false };
  expect(() => parseConfig(withShared(own, outputs), surroundings)).not.toThrow();
});

test('no two stack files share an ordinal or an address', () => {
  const claims = stacks.flatMap((stack) => claimsOfStackFile(stack, text(`Pulumi.${stack}.yaml`)));
  expect(claims).toHaveLength(2 * stacks.length);
  expect(clashes(claims)).toEqual([]);
});

test('the dev stack is what the requirement asks for: three spot t3.medium nodes with 30 GB in us-west-2', () => {
  const config = configOf('dev');
  expect(config['aws:region']).toBe('us-west-2');
  expect(config['skyfleet:fleets']).toMatchObject([
    { clusters: 3, instanceType: 't3.medium', spot: true, diskSizeGiB: 30 },
  ]);
});

test('only the dev and local stacks delete their data', () => {
  const deleting = stacks.filter(
    (stack) =>
      (configOf(stack)['skyfleet:buckets'] as { onDestroy?: string } | undefined)?.onDestroy === 'delete',
  );
  for (const stack of deleting) expect(stack).toMatch(/^(dev|local(-.+)?)$/);
});

test("Pulumi's own schema declares every key as the schema has it, and no other", () => {
  const declared = Object.entries(read('Pulumi.yaml')['config'] ?? {})
    .filter(([key]) => key.startsWith('skyfleet:'))
    .map(([key, declaration]) => [key, { ...(declaration as object), items: undefined }]);
  expect(Object.fromEntries(declared)).toEqual(declarations());
});

test('the reference of the configuration is the one that `make docs` writes', () => {
  expect(text('docs/configuration.md')).toBe(configurationReference());
});
