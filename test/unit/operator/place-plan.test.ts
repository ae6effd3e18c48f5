import { inputsFingerprint, planPlace, type PlaceFacts } from '../../../deployment/operator/place-plan';
import type { RecordedPlace } from '../../../deployment/operator/recorded-state';

const inputs = {
  'fleets[].instanceType': 't3.medium',
  'fleets[].nodesPerCluster': 1,
  'fleets[].zones': ['us-west-2a', 'us-west-2b'],
  'bacalhau.logLevel': 'info',
  files: { 'bacalhau/docker-compose.yml': '1', 'sensor/docker-compose.yml': '1' },
};
const node = {
  instanceId: 'i-1',
  zone: 'us-west-2a',
  region: 'us-west-2',
  privateIp: '10.0.0.4',
  publicIp: null,
  nodeName: 'sensors-0-aaaa',
  ordinal: 0,
  sensorId: 'SENSOR_WA_SEA_0000',
};
const token = 'planted-token';

const applied = {
  managed: false,
  inputs,
  submission: 's4',
  ready: { incarnation: 'sensors-0-aaaa', generation: 4, nodes: [node], tags: [] },
  token,
};

/** A place whose last change was carried through. */
const recorded: RecordedPlace = {
  place: 'sensors-0',
  environment: {},
  submitted: {
    generation: 4,
    change: 'launch: a new place; 1 node',
    serving: '',
    inputs: inputsFingerprint(inputs),
    submission: { incarnation: 'sensors-0-aaaa', requestId: 'r', retiring: [], generation: 4 },
    token,
  },
  applied,
  finished: true,
};

const plan = (facts: Partial<PlaceFacts>) =>
  planPlace({ nodes: 1, wanted: inputs, token, recorded, faults: [], launch: undefined, ...facts });

test('a new place is launched', () => {
  expect(plan({ recorded: undefined, nodes: 2 })).toEqual({
    generation: 1,
    change: 'launch: a new place; 2 nodes',
    serving: '',
    changes: true,
  });
});

test('where nothing differs and nothing is wrong, everything is as it was recorded', () => {
  expect(plan({})).toEqual({
    generation: 4,
    change: 'launch: a new place; 1 node',
    serving: '',
    changes: false,
  });
});

test.each<[string, Record<string, unknown>, string]>([
  [
    'other machines',
    { 'fleets[].instanceType': 't3.large' },
    'replace: instanceType t3.medium → t3.large; 1 node restarts elsewhere',
  ],
  [
    'a zone that the node stands in and that is not named any more',
    { 'fleets[].zones': ['us-west-2b'] },
    'replace: zones ["us-west-2a","us-west-2b"] → ["us-west-2b"]; 1 node restarts elsewhere',
  ],
  [
    'another log level',
    { 'bacalhau.logLevel': 'debug' },
    'refresh: bacalhau.logLevel info → debug; 1 node is brought up to date in place',
  ],
  [
    'a shipped file',
    { files: { ...inputs.files, 'bacalhau/docker-compose.yml': '2' } },
    'refresh: bacalhau/docker-compose.yml changed; 1 node is brought up to date in place',
  ],
  [
    'several things, the hardest first',
    { 'bacalhau.logLevel': 'debug', 'fleets[].instanceType': 't3.large' },
    'replace: instanceType t3.medium → t3.large, bacalhau.logLevel info → debug; 1 node restarts elsewhere',
  ],
])('%s: the reason names the class, old and new values and what follows', (_, change, expected) => {
  expect(plan({ wanted: { ...inputs, ...change } })).toEqual({
    generation: 5,
    change: expected,
    serving: 'sensors-0-aaaa',
    changes: true,
  });
});

test('more nodes are added, fewer mean that the workers are made anew', () => {
  const sized = (from: number, to: number) =>
    plan({
      nodes: to,
      wanted: { ...inputs, 'fleets[].nodesPerCluster': to },
      recorded: {
        ...recorded,
        applied: { ...applied, inputs: { ...inputs, 'fleets[].nodesPerCluster': from } },
      },
    }).change;
  expect(sized(1, 3)).toBe('scale: nodesPerCluster 1 → 3; 2 nodes are added');
  expect(sized(3, 2)).toBe('rebuild-workers: nodesPerCluster 3 → 2; 2 workers end, 1 is made anew');
});

