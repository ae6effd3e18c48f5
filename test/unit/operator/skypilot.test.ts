import { SkyPilot, SkyRequestError } from '../../../deployment/operator/skypilot';
import { SkyPilotServer, type Outcome } from './skypilot-server';

const user = { id: 'abcd1234', name: 'skyfleet' };

async function withServer(
  answer: () => Outcome,
  test: (server: SkyPilotServer, endpoint: string) => Promise<void>,
): Promise<void> {
  const server = new SkyPilotServer(answer);
  const endpoint = await server.start();
  try {
    await test(server, endpoint);
  } finally {
    await server.stop();
  }
}

test('a launch is scheduled under the stack and answered with its request id', () =>
  withServer(
    () => ({ value: null }),
    async (server, endpoint) => {
      const sky = new SkyPilot({ endpoint: `${endpoint}/`, token: 'sky_login' }, user);
      expect(await sky.submitLaunch('local-0-k3f9', 'name: x', { aws: {} })).toBe('request-1');
      const [launch] = server.received;
      expect(launch?.path).toBe('/launch');
      expect(launch?.headers).toMatchObject({
        'x-skypilot-api-version': '62',
        authorization: 'Bearer sky_login',
      });
      expect(launch?.body).toMatchObject({
        task: 'name: x',
        cluster_name: 'local-0-k3f9',
        override_skypilot_config: { aws: {} },
        resize: false,
        env_vars: { SKYPILOT_USER_ID: 'abcd1234', SKYPILOT_USER: 'skyfleet' },
      });
    },
  ));

test('a launch may ask for another number of nodes', () =>
  withServer(
    () => ({ value: null }),
    async (server, endpoint) => {
      await new SkyPilot({ endpoint }, user).submitLaunch('local-0-k3f9', 'name: x', {}, { resize: true });
      expect(server.received[0]?.body).toMatchObject({ cluster_name: 'local-0-k3f9', resize: true });
    },
  ));

test('the launches that are under way are found, and no other request', () =>
  withServer(
    () => ({ value: null }),
    async (server, endpoint) => {
      server.active = [
        { request_id: 'one', name: 'sky.launch', cluster_name: 'local-0-k3f9' },
        { request_id: 'down', name: 'sky.down', cluster_name: 'local-0-k3f9' },
        { request_id: 'exec', name: 'sky.exec', cluster_name: 'local-2-a1b2' },
      ];
      expect(await new SkyPilot({ endpoint }, user).launchesUnderWay()).toEqual([
        { requestId: 'one', cluster: 'local-0-k3f9' },
      ]);
    },
  ));

test('a request that was cancelled has failed', () =>
  withServer(
    () => 'cancelled',
    async (_, endpoint) => {
      const sky = new SkyPilot({ endpoint }, user);
      const requestId = await sky.submitLaunch('local-0-k3f9', 'name: x', {});
      await expect(sky.result(requestId)).rejects.toHaveProperty('type', 'RequestCancelled');
      await expect(sky.resultSoFar(requestId)).rejects.toThrow(`request ${requestId} was cancelled`);
    },
  ));

test('a task is run on a cluster that is there, as a job of its own', () =>
  withServer(
    () => ({ value: { job_id: 2, handle: 'opaque' } }),
    async (server, endpoint) => {
      const sky = new SkyPilot({ endpoint }, user);
      expect(await sky.exec('local-0-k3f9', 'run: true')).toMatchObject({ job_id: 2 });
      expect(server.received[0]).toMatchObject({
        path: '/exec',
        body: { task: 'run: true', cluster_name: 'local-0-k3f9' },
      });
    },
  ));

test("a failed request carries SkyPilot's own error", () =>
  withServer(
    () => ({ error: { type: 'ResourcesUnavailableError', message: 'no capacity' } }),
    async (_, endpoint) => {
      const failure = new SkyPilot({ endpoint }, user).status();
      await expect(failure).rejects.toThrow(new SkyRequestError('ResourcesUnavailableError', 'no capacity'));
      await expect(failure).rejects.toHaveProperty('type', 'ResourcesUnavailableError');
    },
  ));

