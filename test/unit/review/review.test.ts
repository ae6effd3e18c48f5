import * as fs from 'node:fs';
import * as path from 'node:path';
import { stringify } from 'yaml';
import { parsePreview, type Preview, type PreviewStep } from '../../../deployment/operator/preview';
import { fileVariable } from '../../../deployment/operator/shipped-files';
import { reviewMarkdown } from '../../../review/markdown';
import { toYaml } from '../../../deployment/operator/task';
import type { ConfigRenderer } from '../../../review/bacalhau-config';
import { readPrices } from '../../../review/cost/prices';
import { reviewJsonSchema, reviewSchema, type Review } from '../../../review/model';
import { environmentOf } from '../../../review/places';
import { reviewStack } from '../../../review/review';
import { reviewText } from '../../../review/text';
import { standingNode } from '../operator/fixtures';

const inputs = {
  files: { 'bacalhau/docker-compose.yml': 'services: {}\n', 'scripts/run.sh': 'true\n' },
  prices: readPrices(),
  catalog: undefined,
  renderConfig: undefined,
};
const ofPlace = 'skyfleet:bacalhau:BacalhauFleet$skyfleet:sky:SkyCluster$command:local:Command';
const command = 'command:local:Command';

interface PlaceStep {
  op?: 'create' | 'update' | 'delete' | 'same';
  change?: string;
  nodes?: number;
  standing?: number;
  from?: Record<string, unknown>;
  to?: Record<string, unknown>;
  node?: [string, string];
  generation?: [string, string];
}

/** The two commands of a place in a preview. */
function place(name: string, step: PlaceStep): PreviewStep[] {
  const { op = 'update', change = '', nodes = 1, standing = 1, from = {}, to = from } = step;
  const { node = ['{}\n', '{}\n'], generation = ['1', '2'] } = step;
  const urn = (suffix: string): string => `urn:pulumi:dev::skyfleet::${ofPlace}::${name}-${suffix}`;
  const state = (suffix: string, environment: Record<string, string>, stdout?: string) => ({
    urn: urn(suffix),
    type: command,
    inputs: { environment },
    outputs: { stdout },
  });
  const ready = {
    incarnation: `${name}-aaaa`,
    tags: [],
    nodes: Array.from({ length: standing }, (_, member) =>
      standingNode(member === 0 ? `${name}-aaaa` : `${name}-aaaa-${member}`, `i-${member}`),
    ),
  };
  const submit = (index: 0 | 1) =>
    state('submit', {
      SKYFLEET_GENERATION: generation[index],
      SKYFLEET_CHANGE: index === 1 ? change : 'launch: a new place; 1 node',
      SKYFLEET_NODES: String(nodes),
      SKYFLEET_NODE: node[index],
      SKYFLEET_ORCHESTRATOR_TOKEN: '[secret]',
    });
  const wait = (applied: Record<string, unknown>) =>
    state('wait', { SKYFLEET_APPLIED: stringify(applied) }, JSON.stringify(ready));
  const old = op === 'create' ? {} : { oldState: submit(0) };
  const fresh = op === 'delete' ? {} : { newState: submit(1) };
  return [
    { op, urn: urn('submit'), ...old, ...fresh },
    {
      op,
      urn: urn('wait'),
      ...(op === 'create' ? {} : { oldState: wait(from) }),
      ...(op === 'delete' ? {} : { newState: wait(to) }),
    },
  ];
}

const resource = (
  op: string,
  type: string,
  name: string,
  diff?: Record<string, unknown>,
  values?: Record<string, unknown>,
): PreviewStep => {
  const urn = `urn:pulumi:dev::skyfleet::${type}::${name}`;
  const state = { urn, type, ...(values === undefined ? {} : { inputs: values }) };
  const old = op === 'create' ? {} : { oldState: state };
  return { op, urn, ...old, newState: state, detailedDiff: diff ?? null };
};

