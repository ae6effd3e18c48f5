import { functions } from '../../local/plugins/aws/functions';
import { parseConfiguration } from '../../local/plugins/aws/configuration';
import {
  canonical,
  flag,
  json,
  list,
  number,
  record,
  set,
  tagMap,
  text,
} from '../../local/plugins/aws/inputs';
import { AwsPlugin, type ResourceTable } from '../../local/plugins/aws/provider';
import { differences } from '../../local/plugins/aws/state';
import { resources } from '../../local/plugins/aws/resources';
import { resourceType } from '../../local/plugins/aws/resource-type';
import { type Properties, UNKNOWN, type Value, changesBetween } from '../../local/plugins/properties';

const THING = 'aws:test/thing:Thing';

/** A type with one input of each kind, which never reaches AWS. */
const thing = resourceType({
  inputs: {
    name: text({ computed: true, replaces: true }),
    namePrefix: text({ replaces: true }),
    size: text({ oneOf: ['small', 'large'] }),
    place: text({ required: true, replaces: true }),
    tenancy: text({ replaces: (_: Value, after: Value) => after === 'alone' }),
    count: number(),
    open: flag({ default: false }),
    chosen: text({ computed: true }),
    password: text({ secret: true }),
    policy: json(),
    zones: set(text()),
    rules: list(record({ id: text({ required: true }), days: number() })),
    tags: tagMap,
    tagsAll: tagMap,
  },
  outputs: ['arn', 'revision'],
  renewed: { revision: ['count'] },
  autoname: { property: 'name', prefixProperty: 'namePrefix', maxLength: 20, lowerCase: true },
  create: () => Promise.reject(new Error('not reached')),
  read: () => Promise.resolve(undefined),
  tag: () => Promise.resolve(),
  delete: () => Promise.resolve(),
});
const table: ResourceTable = { [THING]: thing };

const config = { region: 'us-west-2', accessKey: 'a', secretKey: 'b', skipCredentialsValidation: 'true' };

const operation = {
  type: THING,
  urn: '',
  signal: new AbortController().signal,
  timeoutSeconds: undefined,
  log: () => undefined,
};

async function pluginWith(more: Properties = {}): Promise<AwsPlugin> {
  const plugin = new AwsPlugin('7.48.0', table, functions);
  await plugin.configure({ ...config, ...more }, new AbortController().signal);
  return plugin;
}

async function check(news: Properties, olds: Properties = {}, seed = 'seed', name = 'Thing') {
  const plugin = await pluginWith();
  return plugin.check({ type: THING, name, olds, news, randomSeed: Buffer.from(seed) });
}

const reasons = async (news: Properties) =>
  (await check(news)).failures.map(({ property, reason }) => [property, reason]);

describe('check', () => {
  it('refuses an input that the type does not apply, naming both', async () => {
    expect(await reasons({ place: 'x', colour: 'red' })).toEqual([
      [
        'colour',
        expect.stringMatching(/aws:test\/thing:Thing .*does not apply "colour".*it applies chosen, count/),
      ],
    ]);
  });

  it('refuses one inside of an object, with its path', async () => {
    expect(await reasons({ place: 'x', rules: [{ id: 'a' }, { id: 'b', hours: 3 }] })).toEqual([
      ['rules[1].hours', expect.stringContaining('"rules[1].hours"')],
    ]);
  });

  it.each<[Properties, string]>([
    [{}, 'needs "place"'],
    [{ place: 3 }, '"place" must be a string, but is 3'],
    [{ place: 'x', size: 'huge' }, '"size" must be one of small, large in this stand-in, but is "huge"'],
    [{ place: 'x', count: 'many' }, '"count" must be a number'],
    [{ place: 'x', open: 'yes' }, '"open" must be true or false'],
    [{ place: 'x', policy: '{' }, '"policy" must be a JSON document'],
    [{ place: 'x', zones: 'a' }, '"zones" must be a list'],
    [{ place: 'x', zones: [1] }, '"zones[0]" must be a string'],
    [{ place: 'x', rules: [3] }, '"rules[0]" must be an object'],
    [{ place: 'x', rules: [{}] }, 'needs "rules[0].id"'],
    [{ place: 'x', tags: { a: 1 } }, '"tags" must be a map of strings'],
  ])('refuses %j', async (news, reason) => {
    expect(await reasons(news)).toEqual([[expect.any(String), expect.stringContaining(reason)]]);
  });

  it('does not quote a secret', async () => {
    expect(await reasons({ place: 'x', password: 12345 })).toEqual([
      ['password', `${THING}: "password" must be a string`],
    ]);
  });

  it('takes what is not known yet for what it will be', async () => {
    expect(
      await reasons({ place: UNKNOWN, size: UNKNOWN, rules: UNKNOWN, zones: [UNKNOWN], tags: UNKNOWN }),
    ).toEqual([]);
  });

  it('adds defaults, region and all tags', async () => {
    const plugin = await pluginWith({ defaultTags: '{"tags":{"team":"fleet","Name":"x"}}' });
    const news = { place: 'x', tags: { Name: 'mine' } };
    const { inputs } = await plugin.check({
      type: THING,
      name: 't',
      olds: {},
      news,
      randomSeed: Buffer.from('s'),
    });
    expect(inputs).toMatchObject({
      open: false,
      region: 'us-west-2',
      tagsAll: { team: 'fleet', Name: 'mine' },
    });
  });
});

