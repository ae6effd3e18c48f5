import { ExponentialBackoff, handleType, retry } from 'cockatiel';

/**
 * The one place that talks to SkyPilot: its REST interface, version 62 (SkyPilot 0.14).
 *
 * Every call is scheduled by a request that answers with an id, and its result is fetched from `/api/get`.
 * Source: `sky/server/server.py` and `sky/server/requests/payloads.py` of SkyPilot 0.14.1.
 */
const apiVersion = 62;

/** Oldest server API that knows every field sent here (`override_skypilot_config` per request, labels in the status). */
const oldestServerApiVersion = 62;

/** Where the server is and how to log in. */
export interface SkyServer {
  /** Base address, such as `http://127.0.0.1:46580`. */
  endpoint: string;
  /** Service account token, where the server asks for a login. */
  token?: string;
}

/** What the status says of one cluster; only the fields that are used here. */
export interface ClusterStatus {
  name: string;
  /** What the server believes, which may be old: UP, INIT or STOPPED. */
  status: string;
  labels: Record<string, string> | null;
  launched_at: number;
  /** Number of nodes that it was launched with. */
  nodes: number;
}

/** What SkyPilot answers when a request it accepted has failed. */
export class SkyRequestError extends Error {
  constructor(
    /** SkyPilot's exception class, such as `ClusterDoesNotExist` or `ResourcesUnavailableError`. */
    readonly type: string,
    message: string,
  ) {
    super(message);
    this.name = 'SkyRequestError';
  }
}

/** The server cannot be used at all: absent, too old, or it refuses the login. The message says what to do. */
export class SkyServerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'SkyServerError';
  }
}

/** Raised where another try is worth it: no connection, or a server that is restarting or overloaded. */
class Unreachable extends Error {}

/** Raised where the server's own program failed, and the question can be asked again. */
class Broken extends Error {}

/** What a server says of itself. */
interface Health {
  status?: string;
  api_version?: string;
  version?: string;
  /** The user that the login names; null on a server without one. */
  user: unknown;
}

interface RequestPayload {
  request_id: string;
  name: string;
  status: string;
  return_value: string | null;
  error: string | null;
}

/** What the list of the requests that have not ended says of one. */
interface ActiveRequest {
  request_id: string;
  name: string;
  cluster_name: string | null;
}

/** What the status says of how to log in to a cluster (`backend_utils._update_records_with_credentials`, 0.14.1). */
interface Credentials {
  ssh_user: string;
  ssh_private_key_content: string;
  ssh_proxy_command: string | null;
}

/** A launch that the server works on, or will. */
export interface LaunchUnderWay {
  requestId: string;
  /** Name of the cluster; undefined for a managed job, whose name the list does not tell. */
  cluster: string | undefined;
}

/** Names under which the server lists a launch and the submission of a managed job: its prefix and `RequestName`. */
const launchNames = ['sky.launch', 'sky.jobs.launch'];

/**
 * A managed job: SkyPilot launches a cluster for it, and again where AWS has taken a machine of it back, until the job
 * ends or is cancelled. Its cluster is in no list of clusters.
 */
export interface ManagedJob {
  id: number;
  name: string;
  /** SkyPilot's `ManagedJobStatus`, such as STARTING, RUNNING, RECOVERING or FAILED_NO_RESOURCE. */
  status: string;
}

/** How to log in to the machines of a cluster. */
export interface SshAccess {
  user: string;
  /** Text of the private key, a secret. */
  privateKey: string;
  /** OpenSSH ProxyCommand to go through, with `%h` and `%p`; undefined where there is none. */
  proxyCommand: string | undefined;
}

/** What a cluster has cost so far, by SkyPilot's catalog. */
export interface CostReport {
  /** Name of the cluster. */
  name: string;
  /** Id of the user who launched it. */
  user_hash: string;
  /** Seconds that it was up. */
  duration: number;
  num_nodes: number;
  /** US dollars for its machines; nothing else that it needs is in it. */
  total_cost: number;
}

