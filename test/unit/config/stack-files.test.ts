import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { overlappingClaims, claimsOfStackFile } from '../../../config/ordinals';
import { parseConfig } from '../../../config/parse';
import { configKeys } from '../../../config/schema';

const checkout = path.join(__dirname, '..', '..', '..');
const read = (file: string): Record<string, Record<string, unknown>> =>
  parse(fs.readFileSync(path.join(checkout, file), 'utf8')) as Record<string, Record<string, unknown>>;

const stacks = fs.readdirSync(checkout).flatMap((file) => /^Pulumi\.(.+)\.yaml$/.exec(file)?.[1] ?? []);

test.each(stacks)('the stack file of %s is a good configuration', (stack) => {
  const entries = Object.entries(read(`Pulumi.${stack}.yaml`)['config'] ?? {});
  const own = entries
    .filter(([key]) => key.startsWith('skyfleet:'))
    .map(([key, value]) => [key.slice(9), value]);
  expect(() => parseConfig(Object.fromEntries(own) as Record<string, unknown>)).not.toThrow();
});

test('no two stack files share an ordinal', () => {
  const claims = stacks.flatMap((stack) =>
    claimsOfStackFile(stack, fs.readFileSync(path.join(checkout, `Pulumi.${stack}.yaml`), 'utf8')),
  );
  expect(claims).toHaveLength(stacks.length);
  expect(overlappingClaims(claims)).toEqual([]);
});

test('the dev stack is what the requirement asks for: three spot t3.medium nodes with 30 GB in us-west-2', () => {
  const { config = {} } = read('Pulumi.dev.yaml');
  expect(config['aws:region']).toBe('us-west-2');
  expect(config['skyfleet:fleets']).toMatchObject([
    { clusters: 3, instanceType: 't3.medium', spot: true, diskSizeGiB: 30 },
  ]);
});

test("Pulumi's own schema describes every key, and no other", () => {
  const declared = Object.entries(read('Pulumi.yaml')['config'] ?? {}).filter(([key]) =>
    key.startsWith('skyfleet:'),
  );
  expect(declared.map(([key]) => key.slice(9)).sort()).toEqual([...configKeys, 'orchestratorToken'].sort());
  for (const [, value] of declared) {
    expect(value).toMatchObject({
      type: expect.any(String) as string,
      description: expect.any(String) as string,
    });
  }
});