describe('autonaming', () => {
  it('takes the Pulumi name, a dash and seven hex digits, which hold as long as the seed', async () => {
    const { inputs } = await check({ place: 'x' });
    expect(inputs['name']).toMatch(/^thing-[0-9a-f]{7}$/);
    expect((await check({ place: 'x' })).inputs['name']).toBe(inputs['name']);
    expect((await check({ place: 'x' }, {}, 'other')).inputs['name']).not.toBe(inputs['name']);
  });

  it('keeps the name of an earlier check, with whatever seed', async () => {
    const first = (await check({ place: 'x' })).inputs;
    const second = (await check({ place: 'x' }, first, 'other')).inputs;
    expect(second['name']).toBe(first['name']);
  });

  it('makes a new name where the program stops giving one', async () => {
    const given = (await check({ place: 'x', name: 'mine' })).inputs;
    expect((await check({ place: 'x' }, given)).inputs['name']).toMatch(/^thing-/);
  });

  it('leaves the name to creation where a prefix is given', async () => {
    expect((await check({ place: 'x', namePrefix: 'p-' })).inputs['name']).toBeUndefined();
  });

  it('refuses a name that is too long, and says what to do', async () => {
    const attempt = check({ place: 'x' }, {}, 'seed', 'a-very-long-name');
    await expect(attempt).rejects.toThrow(/24 characters long, and 20 are allowed: give name or a shorter/);
  });
});

