import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import type * as pulumi from '@pulumi/pulumi';
import ts from 'typescript';
import { isObject } from '../../local/plugins/properties';
import { type Registered, mockPulumi, setConfig } from '../unit/components/mocks';
import { cases } from './aws-cases';
import type { Ground } from './aws-cases/ground';

/**
 * Every input that the program sets on an AWS resource is one that the conformance tests set and read back from AWS's
 * API: what they do not, a stand-in could drop without anybody noticing.
 */

const CHECKOUT = path.resolve(__dirname, '../..');

/** Makes the program set all that it ever sets on AWS resources; a test below holds it to that. */
const configuration = {
  network: {
    cidr: '10.160.0.0/16',
    zones: ['us-west-2a', 'us-west-2b'],
    nat: 'zonal',
    flowLogs: { retentionDays: 14 },
  },
  access: { cidrs: ['203.0.113.10/32'] },
  fleets: [
    {
      name: 'sensors',
      clusters: 1,
      instanceType: 't3.medium',
      ordinals: { first: 50_000, last: 50_099 },
    },
  ],
  orchestrator: { endpoints: ['nats://orchestrator.example.com:4222'] },
  sensor: { image: 'example.com/sensor:1.2.3' },
  buckets: { onDestroy: 'delete', retention: { dataDays: 30 } },
  governance: { permissionsBoundary: 'arn:aws:iam::123456789012:policy/boundary' },
  tags: { team: 'x' },
};

/** Where values stand in `inputs`: `rules[].filter.prefix`. Of tags the whole map is one value. */
function pathsOf(value: unknown, at: string): string[] {
  if (value === undefined || value === null) return [];
  // An empty list says something too.
  if (Array.isArray(value))
    return value.length === 0 ? [at] : value.flatMap((item) => pathsOf(item, `${at}[]`));
  const plainValue = value as Parameters<typeof isObject>[0];
  if (!isObject(plainValue) || at === 'tags') return [at];
  // Mocks hand secrets over in an envelope.
  if ('value' in plainValue && '4dabf18193072939515e22adb298388d' in plainValue) return [at];
  return Object.entries(plainValue).flatMap(([key, member]) =>
    pathsOf(member, at === '' ? key : `${at}.${key}`),
  );
}

async function registrations(): Promise<Registered[]> {
  const registered = await mockPulumi();
  setConfig('us-west-2', configuration, { orchestratorToken: 'planted-token' });
  const program =
    jest.requireActual<() => Promise<{ nodes: Record<string, pulumi.Output<unknown[]>> }>>('../../index');
  const { nodes } = await program();
  await Promise.all(Object.values(nodes).map((output) => new Promise((resolve) => output.apply(resolve))));
  return registered.filter(({ type }) => type.startsWith('aws:'));
}

/** By type, the paths of the inputs that are set. */
const set = new Map<string, Set<string>>();
const readBack = new Map<string, Set<string>>();

function add(to: Map<string, Set<string>>, type: string, inputs: unknown): void {
  const known = to.get(type) ?? new Set<string>();
  for (const found of pathsOf(inputs, '')) known.add(found);
  to.set(type, known);
}

beforeAll(async () => {
  for (const { type, inputs } of await registrations()) add(set, type, inputs);
  // What a case is about does not depend on what stands on the ground.
  const ground = new Proxy({}, { get: (_, name) => String(name) }) as Ground;
  for (const { type, inputs, variants, update } of cases) {
    for (const values of [inputs(ground), ...(variants?.(ground) ?? []), update?.(ground) ?? {}])
      add(readBack, type, values);
  }
});

test('the program sets inputs of AWS resources', () => {
  expect([...set.keys()]).toEqual(expect.arrayContaining(['aws:ec2/vpc:Vpc', 'aws:s3/bucket:Bucket']));
  expect([...(set.get('aws:ec2/vpc:Vpc') ?? [])]).toEqual(expect.arrayContaining(['cidrBlock', 'tags']));
});

test('each of them is set in a case and read back from AWS', () => {
  const missing = [...set].flatMap(([type, paths]) =>
    [...paths].filter((found) => !readBack.get(type)?.has(found)).map((found) => `${type} ${found}`),
  );
  expect(missing).toEqual([]);
});

/** `new aws.ec2.Vpc(name, { cidrBlock, … })` of a source file, as type and the names in the literal. */
function literalsIn(file: string): [type: string, inputs: string[]][] {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.ES2022, true);
  const found: [string, string[]][] = [];
  const visit = (node: ts.Node): void => {
    const [, module, name] = ts.isNewExpression(node)
      ? (/^aws\.(\w+)\.(\w+)$/.exec(node.expression.getText()) ?? [])
      : [];
    if (ts.isNewExpression(node) && module !== undefined && name !== undefined) {
      const args = node.arguments?.[1];
      const token = `aws:${module}/${name.charAt(0).toLowerCase()}${name.slice(1)}:${name}`;
      found.push([token, args === undefined ? [] : namesIn(args)]);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The names of a literal, those of the literals that are spread in it included. */
function namesIn(literal: ts.Node): string[] {
  if (ts.isParenthesizedExpression(literal)) return namesIn(literal.expression);
  if (ts.isConditionalExpression(literal))
    return [...namesIn(literal.whenTrue), ...namesIn(literal.whenFalse)];
  if (!ts.isObjectLiteralExpression(literal)) return [];
  return literal.properties.flatMap((property) =>
    ts.isSpreadAssignment(property) ? namesIn(property.expression) : [property.name.getText()],
  );
}

test('no input that stands in the source is left out by the configuration above', () => {
  const files = readdirSync(path.join(CHECKOUT, 'components')).map((name) =>
    path.join(CHECKOUT, 'components', name),
  );
  const literals = [...files, path.join(CHECKOUT, 'index.ts')].flatMap(literalsIn);
  expect(literals.length).toBeGreaterThan(10);
  const unset = literals.flatMap(([type, inputs]) => {
    const paths = [...(set.get(type) ?? [])].map((found) => /^[^.[]*/.exec(found)?.[0]);
    return set.has(type)
      ? inputs.filter((input) => !paths.includes(input)).map((input) => `${type} ${input}`)
      : [`${type} is never made`];
  });
  expect(unset).toEqual([]);
});
