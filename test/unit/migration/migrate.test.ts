import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import {
  migrate,
  MigrationError,
  migrationText,
  type MigrateOptions,
  type MigrationReport,
} from '../../../migration/migrate';
import { openTask, spotDeployerConfig, wrapperTask } from './earlier-files';

const token = 'planted-Token-1';
const awsKey = 'planted-aws-key';
let folder: string;
let out: string;

const put = (file: string, text: string, mode = 0o644): string => {
  const where = path.join(folder, file);
  fs.mkdirSync(path.dirname(where), { recursive: true });
  fs.writeFileSync(where, text, { mode });
  return where;
};

/** A `pulumi` that writes down how it is called and what it reads; what `fails` says fails, and tells its input. */
const putPulumi = (fails = ''): void => {
  const script = [
    '#!/bin/sh',
    `input=$(cat)`,
    `echo "$* <$input>" >> "${folder}/calls"`,
    `case "$*" in *"stack ls"*) echo '[{"name": "organization/us-east-1"}]' ;; esac`,
    ...(fails === '' ? [] : [`case "$*" in *"${fails}"*) echo "cannot: $input" >&2; exit 1 ;; esac`]),
  ];
  put('bin/pulumi', `${script.join('\n')}\n`, 0o755);
};

const calls = (): string[] =>
  fs.existsSync(path.join(folder, 'calls'))
    ? fs.readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n')
    : [];
const stackFilesIn = (): string[] => fs.readdirSync(out).filter((file) => /^Pulumi\..+\.ya?ml$/.test(file));
const everything = (): string =>
  stackFilesIn()
    .map((file) => fs.readFileSync(path.join(out, file), 'utf8'))
    .join('');

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-migrate-'));
  out = path.join(folder, 'skyfleet');
  put('skyfleet/Pulumi.yaml', 'name: skyfleet\n');
  put('old/config.yaml', spotDeployerConfig);
  put('old/deployment/etc/bacalhau/orchestrator_endpoint', 'orchestrator.example.com\n');
  put('old/deployment/etc/bacalhau/orchestrator_token', `${token}\n`);
  put('old/deployment/etc/aws/credentials', awsKey);
});
afterEach(() => {
  fs.rmSync(folder, { recursive: true });
});

const full: MigrateOptions = { sshCidrs: ['203.0.113.10/32'], sensorImage: 'example.com/sensor:1.2.3' };
const move = (options: MigrateOptions = {}, file = 'old/config.yaml') =>
  migrate(path.join(folder, file), { ...full, out, ...options });

test('writes one stack file for each region, and says what is left to do', async () => {
  const report = await move();
  expect(stackFilesIn().sort()).toEqual([
    'Pulumi.eu-west-1.yaml',
    'Pulumi.us-east-1.yaml',
    'Pulumi.us-west-2.yaml',
  ]);
  expect(report).toMatchObject({ version: 1, written: true, needed: [], source: { format: 'config' } });
  const { config } = parse(fs.readFileSync(path.join(out, 'Pulumi.us-west-2.yaml'), 'utf8')) as {
    config: Record<string, unknown>;
  };
  expect(config['skyfleet:orchestrator']).toEqual({ endpoints: ['nats://orchestrator.example.com:4222'] });
  expect(report.commands.slice(0, 2)).toEqual([
    'pulumi stack init us-west-2 --no-select',
    'pulumi config set --secret skyfleet:orchestratorToken --stack us-west-2 < ../old/deployment/etc/bacalhau/orchestrator_token',
  ]);
  expect(report.commands.at(-1)).toBe(
    'npx skyfleet review --stack us-west-2 --stack us-east-1 --stack eu-west-1',
  );
});

test('the report is plain JSON, and its text has every entry', async () => {
  const report = await move();
  expect(JSON.parse(JSON.stringify(report))).toEqual(report);
  const text = migrationText(report);
  for (const { key } of report.entries) expect(text).toContain(key);
  for (const command of report.commands) expect(text).toContain(command);
});

