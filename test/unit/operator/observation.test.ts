import { labelKeys } from '../../../deployment/operator/incarnation';
import {
  confirmed,
  doubtfulClusters,
  faultsOf,
  foreignClaims,
  recoveringJobs,
  type Fault,
  type HealthReport,
  type Seen,
  type StandingPlace,
} from '../../../deployment/operator/observation';
import { orchestratorNode, standingCluster, standingNode } from './fixtures';

const single: StandingPlace = {
  place: 'sensors-0',
  incarnation: 'sensors-0-aaaa',
  managed: false,
  nodes: [standingNode('sensors-0-aaaa', 'i-0')],
};
const pair: StandingPlace = {
  place: 'sensors-1',
  incarnation: 'sensors-1-bbbb',
  managed: false,
  nodes: [standingNode('sensors-1-bbbb-0', 'i-10'), standingNode('sensors-1-bbbb-1', 'i-11')],
};
const recorded = [single, pair];

/** Everything as it should be. */
const well: Seen = {
  running: new Set(['i-0', 'i-10', 'i-11', 'i-other']),
  stopped: new Set(),
  clusters: [standingCluster('sensors-0-aaaa'), standingCluster('sensors-1-bbbb')],
  jobs: new Map(),
  unhealthy: new Map(),
  orchestrator: ['sensors-0-aaaa', 'sensors-1-bbbb-0', 'sensors-1-bbbb-1'].map((name) =>
    orchestratorNode(name),
  ),
};
const seen = (change: Partial<Seen>): Map<string, Fault[]> => faultsOf(recorded, { ...well, ...change });
const report = (instanceId: string): HealthReport => ({
  instanceId,
  checks: [
    { name: 'disk', ok: true, detail: '9 GiB free' },
    { name: 'service sensor', ok: false, detail: 'sensor is paused' },
    { name: 'sensor rows', ok: false, detail: 'the newest row is 300 s old' },
  ],
});

describe('no fault', () => {
  test('is where everything is as it should be', () => {
    expect(seen({})).toEqual(new Map());
  });

  test.each(['INIT', 'STOPPED'])('is what SkyPilot remembers as %s while all instances run', (status) => {
    expect(seen({ clusters: well.clusters.map((cluster) => ({ ...cluster, status })) })).toEqual(new Map());
  });

  test('is made of what the orchestrator was not asked', () => {
    expect(seen({ orchestrator: undefined })).toEqual(new Map());
  });

  test('is a node that waits for its approval', () => {
    const orchestrator = well.orchestrator?.map((node) => ({ ...node, membership: 'PENDING' }));
    expect(seen({ orchestrator })).toEqual(new Map());
  });

  test('is a report of an earlier instance of that name', () => {
    expect(seen({ unhealthy: new Map([['sensors-0-aaaa', report('i-before')]]) })).toEqual(new Map());
  });
});

