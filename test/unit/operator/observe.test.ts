import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { observe, type Observation, type Sources } from '../../../deployment/operator/observe';
import type { StandingPlace } from '../../../deployment/operator/observation';
import { Orchestrator } from '../../../deployment/operator/orchestrator';
import { ownServer } from '../../../deployment/operator/server-identity';
import type { ClusterStatus } from '../../../deployment/operator/skypilot';
import { standingCluster, standingNode } from './fixtures';
import { SkyPilotServer } from './skypilot-server';

const mark = '0a1b2c3d';
const recorded: StandingPlace[] = ['0', '1'].map((index) => ({
  place: `sensors-${index}`,
  incarnation: `sensors-${index}-aaaa`,
  managed: false,
  nodes: [standingNode(`sensors-${index}-aaaa`, `i-${index}`)],
}));
const markerOf = (node: string): string => `fleets/sensors/health/faults/${node}.json`;
const report = JSON.stringify({
  healthy: false,
  instanceId: 'i-0',
  checks: [{ name: 'service sensor', ok: false, detail: 'sensor is paused', status: 'paused' }],
});

/** What is there at one time; each look but the last takes one away. */
interface There {
  running: string[];
  stopped?: string[];
  markers?: Record<string, string>;
  disconnected?: string[];
}

let server: SkyPilotServer;
let endpoint: string;
let orchestratorServer: http.Server;
let orchestrator: Orchestrator;
/** What SkyPilot remembers, and what it finds when it looks again. */
let clusters: ClusterStatus[];
let refreshed: ClusterStatus[];
let looks: There[];
/** What was asked of AWS and the bucket, in order. */
let asked: string[];

const now = (): There => looks[0] ?? { running: [] };

beforeEach(async () => {
  looks = [{ running: ['i-0', 'i-1'] }];
  clusters = recorded.map(({ incarnation }) => standingCluster(incarnation));
  refreshed = clusters;
  asked = [];
  server = new SkyPilotServer(({ body }) => {
    if (body['refresh'] === 'NONE') return { value: clusters };
    const names = body['cluster_names'] as string[];
    return { value: refreshed.filter(({ name }) => names.includes(name)) };
  });
  server.users.add(mark);
  endpoint = await server.start();
  orchestratorServer = http.createServer((_, response) => {
    const Nodes = recorded.map(({ incarnation: NodeID }) => ({
      Info: { NodeID, NodeType: 'Compute', Labels: null },
      Membership: 'APPROVED',
      ConnectionState: { Status: now().disconnected?.includes(NodeID) ? 'DISCONNECTED' : 'CONNECTED' },
    }));
    response.end(JSON.stringify({ Nodes }));
  });
  await new Promise<void>((resolve) => orchestratorServer.listen(0, '127.0.0.1', resolve));
  const { port } = orchestratorServer.address() as AddressInfo;
  orchestrator = new Orchestrator(`http://127.0.0.1:${port}`);
});
afterEach(async () => {
  await server.stop();
  orchestratorServer.closeAllConnections();
  await new Promise((resolve) => orchestratorServer.close(resolve));
});

function sources(changes: Partial<Sources> = {}): Sources {
  return {
    stack: 'organization/skyfleet/dev',
    server: () =>
      ownServer({
        SKYFLEET_STACK: 'organization/skyfleet/dev',
        SKYFLEET_SKYPILOT_ENDPOINT: endpoint,
        SKYFLEET_SERVER: JSON.stringify({ mark }),
      }),
    instances: (states) => {
      asked.push(`instances ${states.join(' ')}`);
      return Promise.resolve((states.includes('running') ? now().running : now().stopped) ?? []);
    },
    bucket: {
      list: (prefix) => {
        asked.push(`list ${prefix}`);
        return Promise.resolve(Object.keys(now().markers ?? {}).filter((key) => key.startsWith(prefix)));
      },
      read: (key) => {
        asked.push(`read ${key}`);
        const text = now().markers?.[key];
        return text === undefined ? Promise.reject(new Error(`no ${key}`)) : Promise.resolve(text);
      },
    },
    folders: ['fleets/sensors/'],
    orchestrator,
    settleSeconds: 0,
    ...changes,
  };
}

