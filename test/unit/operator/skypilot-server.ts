import * as http from 'node:http';
import type { AddressInfo } from 'node:net';

/** A request as the server got it. */
export interface Received {
  path: string;
  headers: http.IncomingHttpHeaders;
  body: Record<string, unknown>;
}

/** What the server answers to a scheduled request: its value, SkyPilot's error, or that it was cancelled. */
export type Outcome = { value: unknown } | { error: { type: string; message: string } } | 'cancelled';

/** A request that has not ended, as `/api/status` lists it. */
export interface ActiveRequest {
  request_id: string;
  name: string;
  cluster_name: string;
}

/** A peer that speaks SkyPilot's REST protocol: POST gives a request id, `/api/get` its outcome. */
export class SkyPilotServer {
  readonly received: Received[] = [];
  health: Record<string, unknown> = { status: 'healthy', api_version: '62', version: '0.14.1', user: null };
  /** Ids of the users that the server knows; whoever sends a request is added. */
  readonly users = new Set<string>();
  healthStatus = 200;
  /** Number of answers to come that say "busy". */
  busy = 0;
  /** Number of questions to come at which its own program fails, with a traceback. */
  broken = 0;
  /** What jobs and requests have printed; of jobs, by the body of the request for it. */
  logs: string | ((body: Record<string, unknown>) => string) = '';
  /** The requests that have not ended. */
  active: ActiveRequest[] = [];
  private requests = 0;
  private readonly outcomes = new Map<string, Outcome | Promise<Outcome>>();
  private readonly server: http.Server;

  /** @param answer gets a request and the id that it is filed under; what takes time is answered by a promise. */
  constructor(private readonly answer: (received: Received, id: string) => Outcome | Promise<Outcome>) {
    this.server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => this.handle(request, Buffer.concat(chunks).toString(), response));
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Forgets all requests. */
  forget(): void {
    this.received.length = 0;
    this.outcomes.clear();
    this.active = [];
  }

  /** Paths of the scheduled requests, in order. */
  get paths(): string[] {
    return this.received.map(({ path }) => path);
  }

  private handle(request: http.IncomingMessage, text: string, response: http.ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://server');
    const reply = (status: number, body: unknown, headers: http.OutgoingHttpHeaders = {}): void => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    };
    if (this.busy > 0) {
      this.busy--;
      reply(503, { detail: 'busy' });
    } else if (this.broken > 0 && request.method === 'GET') {
      this.broken--;
      const frame = '    +------------------------------------\n';
      const traceback = `  + Exception Group Traceback (most recent call last):\n    | OperationalError: locked\n${frame}`;
      reply(500, traceback, { 'content-type': 'text/plain; charset=utf-8' });
    } else if (url.pathname === '/api/health') {
      reply(this.healthStatus, this.health);
    } else if (url.pathname === '/users') {
      reply(
        200,
        [...this.users].map((id) => ({ id })),
      );
    } else if (url.pathname === '/api/status') {
      reply(200, this.active);
    } else if (url.pathname === '/api/get') {
      void this.replyOutcome(url.searchParams.get('request_id') ?? '', reply);
    } else if (['/api/stream', '/logs', '/jobs/logs'].includes(url.pathname)) {
      reply(
        200,
        typeof this.logs === 'string'
          ? this.logs
          : this.logs(text === '' ? {} : (JSON.parse(text) as Record<string, unknown>)),
      );
    } else {
      const received = {
        path: url.pathname,
        headers: request.headers,
        body: (text === '' ? {} : JSON.parse(text)) as Record<string, unknown>,
      };
      this.received.push(received);
      const sender = received.body['env_vars'] as { SKYPILOT_USER_ID?: string } | undefined;
      if (url.pathname === '/users/delete') this.users.delete(String(received.body['user_id']));
      else if (sender?.SKYPILOT_USER_ID !== undefined) this.users.add(sender.SKYPILOT_USER_ID);
      const id = `request-${++this.requests}`;
      this.outcomes.set(id, this.answer(received, id));
      reply(200, 'null', { 'x-skypilot-request-id': id });
    }
  }

  private async replyOutcome(id: string, reply: (status: number, body: unknown) => void): Promise<void> {
    const outcome = await this.outcomes.get(id);
    if (outcome === undefined) reply(404, { detail: `Request '${id}' not found` });
    else if (outcome === 'cancelled')
      reply(200, { request_id: id, status: 'CANCELLED', return_value: null, error: null });
    else if ('value' in outcome)
      reply(200, {
        request_id: id,
        status: 'SUCCEEDED',
        return_value: JSON.stringify(outcome.value),
        error: null,
      });
    else
      reply(500, {
        detail: {
          request_id: id,
          status: 'FAILED',
          return_value: null,
          error: JSON.stringify(outcome.error),
        },
      });
  }
}