describe('diff', () => {
  const olds = {
    place: 'x',
    open: false,
    region: 'us-west-2',
    chosen: 'by AWS',
    tags: { a: '1' },
    tagsAll: { a: '1' },
  };
  const paths = (change: Properties, state: Properties = olds) =>
    differences(thing, state, { ...olds, ...change }).map(
      ({ path, kind, replaces }) => `${path} ${kind}${replaces ? ' replaces' : ''}`,
    );

  it.each<[string, Properties, string[]]>([
    ['nothing', {}, []],
    ['a computed input that the program leaves to AWS', { chosen: undefined }, []],
    ['a computed input that the program gives', { chosen: 'mine' }, ['chosen update']],
    ['an input that replaces', { place: 'y' }, ['place update replaces']],
    ['an unknown that replaces', { place: UNKNOWN }, ['place update replaces']],
    ['a value that replaces', { tenancy: 'alone' }, ['tenancy add replaces']],
    ['a value that does not', { tenancy: 'shared' }, ['tenancy add']],
    ['another region', { region: 'eu-west-1' }, ['region update replaces']],
    ['a flag', { open: true }, ['open update']],
    ['a tag', { tags: { a: '2' }, tagsAll: { a: '2' } }, ['tags.a update']],
    [
      'a tag with a dot',
      { tags: { a: '1', 'b.c': 'x' }, tagsAll: { a: '1', 'b.c': 'x' } },
      ['tags["b.c"] add'],
    ],
    ['default tags', { tagsAll: { a: '1', team: 'x' } }, ['tagsAll.team add']],
    ['no tags at all', { tags: undefined, tagsAll: {} }, ['tags delete']],
  ])('of %s', (_, change, expected) => {
    expect(paths(change)).toEqual(expected);
  });

  it('takes documents, sets and empty values by what they mean to AWS', () => {
    const state = {
      ...olds,
      policy: '{"Action":["s3:Get"],"Resource":["b","a"]}',
      zones: ['b', 'a'],
      count: undefined,
      rules: [{ id: 'a', days: undefined }],
    };
    const same = {
      policy: '{ "Resource": ["a","b"], "Action": "s3:Get" }',
      zones: ['a', 'b'],
      count: 0,
      rules: [{ id: 'a' }],
    };
    expect(paths(same, state)).toEqual([]);
    expect(paths({ ...same, zones: ['a'] }, state)).not.toEqual([]);
    expect(paths({ ...same, rules: [{ id: 'a', days: 1 }] }, state)).toEqual(['rules[0].days add']);
  });

  it('deletes before it replaces where the program fixes the name, and only there', async () => {
    const plugin = await pluginWith();
    const replaced = async (name: Properties) => {
      const before = (await check({ place: 'x', ...name })).inputs;
      const after = (await check({ place: 'y', ...name }, before)).inputs;
      return (await plugin.diff({ type: THING, olds: before, news: after })).deleteBeforeReplace;
    };
    expect(await replaced({ name: 'mine' })).toBe(true);
    expect(await replaced({})).toBe(false);
    expect(await replaced({ namePrefix: 'p-' })).toBe(false);
  });
});

describe('a failure of which nobody can tell what it left', () => {
  it('records what was made', async () => {
    const lost = resourceType({
      inputs: { place: text() },
      outputs: [],
      create: (_, __, created) => {
        created('made');
        return Promise.reject(new Error('the connection broke'));
      },
      read: () => Promise.reject(new Error('still broken')),
      delete: () => Promise.resolve(),
    });
    const plugin = new AwsPlugin('7.48.0', { [THING]: lost }, functions);
    await plugin.configure(config, new AbortController().signal);
    const attempt = plugin.create(operation, { place: 'x', region: 'us-west-2' }, false);
    await expect(attempt).rejects.toMatchObject({
      id: 'made',
      message: 'the connection broke',
      state: { place: 'x' },
    });
  });
});

describe('preview', () => {
  it('plans a creation with unknowns for what only AWS tells', async () => {
    const { inputs } = await check({ place: 'x', tags: { a: UNKNOWN } });
    const { state } = await (await pluginWith()).create(operation, inputs, true);
    expect(state).toMatchObject({ place: 'x', arn: UNKNOWN, chosen: UNKNOWN, open: false, tagsAll: UNKNOWN });
    expect(state['count']).toBeUndefined();
  });

  it('keeps in an update what stays', async () => {
    const { inputs } = await check({ place: 'x', count: 2 });
    const state = await (
      await pluginWith()
    ).update(operation, 'id', { ...inputs, count: 1, arn: 'a', chosen: 'c' }, inputs, true);
    expect(state).toMatchObject({ arn: 'a', chosen: 'c', count: 2 });
  });

  it('does not know what the update makes anew, where there is such a thing', async () => {
    const { inputs } = await check({ place: 'x', count: 2 });
    const revision = async (olds: Properties) =>
      (await (await pluginWith()).update(operation, 'id', { ...inputs, ...olds }, inputs, true))['revision'];
    expect(await revision({ count: 1, revision: '7' })).toBe(UNKNOWN);
    expect(await revision({ chosen: 'c', revision: '7' })).toBe('7');
    expect(await revision({ count: 1 })).toBeUndefined();
  });
});

