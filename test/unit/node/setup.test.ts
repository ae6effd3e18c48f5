import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import * as path from 'node:path';
import { nodeRoom, run, temporaryFolder } from './scripts';

jest.setTimeout(120_000);

const folder = temporaryFolder();
const socket = path.join(folder.path, 'engine.sock');
const engine = http.createServer((_, response) => response.end('OK'));

beforeAll((done) => void engine.listen(socket, done));
afterAll((done) => {
  folder.dispose();
  engine.close(() => {
    done();
  });
});

const realTools = ['sh', 'dirname', 'chmod'];
const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], {
  encoding: 'utf8',
}).trim();

let machines = 0;

/**
 * A machine that has `present` programs on its PATH. Its apt-get writes down what it is asked for, and installs the
 * program `installs` says the package brings.
 */
function machine(present: Record<string, string>, packages: Record<string, string>) {
  const bin = path.join(folder.path, `bin-${machines++}`);
  const log = `${bin}.log`;
  fs.mkdirSync(bin);
  fs.writeFileSync(log, '');
  for (const tool of realTools)
    fs.symlinkSync(execFileSync('which', [tool], { encoding: 'utf8' }).trim(), path.join(bin, tool));
  const program = (name: string, text: string) =>
    fs.writeFileSync(path.join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  for (const [name, text] of Object.entries(present)) program(name, text);
  program('python3', `exec ${python} "$@"`);
  program('systemctl', 'exit 0');
  program('apt-cache', `case "$2" in ${Object.keys(packages).join('|') || 'none'}) exit 0;; esac; exit 100`);
  const cases = Object.entries(packages).map(
    ([name, brings]) =>
      `*" ${name}") printf '#!/bin/sh\\nexit 0\\n' > ${bin}/${brings}; chmod 755 ${bin}/${brings};;`,
  );
  program('apt-get', `echo "$*" >> ${log}\ncase "$*" in\n${cases.join('\n')}\nesac`);
  return {
    setup: (dockerHost = `unix://${socket}`) =>
      run('sh', [path.join(nodeRoom, 'scripts/setup.sh')], { PATH: bin, DOCKER_HOST: dockerHost }),
    asked: () => fs.readFileSync(log, 'utf8').split('\n').filter(Boolean),
  };
}

const all = { cron: '', iptables: '', docker: '' };

test('nothing is installed where all is there, however often it runs', async () => {
  const { setup, asked } = machine(all, {});
  expect(await setup()).toMatchObject({ code: 0, stdout: '' });
  expect(await setup()).toMatchObject({ code: 0, stdout: '' });
  expect(asked()).toEqual([]);
});

test("the distribution's own packages are taken for what is missing, waiting for the package lock", async () => {
  const { setup, asked } = machine(
    { iptables: '' },
    {
      cron: 'cron',
      'docker.io': 'docker',
      'docker-compose-v2': 'docker-compose',
      'docker-compose': 'docker-compose',
    },
  );
  expect(await setup()).toMatchObject({ code: 0 });
  const install = '-qq -y -o DPkg::Lock::Timeout=300 --no-install-recommends install';
  // The stand-in of docker answers "compose version" as well, so only engine and cron are missing here.
  expect(asked()).toEqual([
    '-qq -o DPkg::Lock::Timeout=300 update',
    `${install} cron`,
    `${install} docker.io`,
  ]);
});

test.each([
  [
    'compose 2 where the distribution has it',
    { 'docker-compose-v2': 'docker-compose', 'docker-compose': 'docker-compose' },
  ],
  ['compose 1.29 else', { 'docker-compose': 'docker-compose' }],
])('%s', async (_, packages) => {
  const { setup, asked } = machine({ ...all, docker: '[ "$1" != compose ]' }, packages);
  expect(await setup()).toMatchObject({ code: 0 });
  expect(asked().at(-1)).toMatch(new RegExp(`install ${Object.keys(packages)[0]}$`));
});

test('an engine that does not answer ends the setup', async () => {
  const finished = await machine(all, {}).setup('unix:///nonexistent.sock');
  expect(finished.code).toBe(1);
  expect(finished.stderr).toContain('the container engine does not answer on its socket');
});