/** What the program says that a review goes by. */
function reviewed(environment: [Record<string, string>, Record<string, string>] = [{}, {}]): PreviewStep {
  const urn = `urn:pulumi:dev::skyfleet::skyfleet:review:Reviewed$${command}::skyfleet-dev-reviewed`;
  const state = (own: Record<string, string>) => ({
    urn,
    type: command,
    inputs: {
      environment: {
        SKYFLEET_STACK: 'organization/skyfleet/dev',
        SKYFLEET_GOVERNANCE: toYaml({ requiredTags: [], policy: {} }),
        ...own,
      },
    },
  });
  const [oldState, newState] = [state(environment[0]), state(environment[1])];
  return { op: Object.keys(environment[1]).length === 0 ? 'same' : 'update', urn, oldState, newState };
}

const preview = (steps: PreviewStep[], diagnostics: Preview['diagnostics'] = []): Preview =>
  parsePreview(JSON.stringify({ config: { 'aws:region': 'us-west-2' }, steps, diagnostics }));
const review = (...steps: PreviewStep[]) => reviewStack('dev', preview([reviewed(), ...steps]), inputs);

test('places with the same change are one operation, with old and new values', () => {
  const step = {
    change: 'refresh: bacalhau.logLevel info → debug; 1 node is brought up to date in place',
    from: { 'bacalhau.logLevel': 'info', tags: { a: 'b' } },
    to: { 'bacalhau.logLevel': 'debug', tags: { a: 'b' } },
  };
  const { operations, nodes, changes } = review(
    ...['s-10', 's-2', 's-0', 's-1'].flatMap((name) => place(name, step)),
  );
  expect(operations).toEqual([
    {
      kind: 'refresh',
      reason: 'bacalhau.logLevel info → debug; 1 node is brought up to date in place',
      places: ['s-0', 's-1', 's-2', 's-10'],
      changes: [{ input: 'bacalhau.logLevel', class: 'refresh', from: 'info', to: 'debug' }],
    },
  ]);
  expect(nodes).toMatchObject({ added: 0, removed: [], replaced: [] });
  expect(nodes.updated).toEqual(['s-0-aaaa', 's-1-aaaa', 's-2-aaaa', 's-10-aaaa']);
  expect(changes).toBe(true);
});

test.each<[string, PlaceStep, Partial<ReturnType<typeof review>['nodes']>]>([
  ['launch', { op: 'create', change: 'launch: a new place; 2 nodes', nodes: 2, standing: 0 }, { added: 2 }],
  ['removal', { op: 'delete', standing: 2 }, { removed: ['s-0-aaaa', 's-0-aaaa-1'] }],
  ['growth', { change: 'scale: nodesPerCluster 1 → 3; 2 nodes are added', nodes: 3 }, { added: 2 }],
  [
    'replacement',
    { change: 'replace: instanceType a → b; 1 node restarts elsewhere' },
    { replaced: ['s-0-aaaa'] },
  ],
  [
    'rebuilding',
    {
      change: 'rebuild-workers: nodesPerCluster 3 → 2; 2 workers end, 1 is made anew',
      nodes: 2,
      standing: 3,
    },
    { updated: ['s-0-aaaa'], replaced: ['s-0-aaaa-1'], removed: ['s-0-aaaa-2'] },
  ],
  [
    'repair',
    { change: 'repair: s-0-aaaa is gone (…); s-0-aaaa-1 is unhealthy (…)', nodes: 3, standing: 3 },
    { replaced: ['s-0-aaaa'], updated: ['s-0-aaaa-1'] },
  ],
])('%s tells which nodes it is about', (_, step, expected) => {
  const { nodes } = review(...place('s-0', step));
  expect(nodes).toEqual({ added: 0, removed: [], replaced: [], updated: [], identities: [], ...expected });
});

test('other sensors are told', () => {
  const [from, to] = [{ 'fleets[].ordinals': { first: 0 } }, { 'fleets[].ordinals': { first: 5 } }];
  const { nodes } = review(...place('s-0', { change: 'refresh: ordinals …', from, to }));
  expect(nodes.identities).toEqual([{ place: 's-0', why: 'other ordinals' }]);
});