/** Statuses of a managed job that has ended (`sky/jobs/state.py`, 0.14.1). */
const endedJob = /^(SUCCEEDED|CANCELLED|FAILED\w*)$/;

/** Whether a managed job has ended. */
export const hasEnded = ({ status }: ManagedJob): boolean => endedJob.test(status);

/** Seconds after which one HTTP exchange is given up; long waits are made of several. */
const exchangeSeconds = 50;

const exchangePolicy = retry(handleType(Unreachable).orType(Broken), {
  maxAttempts: 4,
  backoff: new ExponentialBackoff({ initialDelay: 250, maxDelay: 4000 }),
});

/** An answer, read to its end. */
interface Answer {
  status: number;
  headers: Headers;
  text: string;
}

export class SkyPilot {
  /** Base address of the server, without a slash at its end. */
  readonly address: string;

  constructor(
    private readonly server: SkyServer,
    /** Identity under which the server files the requests. */
    readonly user: { id: string; name: string },
  ) {
    this.address = server.endpoint.replace(/\/+$/, '');
  }

  /**
   * Makes sure that the server is there, new enough and accepts the login.
   *
   * @returns whether it tells its users apart by a login; without one, whoever reaches it is its only user.
   * @throws SkyServerError that says which of these is not so and what to do.
   */
  async checkServer(): Promise<{ login: boolean }> {
    const response = await this.exchange('GET', '/api/health');
    if (response.status === 401 || response.status === 403) throw this.loginRefused();
    if (response.status !== 200) {
      throw new SkyServerError(
        `${this.address} answers ${response.status} to a health check; is this a SkyPilot API server?`,
      );
    }
    const health = JSON.parse(response.text) as Health;
    if (health.status === 'needs_auth') throw this.loginRefused();
    if (Number(health.api_version ?? 0) < oldestServerApiVersion) {
      throw new SkyServerError(
        `The SkyPilot server at ${this.address} is version ${health.version ?? 'unknown'} (API ${health.api_version ?? 'unknown'}); ` +
          `0.14 (API ${oldestServerApiVersion}) or newer is needed. Upgrade it with: pip install -U "skypilot[aws]" && sky api stop && sky api start`,
      );
    }
    return { login: health.user !== null };
  }

  /** Clouds in which the server can launch, as it found when it last checked its credentials, in SkyPilot's names: aws, … */
  async enabledClouds(): Promise<string[]> {
    return (await this.result(await this.schedule('/enabled_clouds'))) as string[];
  }

  /** Ids of the users that the server knows. */
  async userIds(): Promise<string[]> {
    const response = await this.exchange('GET', '/users');
    this.refuseFailure(response, 'users');
    return (JSON.parse(response.text) as { id: string }[]).map(({ id }) => id);
  }

  /** Adds a user to the list of a server without a login: it keeps whoever sends it a request. */
  async addUser(user: { id: string; name: string }): Promise<void> {
    await new SkyPilot(this.server, user).status();
  }

  /**
   * Takes a user off that list; one that is not on it counts as taken off.
   *
   * @throws SkyRequestError where the user still has clusters.
   */
  async removeUser(id: string): Promise<void> {
    if (!(await this.userIds()).includes(id)) return;
    this.refuseFailure(await this.exchange('POST', '/users/delete', { user_id: id }), 'users/delete');
  }

  /**
   * Schedules a launch and returns its request id at once.
   *
   * @param resize brings a cluster that is up to the task's number of nodes, which a plain launch refuses to do.
   * @param noSetup leaves out the setup part.
   */
  async submitLaunch(
    cluster: string,
    taskYaml: string,
    config: Record<string, unknown>,
    { resize = false, noSetup = false } = {},
  ): Promise<string> {
    return this.schedule('/launch', {
      task: taskYaml,
      cluster_name: cluster,
      override_skypilot_config: config,
      resize,
      no_setup: noSetup,
    });
  }

