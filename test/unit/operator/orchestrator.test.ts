import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Orchestrator } from '../../../deployment/operator/orchestrator';

/** What the orchestrator answers where it does not do what it is asked. */
class Refusal {
  constructor(
    readonly status: number,
    readonly message: string,
  ) {}
}

let server: http.Server;
let orchestrator: Orchestrator;
let asked: string[];
let bodies: unknown[];
let authorizations: (string | undefined)[];
let answers: Record<string, () => unknown>;

beforeEach(async () => {
  asked = [];
  bodies = [];
  authorizations = [];
  answers = {};
  server = http.createServer((request, response) => {
    const call = `${request.method ?? ''} ${(request.url ?? '').replace('/api/v1/orchestrator', '')}`;
    asked.push(call);
    authorizations.push(request.headers.authorization);
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const text = Buffer.concat(chunks).toString();
      if (text !== '') bodies.push(JSON.parse(text));
      const answer = answers[call]?.();
      const refusal = answer instanceof Refusal ? answer : new Refusal(404, 'no such thing');
      if (answer === undefined || answer instanceof Refusal) {
        response.writeHead(refusal.status).end(JSON.stringify({ Message: refusal.message }));
      } else response.writeHead(200).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  orchestrator = new Orchestrator(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

const node = (NodeID: string, NodeType: string) => ({
  Info: { NodeID, NodeType, Labels: { fleet: 'x' }, ComputeNodeInfo: { ExecutionEngines: ['docker'] } },
  Membership: 'APPROVED',
  ConnectionState: { Status: 'CONNECTED' },
});

test('the compute nodes are listed by name, without the orchestrator itself', async () => {
  answers['GET /nodes'] = () => ({
    Nodes: [node('b', 'Compute'), node('orchestrator', 'Requester'), node('a', 'Compute')],
  });
  expect(await orchestrator.computeNodes()).toEqual(
    ['a', 'b'].map((name) => ({
      name,
      type: 'Compute',
      labels: { fleet: 'x' },
      membership: 'APPROVED',
      connection: 'CONNECTED',
      engines: ['docker'],
    })),
  );
});

const endpoint = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

describe('a token', () => {
  test('goes along with each request, and none where there is none', async () => {
    answers['GET /nodes'] = () => ({ Nodes: [] });
    await orchestrator.computeNodes();
    await new Orchestrator(`${endpoint()}/`, 'api-key').computeNodes();
    expect(asked).toEqual(['GET /nodes', 'GET /nodes']);
    expect(authorizations).toEqual([undefined, 'Bearer api-key']);
  });

  test('that is missing or refused is asked for', async () => {
    answers['GET /nodes'] = () => new Refusal(401, 'Request Unauthorized');
    await expect(orchestrator.computeNodes()).rejects.toThrow(
      /answers 401 .*Request Unauthorized.*pulumi config set --secret skyfleet:orchestratorApiToken/,
    );
  });
});

test('an orchestrator that is not there says why', async () => {
  const nowhere = new Orchestrator(endpoint());
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  await expect(nowhere.computeNodes()).rejects.toThrow(
    /no orchestrator can be reached at http:\/\/127\.0\.0\.1:\d+: connect ECONNREFUSED/,
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});

describe('nodes', () => {
  beforeEach(() => {
    const names = ['a-1', 'a-10', 'a-2', 'b'];
    answers['GET /nodes'] = () => ({ Nodes: names.map((name) => node(name, 'Compute')) });
    for (const name of names) answers[`PUT /nodes/${name}`] = () => ({ Success: true });
  });

  test('are taken off the list, the longer name before the one that it begins with', async () => {
    await orchestrator.deleteNodes(['a-1', 'a-10']);
    expect(asked).toEqual(['GET /nodes', 'PUT /nodes/a-10', 'PUT /nodes/a-1']);
    expect(bodies[0]).toMatchObject({ Action: 'delete', NodeID: 'a-10' });
  });

  test('that are not on it are not asked for: the orchestrator would take the name for the beginning of one', async () => {
    await orchestrator.deleteNodes(['a', 'c']);
    expect(asked).toEqual(['GET /nodes']);
  });

  test('that somebody else takes off just then count as taken off', async () => {
    delete answers['PUT /nodes/b'];
    await orchestrator.deleteNodes(['b']);
    expect(asked).toEqual(['GET /nodes', 'PUT /nodes/b']);
  });

  test('that the orchestrator does not let go are told with its words', async () => {
    answers['PUT /nodes/b'] = () => new Refusal(409, 'multiple nodes found');
    await expect(orchestrator.deleteNodes(['b'])).rejects.toThrow(/answers 409 .*multiple nodes found/);
  });
});

describe('a job', () => {
  let states: string[];
  beforeEach(() => {
    states = ['Pending', 'Running', 'Completed'];
    answers['PUT /jobs'] = () => ({ JobID: 'j-1' });
    answers['GET /jobs/j-1'] = () => ({
      Job: { State: { StateType: states.length > 1 ? states.shift() : states[0], Message: 'why' } },
    });
    const execution = (ModifyTime: number, Stdout: string) => ({
      ModifyTime,
      ComputeState: { Message: '' },
      RunOutput: { Stdout, stderr: 'said', ErrorMsg: '' },
    });
    answers['GET /jobs/j-1/executions'] = () => ({ Items: [execution(1, 'first'), execution(2, 'last')] });
  });

  test('is followed to its end, and gives what its last execution printed', async () => {
    expect(await orchestrator.runJob({}, 10)).toEqual({
      jobId: 'j-1',
      state: 'Completed',
      stdout: 'last',
      message: 'why; said',
    });
  });

  test('that takes too long is stopped', async () => {
    states = ['Running'];
    answers['DELETE /jobs/j-1?reason=time+limit'] = () => ({});
    await expect(orchestrator.runJob({}, 0)).rejects.toThrow(
      'job j-1 was still Running after 0 s; see: bacalhau job describe j-1',
    );
    expect(asked.at(-1)).toBe('DELETE /jobs/j-1?reason=time+limit');
  });

  test('that the orchestrator refuses says so with its words', async () => {
    delete answers['PUT /jobs'];
    await expect(orchestrator.runJob({}, 10)).rejects.toThrow(
      /the orchestrator answers 404 to PUT .*no such thing/,
    );
  });
});