test('drift is told alone and behind a change', () => {
  const { drift } = review(
    ...place('s-0', { change: 'repair: s-0-aaaa is gone (…)' }),
    ...place('s-1', { change: 'refresh: tags {} → {}; 1 node …; repair: s-1-aaaa is stopped (…)' }),
    ...place('s-2', { change: 'refresh: tags {} → {}; 1 node …' }),
  );
  expect(drift).toEqual([
    { place: 's-0', what: 's-0-aaaa is gone (…)' },
    { place: 's-1', what: 's-1-aaaa is stopped (…)' },
  ]);
});

test('what differs and has nothing run is told as such', () => {
  const step = {
    change: 'launch: a new place; 1 node',
    generation: ['1', '1'] as [string, string],
    node: ['{}\n', '{ }\n'] as [string, string],
    from: { 'fleets[].strategy': 'create-first' },
    to: { 'fleets[].strategy': 'delete-first' },
  };
  const { operations, nodes, files } = review(...place('s-0', step));
  expect(operations).toEqual([
    {
      kind: 'none',
      reason: 'strategy create-first → delete-first, node.json differs; nothing runs',
      places: ['s-0'],
      changes: [{ input: 'fleets[].strategy', class: 'none', from: 'create-first', to: 'delete-first' }],
    },
  ]);
  expect(nodes).toEqual({ added: 0, removed: [], replaced: [], updated: [], identities: [] });
  expect(files.map(({ text }) => text)).toEqual(['node.json']);
  expect(reviewText({ version: 1, stacks: [review(...place('s-0', step))] })).toMatch(
    /^dev: no place changes\n/,
  );
});

test('commands that are of another version, and what they are told only in the up, are told as such', () => {
  const generation: [string, string] = ['1', '1'];
  const [submit, wait] = place('s-0', { change: 'launch: a new place; 1 node', generation });
  const inputs = { ...submit?.newState?.inputs, delete: 'another program' };
  const reasonOf = (step: Record<string, unknown>): string | undefined => {
    const newState = { ...submit?.newState, inputs: { ...inputs, ...step } };
    return review({ ...submit, newState } as PreviewStep, wait as PreviewStep).operations[0]?.reason;
  };
  expect(reasonOf({})).toBe('its commands are of another version; nothing runs');
  // What a preview holds for a text that is not known yet.
  const unknown = {
    ...environmentOf(submit?.newState),
    SKYFLEET_SERVER: '04da6b54-80e4-46f7-96ec-b56ff0331ba9',
  };
  expect(reasonOf({ environment: unknown })).toBe(
    'its SkyPilot server is looked at again, its commands are of another version; nothing runs',
  );
  expect(reasonOf({ environment: unknown, delete: undefined })).toBe(
    'its SkyPilot server is looked at again; nothing runs',
  );
});

test('a place whose commands are the same does not change, and a reason that is unheard of is refused', () => {
  expect(review(...place('s-0', { op: 'same', generation: ['1', '1'] })).operations).toEqual([]);
  expect(() => review(...place('s-0', { change: 'explode: x' }))).toThrow('"explode: x" is no reason');
});

test('texts that differ are shown once, with the places in which they differ so, and secrets are not', () => {
  const urn = `urn:pulumi:dev::skyfleet::${command}::s-files-reviewed`;
  const state = (compose: string, run: string) => ({
    urn,
    type: command,
    inputs: {
      environment: {
        [fileVariable('bacalhau/docker-compose.yml')]: compose,
        [fileVariable('scripts/run.sh')]: run,
      },
    },
  });
  const node = (name: string, level: string) => `{\n  "place": "${name}",\n  "logLevel": "${level}"\n}\n`;
  const step = (name: string): PlaceStep => ({
    change: 'refresh: x',
    node: [node(name, 'info'), node(name, 'debug')],
  });
  const { files: diffs } = review(
    {
      op: 'update',
      urn,
      oldState: state('a: 1\nb: 2\n', '[secret]'),
      newState: state('a: 1\nb: 3\n', 'x'),
    },
    ...place('s-0', step('s-0')),
    ...place('s-1', step('s-1')),
  );
  expect(diffs).toEqual([
    { text: 'bacalhau/docker-compose.yml', of: ['s'], diff: '@@ -1,2 +1,2 @@\n a: 1\n-b: 2\n+b: 3\n' },
    { text: 'scripts/run.sh', of: ['s'], diff: '' },
    {
      text: 'node.json',
      of: ['s-0', 's-1'],
      diff: expect.stringContaining('+  "logLevel": "debug"') as string,
    },
  ]);
});