  /** Schedules the submission of a managed job and returns its request id at once. */
  async submitManagedJob(name: string, taskYaml: string, config: Record<string, unknown>): Promise<string> {
    return this.schedule('/jobs/launch', { task: taskYaml, name, override_skypilot_config: config });
  }

  /** The managed jobs that have not ended, of all users of the server. */
  async managedJobs(): Promise<ManagedJob[]> {
    return this.managedJobsWhere({ skip_finished: true });
  }

  /** The managed jobs with a text in their name, ended or not, of all users of the server. */
  async managedJobsNamed(text: string): Promise<ManagedJob[]> {
    return this.managedJobsWhere({ skip_finished: false, name_match: text });
  }

  private async managedJobsWhere(conditions: Record<string, unknown>): Promise<ManagedJob[]> {
    const fields = ['job_id', 'job_name', 'status'];
    const body = { refresh: false, all_users: true, fields, ...conditions };
    try {
      const answer = (await this.call('/jobs/queue/v2', body)) as {
        jobs: { job_id: number; job_name: string; status: string }[];
      };
      return answer.jobs.map(({ job_id, job_name, status }) => ({ id: job_id, name: job_name, status }));
    } catch (error) {
      // A server that has never had a managed job has no controller to ask.
      if (error instanceof SkyRequestError && error.type === 'ClusterNotUpError') return [];
      throw error;
    }
  }

  /** Ends managed jobs; SkyPilot then takes their clusters down. */
  async cancelManagedJobs(jobs: readonly ManagedJob[]): Promise<void> {
    if (jobs.length > 0) await this.call('/jobs/cancel', { job_ids: jobs.map(({ id }) => id) });
  }

  /** What SkyPilot has printed about bringing up the machines of a managed job. */
  async managedJobLog({ id }: ManagedJob): Promise<string> {
    const body = { job_id: id, controller: true, follow: false, tail: 0 };
    const response = await this.exchange('POST', '/jobs/logs', body);
    this.refuseFailure(response, 'jobs/logs');
    return response.text;
  }

  /** The launches and submissions of managed jobs that have not ended yet. */
  async launchesUnderWay(): Promise<LaunchUnderWay[]> {
    // Named fields only: a request's body carries the whole task.
    const fields = ['request_id', 'name', 'cluster_name'].map((field) => `fields=${field}`).join('&');
    const response = await this.exchange('GET', `/api/status?${fields}`);
    this.refuseFailure(response, 'status of the requests');
    return (JSON.parse(response.text) as ActiveRequest[])
      .filter(({ name }) => launchNames.includes(name))
      .map(({ request_id, cluster_name, name }) => ({
        requestId: request_id,
        cluster: name === 'sky.launch' ? (cluster_name ?? '') : undefined,
      }));
  }

  /**
   * Runs a task on a cluster that is up, once a launch that is under way has ended.
   *
   * SkyPilot runs nothing but the run part, and answers when the job is submitted, not when it has ended.
   *
   * @throws SkyRequestError such as `ClusterDoesNotExist` or `ClusterNotUpError`.
   */
  async exec(cluster: string, taskYaml: string, deadline = Infinity): Promise<{ job_id: number }> {
    const requestId = await this.schedule('/exec', { task: taskYaml, cluster_name: cluster });
    return (await this.result(requestId, deadline)) as { job_id: number };
  }

  /** The clusters that the server knows, as it last saw them. */
  async status(): Promise<ClusterStatus[]> {
    return this.statusOf(null, 'NONE');
  }

  /**
   * The named clusters, once the server has asked AWS for them. One that has no instance any more is forgotten by it, one
   * that is being launched is left alone.
   *
   * @param deadline time (ms since epoch) after which waiting for the answer is given up.
   */
  async refreshedStatus(clusters: readonly string[], deadline = Infinity): Promise<ClusterStatus[]> {
    return clusters.length === 0 ? [] : this.statusOf(clusters, 'FORCE', deadline);
  }

