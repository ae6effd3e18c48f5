import { checkSkyPilot, judgeClouds, judgeOwner } from '../../../../cli/doctor/skypilot';
import { parseConfig } from '../../../../config/parse';
import type { ServerIdentity } from '../../../../deployment/operator/server-identity';
import { good, surroundings } from '../../config/good';
import { SkyPilotServer } from '../../operator/skypilot-server';

const mark = '0a1b2c3d';
let clouds: string[];
let server: SkyPilotServer;
let endpoint: string;

beforeEach(async () => {
  clouds = ['aws', 'kubernetes'];
  server = new SkyPilotServer(({ path }) => ({
    value: path === '/enabled_clouds' ? clouds : { jobs: [] },
  }));
  server.users.add(mark);
  endpoint = await server.start();
});
afterEach(() => server.stop());

function check(
  { identity, managed = false }: { identity?: ServerIdentity; managed?: boolean } = {},
  token?: string,
): Promise<{ check: string; state: string; detail: string }[]> {
  const fleets = good.fleets.map((fleet) => ({ ...fleet, recovery: managed ? 'managed' : 'up' }));
  const config = parseConfig({ ...good, fleets, skypilot: { endpoint } }, surroundings);
  return checkSkyPilot({ config, token, stack: 'organization/skyfleet/dev', identity });
}

test("a server that is the stack's own and has AWS is well", async () => {
  const checks = await check({ identity: { mark } });
  expect(checks.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok']);
});

test('nothing is asked of a server that it would keep, before the stack belongs to it', async () => {
  const checks = await check({ managed: true });
  expect(checks.map(({ state }) => state)).toEqual(['ok', 'ok', 'ok', 'skipped']);
  expect(server.paths).toEqual(['/enabled_clouds']);
  expect([...server.users]).toEqual([mark]);
});

test('another server than the one that the stack was brought up with is refused', async () => {
  const checks = await check({ identity: { mark: 'ffffffff' }, managed: true });
  expect(checks.map(({ state }) => state)).toEqual(['ok', 'failed', 'ok', 'skipped']);
  expect(checks[1]?.detail).toContain('the one that holds its mark ffffffff');
});

test('managed jobs are asked for where a fleet has them', async () => {
  const checks = await check({ identity: { mark }, managed: true });
  expect(checks.at(-1)).toMatchObject({
    check: 'SkyPilot server, managed jobs',
    state: 'ok',
    detail: 'the server answers for managed jobs (0 have not ended)',
  });
});

test('a server without AWS, too old, or with a login that it refuses, is named as such', async () => {
  clouds = [];
  expect((await check())[2]).toMatchObject({
    state: 'failed',
    detail: expect.stringContaining('has AWS not enabled (enabled: nothing)') as string,
  });
  server.health = { ...server.health, api_version: '40', version: '0.10.0' };
  const old = await check();
  expect(old.map(({ state }) => state)).toEqual(['failed', 'skipped', 'skipped']);
  expect(old[0]?.detail).toContain('is version 0.10.0');
  server.healthStatus = 401;
  expect((await check({}, 'sky_wrong'))[0]?.detail).toContain('refuses the login');
});

test('what a server does not answer cannot be told', async () => {
  await server.stop();
  server = new SkyPilotServer(() => ({ error: { type: 'ValueError', message: 'the database is gone' } }));
  endpoint = await server.start();
  expect((await check())[2]).toMatchObject({ state: 'unknown', detail: 'the database is gone' });
});

test('the names of clouds are read in any case, and an address is an identity too', () => {
  expect(judgeClouds('http://sky', ['AWS']).state).toBe('ok');
  expect(judgeOwner('http://a', { address: 'http://b' }, false).detail).toContain('the one at http://b');
});