describe('the Bacalhau configuration', () => {
  const node = (name: string, level: string) => `{\n  "place": "${name}",\n  "logLevel": "${level}"\n}\n`;
  const changed = ['s-0', 's-1'].flatMap((name) =>
    place(name, { change: 'refresh: x', node: [node(name, 'info'), node(name, 'debug')] }),
  );
  const reviewWith = (renderConfig: typeof inputs.renderConfig | ConfigRenderer) =>
    reviewStack('dev', preview([reviewed(), ...changed]), { ...inputs, renderConfig });

  test('is shown as the nodes will make it, once for all places that change so', () => {
    const asked: string[] = [];
    const { files } = reviewWith((settings, { instanceId, zone }) => {
      asked.push(`${instanceId} ${zone}`);
      return `Level: ${(JSON.parse(settings) as { logLevel: string }).logLevel}\n`;
    });
    const [config] = files.filter(({ text }) => text === 'Bacalhau configuration');
    expect(config).toEqual({
      text: 'Bacalhau configuration',
      of: ['s-0', 's-1'],
      diff: '@@ -1,1 +1,1 @@\n-Level: info\n+Level: debug\n',
    });
    expect(asked).toEqual(['i-0 us-west-2a', 'i-0 us-west-2a']);
  });

  test('that nodes could not make fails the review, with what they would say', () => {
    const refuse = (): string => {
      throw new Error('bacalhau.labels has name');
    };
    expect(() => reviewWith(refuse)).toThrow(
      's-0: its nodes could not make their configuration: bacalhau.labels',
    );
  });

  test('is told not to be shown where it cannot be made', () => {
    expect(reviewWith(undefined).notes).toContainEqual(expect.stringContaining('there is no python3'));
  });
});

test('resources beside the places are told once each, with the properties that differ', () => {
  const { resources, operations } = review(
    resource('create', 'aws:ec2/subnet:Subnet', 'subnet-c'),
    resource('update', 'aws:ec2/vpc:Vpc', 'vpc', { 'tags.team': {} }),
    resource('create-replacement', 'aws:iam/role:Role', 'role', { name: {} }),
    resource('replace', 'aws:iam/role:Role', 'role', { name: {} }),
    resource('same', 'aws:s3/bucket:Bucket', 'bucket'),
    resource('create', 'skyfleet:sky:SkyCluster', 's-0'),
  );
  expect(operations).toEqual([]);
  expect(resources).toEqual([
    { op: 'create', type: 'aws:ec2/subnet:Subnet', name: 'subnet-c', properties: [] },
    { op: 'update', type: 'aws:ec2/vpc:Vpc', name: 'vpc', properties: ['tags.team'] },
    { op: 'replace', type: 'aws:iam/role:Role', name: 'role', properties: ['name'] },
  ]);
});

test('secrets are told by their fingerprints', () => {
  const steps = [
    reviewed([
      { SECRET_orchestratorToken: 'aaaa', SECRET_skypilotToken: 'bbbb' },
      { SECRET_orchestratorToken: 'cccc', SECRET_skypilotToken: 'bbbb', SECRET_orchestratorApiToken: 'dddd' },
    ]),
  ];
  expect(reviewStack('dev', preview(steps), inputs).secrets).toEqual([
    { secret: 'orchestratorToken', from: 'aaaa', to: 'cccc' },
    { secret: 'orchestratorApiToken', from: null, to: 'dddd' },
  ]);
});

test('a program that does not say what it is reviewed by is refused', () => {
  expect(() => reviewStack('dev', preview([]), inputs)).toThrow('it must declare the component Reviewed');
});