/** What is seen where things are `first`, and `second` by the time of the second look. */
function between(first: There, second: There, changes: Partial<Sources> = {}): Promise<Observation> {
  looks = [first, second];
  const { instances, ...others } = sources(changes);
  let counted = 0;
  return observe(recorded, {
    ...others,
    instances: (states) => {
      // Two questions belong to each look.
      if (++counted === 3) looks.shift();
      return instances(states);
    },
  });
}

const kindsOf = (observation: Observation): unknown =>
  'unknown' in observation
    ? observation
    : [...observation.faults].map(([place, faults]) => [place, ...faults.map(({ kind }) => kind)]);

test('where all is well everything is asked once, with one request of a kind', async () => {
  const observation = await observe(recorded, sources());
  expect(observation).toEqual({ faults: new Map(), statuses: clusters, recovering: [], unseen: [] });
  expect(server.received.map(({ path, body }) => [path, body['refresh'], body['summary_response']])).toEqual([
    ['/status', 'NONE', true],
  ]);
  expect(asked.sort()).toEqual([
    'instances pending running',
    'instances stopping stopped',
    'list fleets/sensors/health/faults/',
  ]);
});

test('a lost instance is found although SkyPilot takes its cluster for UP, and SkyPilot looks for that one again', async () => {
  looks = [{ running: ['i-0'] }];
  refreshed = [];
  const observation = await observe(recorded, sources());
  expect(kindsOf(observation)).toEqual([['sensors-1', 'gone']]);
  expect(observation).toMatchObject({ statuses: [{ name: 'sensors-0-aaaa' }] });
  expect(server.received.map(({ body }) => [body['refresh'], body['cluster_names']])).toEqual([
    ['NONE', null],
    ['FORCE', ['sensors-1-aaaa']],
  ]);
});

test('a cluster that SkyPilot has only overlooked is no fault', async () => {
  clusters = clusters.slice(0, 1);
  const observation = await observe(recorded, sources());
  expect(kindsOf(observation)).toEqual([]);
  expect(observation).toMatchObject({ statuses: [{ name: 'sensors-0-aaaa' }, { name: 'sensors-1-aaaa' }] });
});

test('what the second look does not see is no fault', async () => {
  const well = { running: ['i-0', 'i-1'] };
  expect(kindsOf(await between({ running: ['i-1'] }, well))).toEqual([]);
  expect(kindsOf(await between({ ...well, disconnected: ['sensors-0-aaaa'] }, well))).toEqual([]);
  expect(
    kindsOf(await between({ ...well, markers: { [markerOf('sensors-0-aaaa')]: report } }, well)),
  ).toEqual([]);
});

test('what both looks see is told for each place', async () => {
  looks = [
    {
      running: ['i-0'],
      stopped: ['i-1'],
      markers: { [markerOf('sensors-0-aaaa')]: report },
      disconnected: ['sensors-0-aaaa'],
    },
  ];
  const observation = await observe(recorded, sources());
  expect(kindsOf(observation)).toEqual([
    ['sensors-0', 'unhealthy', 'disconnected'],
    ['sensors-1', 'stopped'],
  ]);
  expect(JSON.stringify([...('faults' in observation ? observation.faults : [])])).toContain(
    'sensors-0-aaaa is unhealthy (service sensor: sensor is paused)',
  );
});

test('SkyPilot is not asked again about nodes that are there', async () => {
  looks = [{ running: ['i-0', 'i-1'], disconnected: ['sensors-0-aaaa'] }];
  expect(kindsOf(await observe(recorded, sources()))).toEqual([['sensors-0', 'disconnected']]);
  expect(server.received).toHaveLength(1);
});