test('many changed files are counted', () => {
  const files = Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((file) => [file, '2']));
  expect(plan({ wanted: { ...inputs, files: { ...inputs.files, ...files } } }).change).toBe(
    'refresh: a, b, c and 2 other files changed; 1 node is brought up to date in place',
  );
});

test('another token refreshes, and is not shown', () => {
  const { change } = plan({ token: 'other-token' });
  expect(change).toBe('refresh: orchestratorToken changed; 1 node is brought up to date in place');
});

const gone = { kind: 'gone' as const, node: 'sensors-0-aaaa', text: 'sensors-0-aaaa (i-1) is gone' };

test('what is wrong is repaired, each time anew', () => {
  expect(plan({ faults: [gone] })).toMatchObject({
    generation: 5,
    change: 'repair: sensors-0-aaaa (i-1) is gone',
  });
  const again = { ...recorded, submitted: { ...recorded.submitted, generation: 5, change: 'repair: x' } };
  expect(plan({ recorded: again, faults: [gone] }).generation).toBe(6);
  expect(plan({ recorded: again })).toMatchObject({ generation: 5, change: 'repair: x', changes: false });
});

test('a change and a repair are told together', () => {
  expect(plan({ faults: [gone], wanted: { ...inputs, 'bacalhau.logLevel': 'debug' } }).change).toBe(
    'refresh: bacalhau.logLevel info → debug; 1 node is brought up to date in place; repair: sensors-0-aaaa (i-1) is gone',
  );
});

describe('a change that was submitted and not carried through', () => {
  const wanted = { ...inputs, 'fleets[].instanceType': 't3.large' };
  const unfinished: RecordedPlace = {
    ...recorded,
    submitted: {
      ...recorded.submitted,
      generation: 5,
      change: 'replace: …',
      inputs: inputsFingerprint(wanted),
      submission: {
        incarnation: 'sensors-0-bbbb',
        requestId: 'q',
        retiring: ['sensors-0-aaaa'],
        generation: 5,
      },
    },
    finished: false,
  };

  test.each(['under way', 'succeeded'] as const)('is joined while its launch is %s', (launch) => {
    expect(plan({ recorded: unfinished, wanted, launch })).toMatchObject({ generation: 5, changes: false });
  });

  test('is tried again with the old values that were last applied once its launch has failed', () => {
    expect(plan({ recorded: unfinished, wanted, launch: 'failed' })).toMatchObject({
      generation: 6,
      change: 'replace: instanceType t3.medium → t3.large; 1 node restarts elsewhere',
      serving: 'sensors-0-aaaa',
    });
  });

  test('is taken back when the configuration is', () => {
    expect(plan({ recorded: unfinished, launch: 'under way' })).toMatchObject({
      generation: 6,
      change: 'revert: the last change was not finished and is taken back; sensors-0-aaaa stays',
      serving: 'sensors-0-aaaa',
    });
  });

  test('is not joined with another token', () => {
    expect(plan({ recorded: unfinished, wanted, token: 'other', launch: 'under way' }).generation).toBe(6);
  });
});

describe('a first launch that was not carried through', () => {
  const first: RecordedPlace = { ...recorded, applied: undefined, finished: false };

  test('is joined, or launched again where it failed', () => {
    expect(plan({ recorded: first, launch: 'under way' }).changes).toBe(false);
    expect(plan({ recorded: first, launch: 'failed' })).toMatchObject({
      generation: 5,
      change: 'repair: the launch of sensors-0-aaaa has failed; it is launched again',
      serving: '',
    });
  });

  test('is launched anew with what the configuration says by now', () => {
    const wanted = { ...inputs, 'fleets[].instanceType': 't3.large' };
    expect(plan({ recorded: first, wanted, launch: 'under way' })).toMatchObject({
      generation: 5,
      change:
        'launch: the launch of sensors-0-aaaa was not finished, and the configuration has changed since; 1 node',
    });
  });
});

test('what an earlier version applied is refreshed once', () => {
  const earlier = { ...recorded, applied: { ...applied, inputs: undefined } };
  expect(plan({ recorded: earlier }).change).toBe(
    'refresh: an earlier version has applied what it did not record; 1 node is brought up to date in place',
  );
});
