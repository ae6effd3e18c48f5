import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import { Orchestrator } from '../../../deployment/operator/orchestrator';

let server: http.Server;
let orchestrator: Orchestrator;
let asked: string[];
let answers: Record<string, () => unknown>;

beforeEach(async () => {
  asked = [];
  answers = {};
  server = http.createServer((request, response) => {
    const call = `${request.method ?? ''} ${(request.url ?? '').replace('/api/v1/orchestrator', '')}`;
    asked.push(call);
    const answer = answers[call];
    response
      .writeHead(answer === undefined ? 404 : 200)
      .end(JSON.stringify(answer?.() ?? { Message: 'no such thing' }));
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