test('no secret is in a stack file or a report, and AWS keys are named but not taken over', async () => {
  const report = await move();
  const told = [JSON.stringify(report), migrationText(report), everything()].join();
  expect(told).not.toContain(token);
  expect(told).not.toContain(awsKey);
  expect(told).toContain('etc/aws/credentials');
});

test('a dry run writes nothing and says what is needed', async () => {
  fs.rmSync(path.join(folder, 'old/deployment'), { recursive: true });
  const report = await migrate(path.join(folder, 'old/config.yaml'), { out, dryRun: true });
  expect(stackFilesIn()).toEqual([]);
  expect(report.written).toBe(false);
  expect(report.needed.map(({ option }) => option)).toEqual([
    '--ssh-cidr',
    '--orchestrator',
    '--sensor-image',
  ]);
  expect(report.secret.file).toBeNull();
  const text = migrationText(report);
  expect(text).toContain('Pulumi.us-west-2.yaml would be\n');
  expect(text).toContain('no orchestrator_token file was found');
});

test('what is needed is asked for all at once before anything is written', async () => {
  const failed = migrate(path.join(folder, 'old/config.yaml'), { out });
  await expect(failed).rejects.toThrow(/--ssh-cidr: is missing.*\n.*--sensor-image: is missing/);
  await expect(failed).rejects.toBeInstanceOf(MigrationError);
  expect(stackFilesIn()).toEqual([]);
});

test('a stack file that is there is never overwritten, and none is written beside it', async () => {
  put('skyfleet/Pulumi.us-east-1.yaml', 'config: {}\n');
  await expect(move()).rejects.toThrow(/Pulumi\.us-east-1\.yaml: is there already, and is never overwritten/);
  expect(stackFilesIn()).toEqual(['Pulumi.us-east-1.yaml']);
  await move({ prefix: 'moved' });
  expect(stackFilesIn()).toHaveLength(4);
  expect(fs.readFileSync(path.join(out, 'Pulumi.us-east-1.yaml'), 'utf8')).toBe('config: {}\n');
});

test('a second move takes ranges of its own', async () => {
  await move();
  const { entries } = await move({ prefix: 'more' });
  expect(entries.find(({ key }) => key === 'VPC of more-us-west-2')?.value).toBe('10.67.0.0/16');
});

test('an orchestrator of the user goes before the file', async () => {
  const { entries, stacks } = await move({ orchestrators: ['nats://other.example.com:4222'] });
  expect(stacks[0]?.text).toContain('nats://other.example.com:4222');
  expect(entries.find(({ why }) => why === '--orchestrator goes before it')?.key).toContain(
    'orchestrator_endpoint',
  );
});

test('moves the task of the wrapper, whose mounts lead from the folder above', async () => {
  put('sky/skypilot-tasks/bacalhau-node.yaml', wrapperTask);
  put('sky/deployment-new/etc/bacalhau/orchestrator_endpoint', 'nats://sky.example.com:4222\n');
  put('sky/deployment-new/etc/bacalhau/orchestrator_token', token);
  const report = await move({}, 'sky/skypilot-tasks/bacalhau-node.yaml');
  expect(report.source.format).toBe('task');
  expect(report.stacks).toMatchObject([{ stack: 'us-west-2', nodes: 3 }]);
  expect(everything()).toContain('nats://sky.example.com:4222');
  expect(report.secret.file).toContain('deployment-new/etc/bacalhau/orchestrator_token');
});