test('a cluster that does not exist counts as down, any other failure does not', async () => {
  await withServer(
    () => ({ error: { type: 'ClusterDoesNotExist', message: 'gone' } }),
    async (_, endpoint) => new SkyPilot({ endpoint }, user).down('local-0-k3f9'),
  );
  await withServer(
    () => ({ error: { type: 'ClusterNotUpError', message: 'stuck' } }),
    async (_, endpoint) => expect(new SkyPilot({ endpoint }, user).down('x')).rejects.toThrow('stuck'),
  );
});

test('a request that the server has forgotten is told apart', () =>
  withServer(
    () => ({ value: null }),
    async (_, endpoint) =>
      expect(new SkyPilot({ endpoint }, user).result('lost')).rejects.toHaveProperty(
        'type',
        'RequestNotFound',
      ),
  ));

test('the status comes without what clusters were created with, and as the server remembers it', () =>
  withServer(
    () => ({ value: [] }),
    async (server, endpoint) => {
      await new SkyPilot({ endpoint }, user).status();
      expect(server.received[0]?.body).toMatchObject({
        cluster_names: null,
        refresh: 'NONE',
        all_users: true,
        summary_response: true,
        include_handle: false,
        include_credentials: false,
      });
    },
  ));

test('a refreshed status is asked for named clusters only', () =>
  withServer(
    () => ({ value: [] }),
    async (server, endpoint) => {
      const sky = new SkyPilot({ endpoint }, user);
      expect(await sky.refreshedStatus([])).toEqual([]);
      expect(server.received).toEqual([]);
      await sky.refreshedStatus(['local-0-k3f9']);
      expect(server.received[0]?.body).toMatchObject({
        cluster_names: ['local-0-k3f9'],
        refresh: 'FORCE',
        summary_response: true,
      });
    },
  ));

test('a busy server is asked again', () =>
  withServer(
    () => ({ value: [] }),
    async (server, endpoint) => {
      server.busy = 2;
      expect(await new SkyPilot({ endpoint }, user).status()).toEqual([]);
    },
  ));

test('a server whose program fails is asked again, and named with what it failed with where that does not help', () =>
  withServer(
    () => ({ value: [] }),
    async (server, endpoint) => {
      const sky = new SkyPilot({ endpoint }, user);
      server.broken = 2;
      expect(await sky.status()).toEqual([]);
      server.broken = Infinity;
      await expect(sky.status()).rejects.toThrow(
        /^The SkyPilot server at http:\S+ fails by itself, also when asked again \(\/api\/get\S+: OperationalError: locked\)/,
      );
    },
  ));

describe('the check of the server', () => {
  const check = async (prepare: (server: SkyPilotServer) => void): Promise<void> =>
    withServer(
      () => ({ value: null }),
      async (server, endpoint) => {
        prepare(server);
        await new SkyPilot({ endpoint }, user).checkServer();
      },
    );

  test('accepts a healthy one', () => check(() => undefined));

  test('names the version of an older one and how to upgrade', () =>
    expect(
      check((server) => (server.health = { status: 'healthy', api_version: '24', version: '0.11.0' })),
    ).rejects.toThrow(/version 0\.11\.0 \(API 24\); 0\.14 \(API 62\) or newer is needed\. Upgrade it with/));

  test.each([
    ['by status', (server: SkyPilotServer) => void (server.healthStatus = 401)],
    [
      'by its word',
      (server: SkyPilotServer) => void (server.health = { status: 'needs_auth', api_version: '62' }),
    ],
  ])('says what to do where the login is refused %s', (_, prepare) =>
    expect(check(prepare)).rejects.toThrow('pulumi config set --secret skyfleet:skypilotToken'),
  );

  test('says so where something else answers', () =>
    expect(check((server) => (server.healthStatus = 404))).rejects.toThrow('is this a SkyPilot API server?'));

  test('says how to start one where none answers', async () => {
    const server = new SkyPilotServer(() => ({ value: null }));
    const endpoint = await server.start();
    await server.stop();
    await expect(new SkyPilot({ endpoint }, user).checkServer()).rejects.toThrow(
      `No SkyPilot server can be reached at ${endpoint} (connect ECONNREFUSED`,
    );
  });
});
