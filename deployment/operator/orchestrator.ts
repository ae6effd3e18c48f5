import { setTimeout as sleep } from 'node:timers/promises';

/**
 * The one place that talks to a Bacalhau orchestrator: its REST interface of version 1.5 and later
 * (`pkg/publicapi/endpoint/orchestrator` of Bacalhau 1.9.0).
 */

/** A node as the orchestrator sees it. */
export interface OrchestratorNode {
  name: string;
  type: 'Compute' | 'Requester';
  labels: Record<string, string>;
  /** Whether the orchestrator accepts the node: APPROVED, PENDING or REJECTED. */
  membership: string;
  /** Whether it hears from the node: CONNECTED, DISCONNECTED or HEALTHY. */
  connection: string;
  /** Engines that the node offers, such as docker and wasm. */
  engines: string[];
}

/** How a job ended and what it printed. */
export interface JobResult {
  jobId: string;
  /** Completed, Failed or Stopped. */
  state: string;
  /** What the job's last execution printed. */
  stdout: string;
  /** Why it is in that state, in the orchestrator's words. */
  message: string;
}

interface NodeState {
  Info: {
    NodeID: string;
    NodeType: 'Compute' | 'Requester';
    Labels: Record<string, string> | null;
    ComputeNodeInfo?: { ExecutionEngines?: string[] | null } | null;
  };
  Membership: string;
  ConnectionState: { Status: string };
}

interface Execution {
  ModifyTime: number;
  ComputeState: { Message: string };
  RunOutput: { Stdout: string; stderr: string; ErrorMsg: string } | null;
}

const endStates = new Set(['Completed', 'Failed', 'Stopped']);

export class Orchestrator {
  /** Base address of the API, without a slash at its end. */
  readonly address: string;

  /**
   * @param endpoint base address of the orchestrator's API, such as `http://127.0.0.1:1234`.
   * @param token API key or JWT, where the API asks for one. Listing nodes takes the capability `read:node`, deleting one
   *   `write:node` (`pkg/authz` of Bacalhau).
   */
  constructor(
    endpoint: string,
    private readonly token?: string,
  ) {
    this.address = endpoint.replace(/\/+$/, '');
  }

  /** The compute nodes that the orchestrator knows, by name. */
  async computeNodes(): Promise<OrchestratorNode[]> {
    const { Nodes } = (await this.request('GET', '/nodes')) as { Nodes: NodeState[] };
    return Nodes.filter(({ Info }) => Info.NodeType === 'Compute')
      .map(({ Info, Membership, ConnectionState }) => ({
        name: Info.NodeID,
        type: Info.NodeType,
        labels: Info.Labels ?? {},
        membership: Membership,
        connection: ConnectionState.Status,
        engines: Info.ComputeNodeInfo?.ExecutionEngines ?? [],
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /**
   * Takes nodes off the orchestrator's list; one that is not on it counts as taken off.
   *
   * A node that still runs comes back by itself with its next heartbeat, so its services must have ended before. Whether
   * the orchestrator has noticed that by then makes no difference.
   *
   * @throws Error when the orchestrator refuses, such as for a name that another node's name begins with.
   */
  async deleteNodes(names: readonly string[]): Promise<void> {
    const listed = new Set((await this.computeNodes()).map(({ name }) => name));
    // The orchestrator takes a name for the beginning of one, and refuses it where several nodes' names begin with it
    // (`GetByPrefix`). So only names on the list are sent, and a longer one goes first: `a-10` before `a-1`.
    const present = names.filter((name) => listed.has(name)).sort((a, b) => b.length - a.length);
    for (const name of present) {
      const path = `/nodes/${encodeURIComponent(name)}`;
      const body = { Action: 'delete', Message: 'removed by skyfleet', NodeID: name };
      const response = await this.exchange('PUT', path, body);
      // Somebody else may have been faster.
      if (response.status !== 404) await this.accepted('PUT', path, response);
    }
  }

  /**
   * Runs a job to its end.
   *
   * @param spec the job as Bacalhau's REST interface takes it.
   * @param seconds how long it may take; a job that takes longer is stopped.
   * @throws Error when the orchestrator refuses the job or it does not end in time.
   */
  async runJob(spec: object, seconds: number): Promise<JobResult> {
    const { JobID } = (await this.request('PUT', '/jobs', { Job: spec })) as { JobID: string };
    const deadline = Date.now() + seconds * 1000;
    for (;;) {
      const { Job } = (await this.request('GET', `/jobs/${JobID}`)) as {
        Job: { State: { StateType: string; Message: string } };
      };
      if (endStates.has(Job.State.StateType))
        return this.jobResult(JobID, Job.State.StateType, Job.State.Message);
      if (Date.now() > deadline) {
        await this.request('DELETE', `/jobs/${JobID}?reason=time+limit`);
        throw new Error(
          `job ${JobID} was still ${Job.State.StateType} after ${seconds} s; see: bacalhau job describe ${JobID}`,
        );
      }
      await sleep(500);
    }
  }

  private async jobResult(jobId: string, state: string, message: string): Promise<JobResult> {
    const { Items } = (await this.request('GET', `/jobs/${jobId}/executions`)) as {
      Items: Execution[] | null;
    };
    const [last] = (Items ?? []).sort((a, b) => b.ModifyTime - a.ModifyTime);
    const said = [message, last?.ComputeState.Message, last?.RunOutput?.ErrorMsg, last?.RunOutput?.stderr];
    return { jobId, state, stdout: last?.RunOutput?.Stdout ?? '', message: said.filter(Boolean).join('; ') };
  }

  private async request(method: string, path: string, body?: object): Promise<unknown> {
    return (await this.accepted(method, path, await this.exchange(method, path, body))).json();
  }

  private url(path: string): string {
    return `${this.address}/api/v1/orchestrator${path}`;
  }

  private async exchange(method: string, path: string, body?: object): Promise<Response> {
    try {
      return await fetch(this.url(path), {
        method,
        headers: {
          'content-type': 'application/json',
          ...(this.token === undefined ? {} : { authorization: `Bearer ${this.token}` }),
        },
        body: body === undefined ? null : JSON.stringify(body),
        signal: AbortSignal.timeout(30_000),
      });
    } catch (error) {
      // fetch says no more than "fetch failed"; the reason is its cause.
      const { message, cause } = error as { message: string; cause?: { message: string } };
      throw new Error(`no orchestrator can be reached at ${this.address}: ${cause?.message ?? message}`, {
        cause: error,
      });
    }
  }

  private async accepted(method: string, path: string, response: Response): Promise<Response> {
    if (response.ok) return response;
    const refused = response.status === 401 || response.status === 403;
    throw new Error(
      `the orchestrator answers ${response.status} to ${method} ${this.url(path)}: ${(await response.text()).trim()}${
        refused ? '. Give it a token with: pulumi config set --secret skyfleet:orchestratorApiToken' : ''
      }`,
    );
  }
}
