import { spawnSync } from 'node:child_process';
import { byLine, logCommand, showSetupLog } from '../../../cli/fleet/logs';
import type { FleetNode } from '../../../cli/fleet/nodes';
import { remoteCommand, sshArguments } from '../../../cli/fleet/ssh';
import { SkyPilot } from '../../../deployment/operator/skypilot';
import { SkyPilotServer } from '../operator/skypilot-server';

const target = (address: string | null, proxyCommand?: string) => ({
  node: { instanceId: 'i-1', address, state: 'running' } as FleetNode,
  access: { user: 'ubuntu', proxyCommand },
  keyFile: '/keys/a',
  knownHosts: '/state/known_hosts',
});

test('a node is known by its instance, whatever its address', () => {
  const args = sshArguments(target('54.0.0.1'));
  expect(args.slice(0, 2)).toEqual(['-i', '/keys/a']);
  expect(args).toContain('HostKeyAlias=i-1');
  expect(args).toContain('StrictHostKeyChecking=accept-new');
  expect(args.at(-1)).toBe('ubuntu@54.0.0.1');
  expect(args.join(' ')).not.toContain('ProxyCommand');
  expect(sshArguments(target('10.0.0.1', 'ssh -W %h:%p bastion'))).toContain(
    'ProxyCommand=ssh -W %h:%p bastion',
  );
});

test('OpenSSH takes the arguments', () => {
  const { status, stdout } = spawnSync('ssh', ['-G', ...sshArguments(target('54.0.0.1'))], {
    encoding: 'utf8',
  });
  expect(status).toBe(0);
  expect(stdout).toContain('hostkeyalias i-1\n');
  expect(stdout).toContain('hostname 54.0.0.1\n');
});

test('a node without an address cannot be reached', () => {
  expect(() => sshArguments(target(null))).toThrow('i-1 has no address: it is running');
});

test.each([[['echo', "it's", '$HOME', 'a b']], [['printf', '%s\n', '*']]])(
  'the remote shell sees the words %j as they are',
  (words) => {
    const run = (command: string) => spawnSync('sh', ['-c', command], { encoding: 'utf8' }).stdout;
    expect(run(remoteCommand(words))).toBe(
      spawnSync(words[0] ?? '', words.slice(1), { encoding: 'utf8' }).stdout,
    );
  },
);

test('one word is a line for the remote shell', () => {
  expect(remoteCommand(['exit 7'])).toBe('exit 7');
});

test('each log has its command', () => {
  const last = { follow: false, lines: 20 };
  expect(logCommand('compute', last)).toBe('sudo docker logs --tail 20 bacalhau_compute 2>&1');
  expect(logCommand('sensor', { ...last, follow: true })).toBe(
    'sudo docker logs --tail 20 --follow sensor 2>&1',
  );
  expect(logCommand('health', last)).toBe('sudo cat /var/lib/skyfleet/health.txt');
});

test('a text that comes in pieces is cut into lines', () => {
  const lines: string[] = [];
  const cut = byLine((line) => lines.push(line));
  ['a\nb', 'c\r\n', '\nd'].forEach(cut.push);
  expect(lines).toEqual(['a', 'bc', '']);
  cut.end();
  expect(lines).toEqual(['a', 'bc', '', 'd']);
});

describe('SkyPilot’s server', () => {
  let server: SkyPilotServer;
  let sky: SkyPilot;
  const credentials = {
    ssh_user: 'ubuntu',
    ssh_private_key: '~/.ssh/sky-key',
    ssh_private_key_content: 'the key',
    ssh_proxy_command: null,
  };

  beforeEach(async () => {
    server = new SkyPilotServer(({ path, body }) => {
      if (path === '/queue') return { value: [{ job_id: 2 }, { job_id: 11 }, { job_id: 1 }] };
      if (path === '/cost_report') {
        return {
          value: [
            { user_hash: '0a0a0a0a', total_cost: 1 },
            { user_hash: 'another', total_cost: 2 },
          ],
        };
      }
      if (path === '/jobs/queue/v2') {
        return {
          value: {
            jobs: [
              { job_id: 3, job_name: String(body['name_match']) + '0123456789abcdef', status: 'RUNNING' },
            ],
          },
        };
      }
      return {
        value: [
          { labels: { 'skyfleet-incarnation': 's-0-aaaa' }, credentials },
          { labels: { 'skyfleet-incarnation': 's-0-bbbb' }, credentials },
          { labels: { 'skyfleet-incarnation': 's-0-aaaa' } },
        ],
      };
    });
    sky = new SkyPilot({ endpoint: await server.start() }, { id: '0a0a0a0a', name: 'skyfleet' });
  });
  afterEach(() => server.stop());

  test('tells how to log in to a cluster, also of a managed job', async () => {
    expect(await sky.sshAccess(['skyfleet-incarnation', 's-0-aaaa'])).toEqual([
      { user: 'ubuntu', privateKey: 'the key', proxyCommand: undefined },
    ]);
    expect(server.received[0]?.body).toMatchObject({
      include_credentials: true,
      env_vars: { SKYPILOT_USER_ID: '0a0a0a0a', SKYPILOT_DEBUG: '1' },
    });
  });

  test('tells what the clusters of one user have cost', async () => {
    expect(await sky.costReports(7)).toEqual([expect.objectContaining({ total_cost: 1 })]);
    expect(server.received[0]?.body).toMatchObject({ days: 7 });
  });

  const shown = async (managed: boolean, options: { follow: boolean; lines: number }): Promise<string[]> => {
    const lines: string[] = [];
    const of = { incarnation: 's-0-aaaa', managed, stack: 'o/p/dev' };
    await showSetupLog(sky, of, options, (line) => lines.push(line));
    return lines;
  };

  test('gives the log of the newest job, to its end or the last lines of it', async () => {
    server.logs = (body) =>
      `${JSON.stringify([body['job_id'], body['follow']])}\n\u001b[36mone\u001b[0m\ntwo\n`;
    expect(await shown(false, { follow: false, lines: 2 })).toEqual(['one', 'two']);
    expect(await shown(false, { follow: true, lines: 2 })).toEqual(['[11,true]', 'one', 'two']);
  });

  test('gives what it says of a managed job', async () => {
    server.logs = (body) => `${JSON.stringify([body['job_id'], body['controller']])}\n`;
    expect(await shown(true, { follow: true, lines: 9 })).toEqual(['[3,true]']);
  });
});
