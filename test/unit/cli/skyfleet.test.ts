import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { buildProgram } from '../../../cli/program';

const checkout = path.resolve(__dirname, '../../..');
const containing = (text: string): string => expect.stringContaining(text) as string;
const skyfleet = (...args: string[]) =>
  spawnSync(process.execPath, ['bin/skyfleet.mjs', ...args], { cwd: checkout, encoding: 'utf8' });

test('lists its commands and exit codes', () => {
  const { status, stdout } = skyfleet('--help');
  expect(status).toBe(0);
  for (const command of [
    'doctor',
    'review',
    'create|up',
    'repair',
    'destroy',
    'recover',
    'nodes',
    'logs',
    'ssh',
  ])
    expect(stdout).toContain(`  ${command} `);
  expect(stdout).toContain('3  a decision is needed');
});

test('each command is told in docs/operating.md, and each is there', () => {
  const told = [
    ...fs.readFileSync(path.join(checkout, 'docs/operating.md'), 'utf8').matchAll(/^\| `(\w+)` /gm),
  ];
  const commands = buildProgram('0').commands.map((command) => command.name());
  expect(told.map(([, name]) => name).sort()).toEqual([...commands, 'complete'].sort());
});

test('says what is wrong with its arguments, and fails', () => {
  expect(skyfleet('fly')).toMatchObject({ status: 1, stderr: containing("unknown command 'fly'") });
  expect(skyfleet('nodes', '--no-such-option')).toMatchObject({
    status: 1,
    stderr: containing("unknown option '--no-such-option'"),
  });
  expect(skyfleet('logs', '--of', 'kernel')).toMatchObject({
    status: 1,
    stderr: containing('Allowed choices are compute, sensor, health, setup'),
  });
  expect(skyfleet('logs', '--lines', '0')).toMatchObject({
    status: 1,
    stderr: containing('must be a whole number of one or more'),
  });
});

test('completes commands, options and their values in a shell', () => {
  const completed = (...words: string[]): string[] =>
    skyfleet('complete', '--', ...words)
      .stdout.split('\n')
      .map((line) => line.split('\t')[0] ?? '');
  expect(completed('no')).toContain('nodes');
  expect(completed('create', '--conf')).toContain('--config-file');
  expect(completed('logs', '--of', '')).toEqual(expect.arrayContaining(['compute', 'setup']));
  expect(completed('nodes', '--stack', '')).toEqual(expect.arrayContaining(['dev', 'local']));
  expect(skyfleet('complete', 'bash').stdout).toContain('skyfleet complete --');
});

test('is run in the folder of a project', () => {
  const elsewhere = spawnSync(process.execPath, [path.join(checkout, 'bin/skyfleet.mjs'), 'nodes'], {
    cwd: path.join(checkout, 'docs'),
    encoding: 'utf8',
  });
  expect(elsewhere).toMatchObject({ status: 1, stderr: containing('there is no Pulumi.yaml in ') });
});