  private async statusOf(
    clusters: readonly string[] | null,
    refresh: 'NONE' | 'FORCE',
    deadline = Infinity,
  ): Promise<ClusterStatus[]> {
    const body = {
      cluster_names: clusters,
      refresh,
      all_users: true,
      include_credentials: false,
      include_handle: false,
      // Without the YAML that each was created with, which holds the whole task.
      summary_response: true,
    };
    return (await this.call('/status', body, deadline)) as ClusterStatus[];
  }

  /**
   * How to log in to the machines of the clusters with a label; empty where the server knows none.
   *
   * The clusters of managed jobs are among them: the server hides them from a status, unless its variable for debugging
   * is set for the request (`SHOW_DEBUG_INFO` in `backend_utils.get_clusters`, 0.14.1).
   */
  async sshAccess([key, value]: [key: string, value: string]): Promise<SshAccess[]> {
    const clusters = (await this.call('/status', {
      cluster_names: null,
      refresh: 'NONE',
      all_users: true,
      include_credentials: true,
      include_handle: false,
      env_vars: { ...this.identity, SKYPILOT_DEBUG: '1' },
    })) as (Pick<ClusterStatus, 'labels'> & { credentials?: Credentials })[];
    return clusters.flatMap(({ labels, credentials }) =>
      labels?.[key] !== value || credentials === undefined
        ? []
        : [
            {
              user: credentials.ssh_user,
              privateKey: credentials.ssh_private_key_content,
              proxyCommand: credentials.ssh_proxy_command ?? undefined,
            },
          ],
    );
  }

  /** What the clusters of this user have cost, those that have ended among them. */
  async costReports(days: number): Promise<CostReport[]> {
    const reports = (await this.call('/cost_report', { days })) as CostReport[];
    return reports.filter(({ user_hash }) => user_hash === this.user.id);
  }

  /** Ends a cluster; one that does not exist counts as ended. Instances may still be shutting down afterwards. */
  async down(cluster: string): Promise<void> {
    try {
      await this.call('/down', { cluster_name: cluster });
    } catch (error) {
      if (error instanceof SkyRequestError && error.type === 'ClusterDoesNotExist') return;
      throw error;
    }
  }

  /** Status of one job, such as RUNNING, SUCCEEDED or FAILED; undefined where the cluster does not know it. */
  async jobStatus(cluster: string, job: number): Promise<string | undefined> {
    const statuses = (await this.call('/job_status', { cluster_name: cluster, job_ids: [job] })) as Record<
      string,
      string | null
    >;
    return statuses[String(job)] ?? undefined;
  }

  /** Ends a job that waits or runs. */
  async cancelJob(cluster: string, job: number): Promise<void> {
    await this.call('/cancel', { cluster_name: cluster, job_ids: [job] });
  }

  /** The newest job of a cluster; undefined where it has had none. */
  async newestJob(cluster: string): Promise<number | undefined> {
    const body = { cluster_name: cluster, skip_finished: false, all_users: true };
    const jobs = (await this.call('/queue', body)) as { job_id: number }[];
    return jobs.map(({ job_id }) => job_id).sort((a, b) => b - a)[0];
  }

  /**
   * Follows what a job prints, until it ends.
   *
   * @param onText gets each piece as it comes.
   */
  async followJobLog(cluster: string, job: number, onText: (text: string) => void): Promise<void> {
    const body = { cluster_name: cluster, job_id: job, follow: true, tail: 0 };
    // A stream without an end of its own: neither tried again nor given up.
    const response = await fetch(`${this.address}/logs`, this.requestOf('POST', body));
    if (response.status !== 200 || response.body === null) {
      const answer = { status: response.status, headers: response.headers, text: await response.text() };
      this.refuseFailure(answer, 'logs');
      return;
    }
    const decoder = new TextDecoder();
    for await (const piece of response.body as AsyncIterable<Uint8Array>) {
      onText(decoder.decode(piece, { stream: true }));
    }
  }