describe('a fault', () => {
  test('is an instance that AWS does not have, whatever SkyPilot remembers', () => {
    expect(seen({ running: new Set(['i-0', 'i-10']) })).toEqual(
      new Map([
        [
          'sensors-1',
          [
            {
              kind: 'gone',
              node: 'sensors-1-bbbb-1',
              text: 'sensors-1-bbbb-1 is gone (AWS has no instance i-11 any more)',
            },
          ],
        ],
      ]),
    );
  });

  test('is an instance that is stopped', () => {
    const faults = seen({ running: new Set(['i-10', 'i-11']), stopped: new Set(['i-0']) });
    expect(faults.get('sensors-0')).toEqual([
      { kind: 'stopped', node: 'sensors-0-aaaa', text: 'sensors-0-aaaa is stopped (instance i-0)' },
    ]);
  });

  test('is a cluster that SkyPilot does not know, for each of its nodes', () => {
    const faults = seen({ clusters: [standingCluster('sensors-0-aaaa')] });
    expect([...faults.keys()]).toEqual(['sensors-1']);
    expect(faults.get('sensors-1')).toMatchObject([
      {
        kind: 'gone',
        text: 'sensors-1-bbbb-0 is gone from SkyPilot, which does not know cluster sensors-1-bbbb',
      },
      { kind: 'gone', node: 'sensors-1-bbbb-1' },
    ]);
  });

  test('is what a node has found wrong with itself, with each check that failed', () => {
    const faults = seen({ unhealthy: new Map([['sensors-1-bbbb-1', report('i-11')]]) });
    expect(faults.get('sensors-1')).toEqual([
      {
        kind: 'unhealthy',
        node: 'sensors-1-bbbb-1',
        text: 'sensors-1-bbbb-1 is unhealthy (service sensor: sensor is paused; sensor rows: the newest row is 300 s old)',
      },
    ]);
  });

  test.each([
    ['that the orchestrator does not hear', [orchestratorNode('sensors-0-aaaa', 'DISCONNECTED')]],
    ['that the orchestrator does not have', []],
  ])('is a node %s', (_, nodes) => {
    const others = (well.orchestrator ?? []).filter(({ name }) => name !== 'sensors-0-aaaa');
    const faults = seen({ orchestrator: [...others, ...nodes] });
    expect([...faults.keys()]).toEqual(['sensors-0']);
    expect(faults.get('sensors-0')).toEqual([
      {
        kind: 'disconnected',
        node: 'sensors-0-aaaa',
        text: `sensors-0-aaaa is disconnected from the orchestrator (${
          nodes.length === 0 ? 'it is not on its list' : 'it is APPROVED and DISCONNECTED'
        })`,
      },
    ]);
  });

  test('of what is not there is one, and of what is there each', () => {
    const faults = seen({
      running: new Set(['i-0', 'i-10']),
      unhealthy: new Map([
        ['sensors-0-aaaa', report('i-0')],
        ['sensors-1-bbbb-1', report('i-11')],
      ]),
      orchestrator: [],
    });
    const kinds = [...faults].map(([place, found]) => [place, found.map(({ kind }) => kind)]);
    expect(kinds).toEqual([
      ['sensors-0', ['unhealthy', 'disconnected']],
      ['sensors-1', ['disconnected', 'gone']],
    ]);
  });
});

describe('the second look', () => {
  const gone = seen({ running: new Set(['i-10', 'i-11']) });
  const stopped = seen({ running: new Set(['i-10', 'i-11']), stopped: new Set(['i-0']) });
  const unhealthy = seen({ unhealthy: new Map([['sensors-0-aaaa', report('i-0')]]) });
  const disconnected = seen({ orchestrator: [] });

  test('confirms what it sees again, in its own words', () => {
    const later = {
      ...report('i-0'),
      checks: [{ name: 'disk', ok: false, detail: 'full' }],
    };
    const second = seen({ unhealthy: new Map([['sensors-0-aaaa', later]]) });
    expect(confirmed(unhealthy, second)).toEqual(second);
    expect(confirmed(gone, gone)).toEqual(gone);
  });

  test('takes a stopped instance that has ended since for one that is not there', () => {
    expect(confirmed(stopped, gone)).toEqual(gone);
  });

  test.each([
    ['nothing', gone, new Map<string, Fault[]>()],
    ['something of which the first saw nothing', new Map<string, Fault[]>(), gone],
    ['another kind of fault', unhealthy, gone],
    ['the fault of another node', seen({ running: new Set(['i-0', 'i-10']) }), gone],
  ])('confirms no fault where it sees %s', (_, first, second) => {
    expect(confirmed(first, second)).toEqual(new Map());
  });

  test('leaves out of a place what only one look has seen', () => {
    const both = seen({ unhealthy: new Map([['sensors-0-aaaa', report('i-0')]]), orchestrator: [] });
    expect(confirmed(disconnected, both)).toEqual(disconnected);
  });

  test('asks SkyPilot again for clusters whose instances or name it did not find', () => {
    expect(doubtfulClusters(recorded, gone)).toEqual(['sensors-0-aaaa']);
    expect(doubtfulClusters(recorded, seen({ clusters: [] }))).toEqual(['sensors-0-aaaa', 'sensors-1-bbbb']);
    expect(doubtfulClusters(recorded, unhealthy)).toEqual([]);
    expect(doubtfulClusters(recorded, disconnected)).toEqual([]);
  });
});