describe('the provider configuration', () => {
  it('refuses keys and services that it does not apply', () => {
    const plugin = new AwsPlugin('7.48.0', table, functions);
    const news = {
      ...config,
      profile: 'me',
      endpoints: '[{"ec2":"http://e","lambda":"http://l"}]',
      version: '7.48.0',
    };
    expect(plugin.checkConfig(news)).toEqual([
      { property: 'profile', reason: expect.stringContaining('aws:profile is not applied') as string },
      { property: 'endpoints', reason: expect.stringContaining('"lambda"') as string },
    ]);
  });

  it.each<[Properties, RegExp]>([
    [{ accessKey: 'a', secretKey: 'b' }, /aws:region is not set/],
    [{ region: 'us-west-2' }, /no AWS credentials/],
    [{ ...config, region: 'mars', skipRegionValidation: 'false' }, /"mars", which is no AWS region/],
  ])('refuses %j', (args, message) => {
    expect(() => parseConfiguration(args, {})).toThrow(message);
  });

  it('merges the endpoint maps and counts the first attempt beside the retries', () => {
    const endpoints = JSON.stringify([{ ec2: 'http://a' }, { s3: 'http://b', iam: '' }]);
    const parsed = parseConfiguration({ ...config, endpoints, maxRetries: '2' }, {});
    expect(parsed.endpoints).toEqual({ ec2: 'http://a', s3: 'http://b' });
    expect(parsed.maxAttempts).toBe(3);
  });

  it.each(['logs', 'cloudwatchlogs', 'cloudwatchlog'])('takes %s for the service of log groups', (name) => {
    const endpoints = JSON.stringify([{ [name]: 'http://l' }]);
    expect(new AwsPlugin('7.48.0', table, functions).checkConfig({ ...config, endpoints })).toEqual([]);
    expect(parseConfiguration({ ...config, endpoints }, {}).endpoints).toEqual({ logs: 'http://l' });
  });

  it('is needed before anything else', async () => {
    const plugin = new AwsPlugin('7.48.0', table, functions);
    const call = () =>
      plugin.check({ type: THING, name: 't', olds: {}, news: { place: 'x' }, randomSeed: Buffer.from('') });
    await expect(Promise.resolve().then(call)).rejects.toThrow(/not configured/);
  });
});

describe('the table', () => {
  it.each(Object.entries(resources))('%s puts tags and region where they belong', (_, type) => {
    expect('tags' in type.inputs).toBe(type.tag !== undefined);
    expect('tagsAll' in type.inputs).toBe(type.tag !== undefined);
    // The provider adds the region to every type but the global ones.
    expect('region' in type.inputs).toBe(false);
    if (type.autoname) expect(type.inputs).toHaveProperty(type.autoname.property);
  });

  it('can change in place what does not replace', () => {
    const changeable = Object.entries(resources).filter(([, { inputs, autoname }]) =>
      Object.entries(inputs).some(
        ([key, { replaces }]) =>
          !replaces && !['tags', 'tagsAll', 'forceDestroy'].includes(key) && key !== autoname?.property,
      ),
    );
    const fixed = changeable.filter(([, type]) => !('update' in type)).map(([name]) => name);
    expect(fixed).toEqual([]);
  });
});

describe('values', () => {
  it('compare as AWS takes them', () => {
    expect(canonical(text(), '')).toBeUndefined();
    expect(canonical(set(text()), [])).toBeUndefined();
    expect(canonical(text(), UNKNOWN)).toBe(UNKNOWN);
  });

  it('compare without members that say nothing', () => {
    const rule = record({ filter: record({ prefix: text() }), days: number() });
    expect(canonical(rule, { days: 3, filter: { prefix: '' } })).toEqual({ days: 3 });
    expect(canonical(rule, { days: 3, filter: { prefix: 'a' } })).toEqual({
      days: 3,
      filter: { prefix: 'a' },
    });
  });

  it('differ at the place where they differ', () => {
    const before = { a: [1, { b: 'x' }], 'd.e': 1 };
    const after = { a: [1, { b: 'y' }, 3], 'd.e': 2 };
    expect(changesBetween('p', before, after, false).map(({ path, kind }) => [path, kind])).toEqual([
      ['p.a[1].b', 'update'],
      ['p.a[2]', 'add'],
      ['p["d.e"]', 'update'],
    ]);
  });
});