test.each<[string, string, MigrateOptions, string]>([
  ['no file', '', {}, 'is not there'],
  ['no YAML', 'aws: [planted\n b: c', {}, 'is no YAML'],
  ['a file of another kind', 'deployment: { total_nodes: 6 }', {}, 'must be the config.yaml of'],
  ['a pipeline of tasks', 'run: a\n---\nrun: b', {}, 'begins a second document'],
  ['regions for a config.yaml', spotDeployerConfig, { regions: ['us-west-2'] }, '--region is "us-west-2"'],
  ['no folder to write to', spotDeployerConfig, { out: '/nowhere' }, '--out is "/nowhere": must be a folder'],
  ['no folder of credentials', spotDeployerConfig, { credentials: '/nowhere' }, '/nowhere is not there'],
  ['a task without a region', openTask, {}, 'names no region'],
])('%s is refused', async (name, text, options, message) => {
  const file = 'old/given.yaml';
  if (name !== 'no file') put(file, text);
  await expect(move(options, file)).rejects.toThrow(message);
  await expect(move(options, file)).rejects.not.toThrow('planted');
  expect(stackFilesIn()).toEqual([]);
});

describe('with secrets', () => {
  const secrets = { setSecrets: true };

  /** Moves with that `pulumi` on PATH; what it says in the end. */
  const moveWithPulumi = (
    options: MigrateOptions,
  ): { report: MigrationReport | undefined; error: string } => {
    const program = [
      '--import',
      'tsx',
      path.join(__dirname, 'moving.ts'),
      path.join(folder, 'old/config.yaml'),
    ];
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [...program, JSON.stringify({ ...full, out, ...options })],
      {
        env: { ...process.env, PATH: `${path.join(folder, 'bin')}:${process.env['PATH'] ?? ''}` },
        encoding: 'utf8',
      },
    );
    return { report: stdout === '' ? undefined : (JSON.parse(stdout) as MigrationReport), error: stderr };
  };

  test('missing stacks are made and every token is set, on standard input alone', () => {
    putPulumi();
    const { report, error } = moveWithPulumi({ ...secrets, secretsProvider: 'awskms://alias/skyfleet' });
    const pulumi = `--cwd ${out} --non-interactive`;
    const set = (stack: string): string =>
      `${pulumi} config set --secret skyfleet:orchestratorToken --stack ${stack} <${token}>`;
    const init = (stack: string): string =>
      `${pulumi} stack init ${stack} --no-select --secrets-provider awskms://alias/skyfleet <>`;
    expect(error).toBe('');
    expect(calls()).toEqual([
      `${pulumi} stack ls --json <>`,
      init('us-west-2'),
      set('us-west-2'),
      set('us-east-1'),
      init('eu-west-1'),
      set('eu-west-1'),
    ]);
    expect(report?.secret.set).toEqual(['us-west-2', 'us-east-1', 'eu-west-1']);
    expect(report?.commands).toEqual([
      'npx skyfleet review --stack us-west-2 --stack us-east-1 --stack eu-west-1',
    ]);
    expect(JSON.stringify(report)).not.toContain(token);
  });

  test('a dry run calls no Pulumi', () => {
    putPulumi();
    expect(moveWithPulumi({ ...secrets, dryRun: true }).report?.written).toBe(false);
    expect(calls()).toEqual([]);
  });

  test('nothing is written where Pulumi does not reach its backend', () => {
    putPulumi('stack ls');
    expect(moveWithPulumi(secrets).error).toContain('pulumi stack ls --json failed: cannot:');
    expect(stackFilesIn()).toEqual([]);
  });

  test('where Pulumi fails in between, what is done and what is left is told without the token', () => {
    putPulumi('config set --secret skyfleet:orchestratorToken --stack us-east-1');
    const { error } = moveWithPulumi(secrets);
    expect(error).toMatch(
      /the token is set for us-west-2; then pulumi config set .* failed: cannot: \[secret\]/,
    );
    expect(error).toContain('--stack eu-west-1 < ../old/deployment/etc/bacalhau/orchestrator_token');
    expect(error).not.toContain(token);
  });

  test('needs the token and Pulumi.yaml', async () => {
    fs.rmSync(path.join(folder, 'old/deployment/etc/bacalhau/orchestrator_token'));
    fs.rmSync(path.join(out, 'Pulumi.yaml'));
    await expect(move(secrets)).rejects.toThrow(
      /--set-secrets: needs an orchestrator_token file.*\n.*--set-secrets: needs Pulumi.yaml/,
    );
  });
});