describe('a place of the same name', () => {
  const cluster = (name: string, stack: string | undefined, place: string) => ({
    ...standingCluster(name),
    labels: { ...(stack === undefined ? {} : { [labelKeys.stack]: stack }), [labelKeys.place]: place },
  });

  test('that another stack claims is told with that stack, its cluster and what to do', () => {
    const clusters = [
      cluster('sensors-0-zzzz', 'organization/skyfleet/prod', 'sensors-0'),
      cluster('sensors-0-aaaa', 'organization/skyfleet/dev', 'sensors-0'),
    ];
    expect(foreignClaims(clusters, 'organization/skyfleet/dev', ['sensors-0', 'sensors-1'])).toEqual([
      'place sensors-0 is claimed by stack organization/skyfleet/prod on the same SkyPilot server, with cluster sensors-0-zzzz: ' +
        'rename the fleet in one of the two stacks, or take the other one down with: pulumi destroy --stack organization/skyfleet/prod',
    ]);
  });

  test('is no problem where the place is none of ours, or no stack claims it', () => {
    const clusters = [
      cluster('edge-0-zzzz', 'organization/skyfleet/prod', 'edge-0'),
      cluster('sensors-0-mine', undefined, 'sensors-0'),
      { ...standingCluster('somebody'), labels: null },
    ];
    expect(foreignClaims(clusters, 'organization/skyfleet/dev', ['sensors-0'])).toEqual([]);
  });
});

describe('a managed job', () => {
  const managed: StandingPlace[] = [{ ...single, managed: true }];
  const job = (status: string): Partial<Seen> => ({
    jobs: new Map([['sensors-0-aaaa', { id: 1, name: 'sensors-0-aaaa-…', status }]]),
    clusters: [],
  });
  const faults = (change: Partial<Seen>): Map<string, Fault[]> => faultsOf(managed, { ...well, ...change });

  test('that runs is well, whatever instance its node is on by now, and in no list of clusters', () => {
    expect(faults({ ...job('RUNNING'), running: new Set(['i-other']) })).toEqual(new Map());
  });

  test('that is being brought back is no fault, and is told', () => {
    const seen = { ...job('RECOVERING'), running: new Set<string>(), orchestrator: [] };
    expect(faults(seen)).toEqual(new Map());
    expect(recoveringJobs(managed, { ...well, ...seen })).toEqual([
      'sensors-0: SkyPilot is bringing sensors-0-aaaa back by itself (RECOVERING); there is nothing to do for up',
    ]);
    expect(recoveringJobs(managed, { ...well, ...job('RUNNING') })).toEqual([]);
  });

  test('that has ended is gone', () => {
    expect(faults({ clusters: [] }).get('sensors-0')).toMatchObject([
      { kind: 'gone', node: 'sensors-0-aaaa' },
    ]);
    expect(doubtfulClusters(managed, faults({ clusters: [] }))).toEqual([]);
  });

  test('is unhealthy by what the instance that it has now says, not one that it had', () => {
    const says = (instanceId: string): Partial<Seen> => ({
      ...job('RUNNING'),
      unhealthy: new Map([['sensors-0-aaaa', report(instanceId)]]),
    });
    expect(faults(says('i-other')).get('sensors-0')).toMatchObject([{ kind: 'unhealthy' }]);
    expect(faults(says('i-before'))).toEqual(new Map());
  });

  test('is disconnected where the orchestrator says so', () => {
    const orchestrator = [orchestratorNode('sensors-0-aaaa', 'DISCONNECTED')];
    expect(faults({ ...job('RUNNING'), orchestrator }).get('sensors-0')).toMatchObject([
      { kind: 'disconnected' },
    ]);
  });
});