  /** What a job has printed so far. */
  async jobLog(cluster: string, job: number): Promise<string> {
    const response = await this.exchange('POST', '/logs', {
      cluster_name: cluster,
      job_id: job,
      follow: false,
      tail: 0,
    });
    this.refuseFailure(response, 'logs');
    return response.text;
  }

  /** What the server has printed for a request so far. */
  async requestLog(requestId: string): Promise<string> {
    const response = await this.exchange(
      'GET',
      `/api/stream?request_id=${requestId}&format=plain&follow=false`,
    );
    this.refuseFailure(response, 'stream');
    return response.text;
  }

  /**
   * Waits for a request and returns its value.
   *
   * @param deadline time (ms since epoch) after which waiting is given up; the request itself goes on.
   * @param meanwhile is called every so many seconds while it runs; what it raises ends the waiting.
   * @throws SkyRequestError when the request failed; a type of `RequestNotFound` when the server does not know it.
   */
  async result(
    requestId: string,
    deadline = Infinity,
    meanwhile?: { seconds: number; look: () => Promise<void> },
  ): Promise<unknown> {
    for (;;) {
      const payload = await this.poll(requestId, meanwhile?.seconds);
      if (payload !== undefined) return valueOf(payload);
      await meanwhile?.look();
      if (Date.now() > deadline)
        throw new SkyRequestError('Timeout', 'the time limit passed while the request was still running');
    }
  }

  /** Ends a request that has not ended; whoever waits for it is told that it was cancelled. */
  async cancelRequest(requestId: string): Promise<void> {
    await this.call('/api/cancel', { request_ids: [requestId] });
  }

  /** The value of a request that has ended, or undefined while it runs. Raises as `result` does. */
  async resultSoFar(requestId: string): Promise<unknown> {
    const payload = await this.poll(requestId, 1);
    return payload === undefined ? undefined : valueOf(payload);
  }

  /** One long poll: the finished request, or undefined while it runs. */
  private async poll(requestId: string, seconds = exchangeSeconds - 10): Promise<RequestPayload | undefined> {
    const stop = AbortSignal.timeout(seconds * 1000);
    let response: Answer;
    try {
      response = await this.exchange('GET', `/api/get?request_id=${requestId}`, undefined, stop);
    } catch (error) {
      if (stop.aborted) return undefined;
      throw error;
    }
    if (response.status === 404)
      throw new SkyRequestError('RequestNotFound', `the server does not know request ${requestId}`);
    const body = JSON.parse(response.text) as RequestPayload & { detail?: RequestPayload | string };
    if (response.status === 200) return body;
    if (typeof body.detail === 'object' && body.detail.error) {
      const failure = JSON.parse(body.detail.error) as { type?: string; message?: string };
      throw new SkyRequestError(failure.type ?? 'Error', failure.message ?? 'SkyPilot gave no message');
    }
    throw new SkyRequestError(
      `HTTP ${response.status}`,
      typeof body.detail === 'string' ? body.detail : JSON.stringify(body),
    );
  }

  private async call(path: string, body: Record<string, unknown>, deadline = Infinity): Promise<unknown> {
    return this.result(await this.schedule(path, body), deadline);
  }

  /** @param body of a POST; without one it is a GET, which the server schedules just so. */
  private async schedule(path: string, body?: Record<string, unknown>): Promise<string> {
    const response = await this.exchange(body === undefined ? 'GET' : 'POST', path, body);
    this.refuseFailure(response, path);
    const requestId = response.headers.get('x-skypilot-request-id');
    if (requestId === null)
      throw new SkyServerError(
        `${this.address}${path} answered without a request id; is this a SkyPilot API server?`,
      );
    return requestId;
  }

  private refuseFailure(response: Answer, what: string): void {
    if (response.status === 200) return;
    if (response.status === 401 || response.status === 403) throw this.loginRefused();
    throw new SkyRequestError(`HTTP ${response.status}`, `${what}: ${response.text.slice(0, 2000)}`);
  }

