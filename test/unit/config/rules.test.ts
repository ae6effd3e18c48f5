import { checkConfig, parseConfig } from '../../../config/parse';
import { configKey } from '../../../config/problem';
import { rules } from '../../../config/rules';
import { configSchema } from '../../../config/schema';
import { badExamples } from './bad-examples';
import { good, surroundings } from './good';
import { placeOf, walk } from './schema-walk';

const { places, rules: schemaRules } = walk(configSchema);

test.each(badExamples)('$says is refused by its key', ({ config, surroundings: around, problem }) => {
  const problems = checkConfig(config, around).problems.map(({ key, message }) => `${key}: ${message}`);
  expect(problems).toContainEqual(expect.stringContaining(problem));
});

test('every problem says what is allowed or what to do', () => {
  for (const { config, surroundings: around } of badExamples)
    for (const { message } of checkConfig(config, around).problems)
      expect(message).toMatch(/^(key )?(must|is|has|needs|last|overlaps)/);
});

test('every rule of the schema has a bad example', () => {
  const found = badExamples.flatMap(({ config }) =>
    (configSchema.safeParse(config).error?.issues ?? []).flatMap((issue) => {
      const place = placeOf(issue, places);
      const inner: readonly { code: string; message: string }[] =
        issue.code === 'invalid_key' ? issue.issues : [issue];
      return schemaRules.filter(
        (rule) =>
          rule.path === place &&
          inner.some(
            ({ code, message }) =>
              code === rule.code &&
              (rule.message === undefined || message === rule.message || /\d$/.test(rule.message)),
          ),
      );
    }),
  );
  const covered = new Set(found.map(({ check }) => check));
  const bare = schemaRules.filter(({ check }) => !covered.has(check));
  expect(bare.map(({ path, code, message }) => `${path} ${code} ${message ?? ''}`)).toEqual([]);
});

test('every rule over several values has a bad example', () => {
  const bare = rules.filter(
    (rule) =>
      !badExamples.some(({ config, surroundings: around }) => {
        const parsed = configSchema.safeParse(config);
        return parsed.success && rule.problems(parsed.data, around).length > 0;
      }),
  );
  expect(bare.map(({ name }) => name)).toEqual([]);
});

/** A path with keys for what stands for any: of lists the first, of maps one that is allowed. */
const withKeys = (path: string): string =>
  path.replaceAll('[]', '.0').replace('policy{}', 'policy.public-bucket').replaceAll('{}', '.t4');

/** A value that no place takes, and its configuration where the rest is good. */
function withValueAt(path: string, value: unknown): Record<string, unknown> {
  const config = structuredClone(good) as unknown as Record<string, unknown>;
  const parts = withKeys(path).split('.');
  const last = parts.pop() ?? '';
  let at = config;
  for (const [index, part] of parts.entries()) {
    at[part] ??= (parts[index + 1] ?? last) === '0' ? [] : {};
    at = at[part] as Record<string, unknown>;
  }
  at[last] = value;
  return config;
}
const keyOf = (path: string): string =>
  configKey(
    withKeys(path)
      .split('.')
      .map((part) => (/^\d+$/.test(part) ? Number(part) : part)),
  );

const valued = places.filter(({ path }) => path !== '' && !path.endsWith('{key}'));

test.each(valued)('a value of another type is refused at $path', ({ path, type }) => {
  const wrong = ['object', 'record', 'array'].includes(type) ? 'text' : {};
  const problems = checkConfig(withValueAt(path, wrong), surroundings).problems;
  expect(problems).toContainEqual({
    key: keyOf(path),
    value: wrong,
    message: expect.stringMatching(/^must be (of type|one of) /) as string,
  });
});

test.each(places.filter(({ type }) => type === 'object'))(
  'an unknown key is refused in "$path"',
  ({ path }) => {
    const config = withValueAt(path === '' ? 'flets' : `${path}.flets`, 1);
    expect(checkConfig(config, surroundings).problems).toContainEqual({
      key: path === '' ? 'skyfleet:flets' : `${keyOf(path)}.flets`,
      value: 1,
      message: expect.stringMatching(/^is not a known key; remove it or write one of [a-z]/) as string,
    });
  },
);

test('a key that must be there is asked for', () => {
  for (const path of ['network', 'network.cidr', 'fleets', 'fleets[].name', 'orchestrator.endpoints']) {
    expect(checkConfig(withValueAt(path, undefined), surroundings).problems).toContainEqual({
      key: keyOf(path),
      value: undefined,
      message: expect.stringMatching(/^is missing; set it to a value of type /) as string,
    });
  }
});

test('a minimal configuration gets the documented defaults', () => {
  const config = parseConfig(good, surroundings);
  expect(config.fleets[0]).toMatchObject({
    nodesPerCluster: 1,
    spot: true,
    onDemandFallback: false,
    diskSizeGiB: 30,
    identity: 'place',
    labels: {},
  });
  expect(config.bacalhau).toEqual({
    image: 'ghcr.io/bacalhau-project/bacalhau:v1.9.0',
    acceptNetworkedJobs: false,
    logLevel: 'info',
  });
  expect(config.network.nat).toBe('none');
  expect(config.skypilot).toEqual({ endpoint: 'http://127.0.0.1:46580' });
  expect(config.buckets).toEqual({
    onDestroy: 'keep',
    prefix: 'fleets/',
    retention: { oldVersionDays: 30, brokenUploadDays: 7 },
  });
  expect(config.timeouts).toEqual({ launchMinutes: 30, deleteMinutes: 20, callMinutes: 5 });
});

test('every problem is named at once, with the value found, also those that look at several values', () => {
  const [fleet] = good.fleets;
  const config = {
    ...good,
    sensor: { image: 'x' },
    access: {},
    fleets: [{ ...fleet, clusters: -1 }],
  };
  expect(() => parseConfig(config, surroundings)).toThrow(
    /has 3 problems:\n {2}skyfleet:fleets\[0\]\.clusters is -1: [^\n]+\n {2}skyfleet:sensor\.image is "x": [^\n]+\n {2}skyfleet:access is \{\}: /,
  );
});

test('a key is written as in the stack file', () => {
  expect(configKey(['fleets', 0, 'ordinals', 'last'])).toBe('skyfleet:fleets[0].ordinals.last');
});