test('of the reports in the bucket only those of recorded nodes are read', async () => {
  const markers = { [markerOf('sensors-0-aaaa')]: report, [markerOf('sensors-0-old1')]: report };
  looks = [{ running: ['i-0', 'i-1'], markers }];
  expect(kindsOf(await observe(recorded, sources()))).toEqual([['sensors-0', 'unhealthy']]);
  expect(asked.filter((one) => one.startsWith('read'))).toEqual([
    `read ${markerOf('sensors-0-aaaa')}`,
    `read ${markerOf('sensors-0-aaaa')}`,
  ]);
});

test('a report that its node deletes just then is none', async () => {
  const key = markerOf('sensors-0-aaaa');
  looks = [{ running: ['i-0', 'i-1'], markers: { [key]: report } }];
  const { bucket } = sources();
  const read = (wanted: string): Promise<string> => {
    looks = [{ running: ['i-0', 'i-1'] }];
    return bucket.read(wanted);
  };
  expect(await observe(recorded, sources({ bucket: { ...bucket, read } }))).toEqual({
    faults: new Map(),
    statuses: clusters,
    recovering: [],
    unseen: [],
  });
});

test('before anything is recorded only the server is asked', async () => {
  expect(await observe([], sources())).toEqual({
    faults: new Map(),
    statuses: clusters,
    recovering: [],
    unseen: [],
  });
  expect(asked).toEqual([]);
});

describe('what cannot be looked at is told', () => {
  test('beside the faults that can be seen, where it is the orchestrator', async () => {
    orchestratorServer.closeAllConnections();
    await new Promise((resolve) => orchestratorServer.close(resolve));
    looks = [{ running: ['i-0'] }];
    const observation = await observe(recorded, sources());
    expect(kindsOf(observation)).toEqual([['sensors-1', 'gone']]);
    expect(observation).toMatchObject({
      unseen: [
        expect.stringMatching(
          /^whether nodes are connected to the orchestrator is unknown: no orchestrator can be reached at http:\/\/127/,
        ) as string,
      ],
    });
  });

  test('or a report that is none', async () => {
    looks = [{ running: ['i-0', 'i-1'], markers: { [markerOf('sensors-0-aaaa')]: '' } }];
    expect(await observe(recorded, sources())).toMatchObject({
      faults: new Map(),
      unseen: [
        expect.stringMatching(
          /^what nodes report of their health is unknown: fleets\/sensors\/health\/faults\/sensors-0-aaaa.json in the data bucket is no health report/,
        ) as string,
      ],
    });
  });

  test('in the place of faults, where it is SkyPilot', async () => {
    await server.stop();
    looks = [{ running: [] }];
    expect(await observe(recorded, sources())).toEqual({
      unknown: expect.stringMatching(/^No SkyPilot server can be reached at http:\/\/127/) as string,
    });
  });

  test("or another server than the stack's, of which nothing is asked", async () => {
    server.users.clear();
    expect(await observe(recorded, sources())).toEqual({
      unknown: expect.stringContaining(
        'is not the one that stack organization/skyfleet/dev belongs to',
      ) as string,
    });
    expect(server.received).toEqual([]);
    expect(asked).toEqual([]);
  });

  test('or a server that fails to answer', async () => {
    const failing = new SkyPilotServer(() => ({ error: { type: 'ClusterOwnerError', message: 'no' } }));
    failing.users.add(mark);
    endpoint = await failing.start();
    expect(await observe(recorded, sources())).toEqual({
      unknown: 'SkyPilot does not tell the status of its clusters (ClusterOwnerError): no',
    });
    await failing.stop();
  });

  test('or AWS', async () => {
    const instances = (): Promise<string[]> => Promise.reject(new Error('UnauthorizedOperation'));
    expect(await observe(recorded, sources({ instances }))).toEqual({
      unknown: "AWS does not tell the stack's instances: UnauthorizedOperation",
    });
  });
});