  /** Who sends a request, as the server expects it. */
  private get identity(): Record<string, string> {
    return { SKYPILOT_USER_ID: this.user.id, SKYPILOT_USER: this.user.name };
  }

  private requestOf(method: string, body: Record<string, unknown> | undefined): RequestInit {
    const headers: Record<string, string> = {
      'X-SkyPilot-API-Version': String(apiVersion),
      'content-type': 'application/json',
    };
    if (this.server.token !== undefined) headers['authorization'] = `Bearer ${this.server.token}`;
    const sent =
      body === undefined
        ? null
        : JSON.stringify({ env_vars: this.identity, entrypoint_command: 'skyfleet', ...body });
    return { method, headers, body: sent };
  }

  private async exchange(
    method: string,
    path: string,
    body?: Record<string, unknown>,
    stop?: AbortSignal,
  ): Promise<Answer> {
    const request = this.requestOf(method, body);
    try {
      return await exchangePolicy.execute(async () => {
        const limit = AbortSignal.timeout(exchangeSeconds * 1000);
        const signal = stop === undefined ? limit : AbortSignal.any([limit, stop]);
        const answer = await fetched(`${this.address}${path}`, { ...request, signal }, stop);
        if (answer.status === 502 || answer.status === 503)
          throw new Unreachable(`it answers ${answer.status}`);
        if (method === 'GET' && isTraceback(answer)) throw new Broken(whatRaised(answer.text));
        return answer;
      });
    } catch (error) {
      if (error instanceof Broken) {
        throw new SkyServerError(
          `The SkyPilot server at ${this.address} fails by itself, also when asked again (${path}: ${error.message}). ` +
            'Look at its log, where it runs: ~/.sky/api_server/server.log',
        );
      }
      if (!(error instanceof Unreachable)) throw error;
      throw new SkyServerError(
        `No SkyPilot server can be reached at ${this.address} (${error.message}). Start one with: sky api start; or correct skyfleet:skypilot.endpoint`,
      );
    }
  }

  private loginRefused(): SkyServerError {
    return new SkyServerError(
      `The SkyPilot server at ${this.address} refuses the login. Make a service account token on its dashboard and run: ` +
        'pulumi config set --secret skyfleet:skypilotToken',
    );
  }
}

function valueOf({ request_id, status, return_value }: RequestPayload): unknown {
  // The server answers for a cancelled request as for one that succeeded with nothing.
  if (status === 'CANCELLED')
    throw new SkyRequestError('RequestCancelled', `request ${request_id} was cancelled`);
  return return_value === null ? null : (JSON.parse(return_value) as unknown);
}

/**
 * Whether the server's program broke down over a question. It answers with a traceback then (SkyPilot 0.14.1 runs with
 * `debug=True` in `sky/server/server.py`); what a request failed with is JSON under the same status.
 */
const isTraceback = ({ status, headers }: Answer): boolean =>
  status === 500 && headers.get('content-type')?.startsWith('application/json') !== true;

/** What a traceback ends with: the frame of a group of exceptions stands around it. */
function whatRaised(traceback: string): string {
  const lines = traceback.split('\n').filter((line) => /\w/.test(line));
  return lines.at(-1)?.replace(/^[\s|+-]+/, '') ?? 'HTTP 500';
}

/** One HTTP exchange; a failed connection becomes Unreachable, unless the caller's own signal ended it. */
async function fetched(url: string, init: RequestInit, stop?: AbortSignal): Promise<Answer> {
  try {
    const response = await fetch(url, init);
    return { status: response.status, headers: response.headers, text: await response.text() };
  } catch (error) {
    if (stop?.aborted === true) throw error;
    // fetch says no more than "fetch failed"; the reason is its cause.
    const { message, cause } = error as { message: string; cause?: { message: string } };
    throw new Unreachable(cause?.message ?? message);
  }
}