test('notes are what the preview says besides', () => {
  const diagnostics = [
    { severity: 'info', message: 'info: s-0, s-1: refresh: tags …\n' },
    { severity: 'info', message: 'info: s-0: SkyPilot is bringing s-0-aaaa back by itself (RECOVERING)\n' },
    { severity: 'warning', message: 'warning: using pulumi-language-nodejs from $PATH at /x\n' },
    { severity: 'warning', message: '\u001b[33mwarning: What is really there is not known: …\u001b[0m\n' },
  ];
  expect(reviewStack('dev', preview([reviewed()], diagnostics), inputs).notes).toEqual([
    's-0: SkyPilot is bringing s-0-aaaa back by itself (RECOVERING)',
    'What is really there is not known: …',
  ]);
});

describe('a review', () => {
  const tags = { 'skyfleet-stack': 'organization/skyfleet/dev' };
  const changed = review(
    ...place('s-0', { change: 'replace: instanceType a|<b> → c; 1 node restarts elsewhere' }),
    resource('update', 'aws:ec2/vpc:Vpc', 'vpc', { 'tags.team': {} }, { tags }),
  );
  const blocked = review(
    resource('update', 'aws:ec2/vpc:Vpc', 'vpc', { 'tags.team': {} }, { tags: {} }),
    resource('same', 'aws:ec2/eip:Eip', 'address', undefined, { tags }),
  );
  const whole: Review = { version: 1, stacks: [changed, review()] };

  test('is what its schema says, which docs/review.schema.json publishes', () => {
    expect(reviewSchema.parse(JSON.parse(JSON.stringify(whole)))).toEqual(JSON.parse(JSON.stringify(whole)));
    const published = path.join(__dirname, '../../../docs/review.schema.json');
    expect(JSON.parse(fs.readFileSync(published, 'utf8'))).toEqual(JSON.parse(reviewJsonSchema()));
  });

  test('reads as text', () => {
    expect(reviewText({ version: 1, stacks: [blocked, review()] })).toBe(
      [
        'dev: no place changes; blocked by missing-tags',
        '',
        'Policy',
        '  error: vpc: has no tag skyfleet-stack (missing-tags)',
        '    add it to skyfleet:tags',
        '',
        'Cost',
        '                             count  a month  difference  an hour',
        '  public IPv4 addresses      1      $3.65                $0.0050',
        '  total                             $3.65                $0.0050',
        '  worst case, all on-demand         $3.65                $0.0050',
        '  Machines: unknown: there is no catalog. A month is 730 hours.',
        '  Assumed: 10 GB in each bucket, averaged over the month. Not in it: traffic, requests and taxes.',
        '',
        'Other resources: 1 to update',
        '  update aws:ec2/vpc:Vpc vpc (tags.team)',
        '',
        'dev: no changes',
        '',
      ].join('\n'),
    );
  });

  test('tells what several stacks cost together', () => {
    const two: Review = { version: 1, stacks: [blocked, review(), blocked] };
    expect(reviewText(two)).toMatch(
      /\nAll stacks\n.*\n {2}total +\$7\.30 +\$0\.0100\n {2}worst case, all on-demand +\$7\.30 +\$0\.0100\n$/,
    );
    expect(reviewMarkdown(two)).toMatch(
      /\n## All stacks\n\n.*\n.*\n\| total \| \$7\.30 \|  \| \$0\.0100 \|\n/,
    );
    expect(reviewText({ version: 1, stacks: [blocked, review()] })).not.toContain('All stacks');
  });

  test('leaves out what a stack without anything costs', () => {
    expect(reviewText({ version: 1, stacks: [review()] })).toBe('dev: no changes\n');
  });

  test('reads as Markdown, in which nothing of the configuration is taken for markup', () => {
    const markdown = reviewMarkdown({ version: 1, stacks: [changed, blocked, review()] });
    expect(markdown).toContain(
      '| `replace` | s-0 | instanceType a\\|&lt;b&gt; → c; 1 node restarts elsewhere |',
    );
    expect(markdown).toContain('<details><summary>Other resources: 1 to update</summary>');
    expect(markdown).toContain('**An `up` is blocked by missing-tags.**');
    expect(markdown).toContain(
      '| **error** | vpc | has no tag skyfleet-stack (`missing-tags`) | add it to skyfleet:tags |',
    );
    expect(markdown).toContain('| public IPv4 addresses | 1 | $3.65 |  | $0.0050 |');
    expect(markdown).toContain('## dev: no changes');
  });
});
