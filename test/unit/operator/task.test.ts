import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import {
  renderSkyConfig,
  renderTask,
  toYaml,
  withFiles,
  type Connection,
} from '../../../deployment/operator/task';
import { machine, placement } from './fixtures';

test("a task has SkyPilot's own layout", () => {
  expect(
    renderTask(
      'sensors-0',
      { ...machine, nodes: 3, zones: ['us-west-2b', 'us-west-2a'], imageId: 'ami-0123456789abcdef0' },
      { team: 'x' },
    ),
  ).toEqual({
    name: 'sensors-0',
    num_nodes: 3,
    resources: {
      instance_type: 't3.medium',
      disk_size: 30,
      image_id: 'ami-0123456789abcdef0',
      labels: { team: 'x' },
      ordered: [
        { infra: 'aws/us-west-2/us-west-2b', use_spot: true },
        { infra: 'aws/us-west-2/us-west-2a', use_spot: true },
      ],
    },
    setup: 'sudo sh ~/skyfleet/scripts/setup.sh\n',
    run: 'sudo --preserve-env=SKYPILOT_NODE_IPS,SKYFLEET_INCARNATION,SKYFLEET_PHASE,SKYFLEET_REPAIR sh ~/skyfleet/scripts/run.sh\n',
  });
});

test("the configuration of a launch names the stack's resources and encrypts the disk", () => {
  expect(renderSkyConfig(placement, { team: 'x' })).toEqual({
    aws: {
      vpc_names: ['fleet-vpc'],
      subnet_names: ['fleet-subnet-us-west-2a'],
      security_group_name: 'fleet-nodes',
      remote_identity: 'fleet-profile',
      use_internal_ips: false,
      use_ssm: false,
      disk_encrypted: true,
      enforce_tags: ['instance', 'volume'],
      labels: { team: 'x' },
    },
  });
});

test('the configuration of a launch says how the nodes are reached', () => {
  const aws = (connection: Connection): unknown => renderSkyConfig({ ...placement, connection }, {})['aws'];
  expect(aws({ internalIps: true, ssm: true })).toMatchObject({ use_internal_ips: true, use_ssm: true });
  expect(aws({ internalIps: true, ssm: false, proxyCommand: 'ssh -W %h:%p b' })).toMatchObject({
    use_internal_ips: true,
    use_ssm: false,
    ssh_proxy_command: 'ssh -W %h:%p b',
  });
});

describe('shipped files', () => {
  let home: string;
  beforeEach(() => (home = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-home-'))));
  afterEach(() => fs.rmSync(home, { recursive: true }));

  const runSetup = (setup: string): string => {
    const sandboxed = setup.replace('sudo sh ~/skyfleet/scripts/setup.sh', 'sh scripts/setup.sh');
    const run = spawnSync('sh', ['-c', sandboxed], { env: { ...process.env, HOME: home }, encoding: 'utf8' });
    return run.stdout + run.stderr;
  };

  test('arrive byte for byte, whatever they hold, and may be written again', () => {
    const files = {
      'scripts/setup.sh': 'echo ready\n',
      'a/b.yml': 'quote: "\'$HOME `id` \\\\n"\n\nEOF\n  END\n',
      'node.json': '{}\n',
    };
    const { setup } = withFiles(renderTask('sensors-0', machine, {}), files);
    expect(runSetup(setup)).toBe('ready\n');
    expect(runSetup(setup)).toBe('ready\n');
    for (const [file, text] of Object.entries(files)) {
      expect(fs.readFileSync(path.join(home, 'skyfleet', file), 'utf8')).toBe(text);
    }
  });

  test('a file that a here-document would change is refused', () => {
    expect(() => withFiles(renderTask('sensors-0', machine, {}), { x: 'no newline' })).toThrow(
      'x: a shipped file must end in a newline',
    );
  });
});

test('YAML keeps long texts as blocks and comes back as it was', () => {
  const task = withFiles(renderTask('sensors-0', machine, {}), {
    'scripts/setup.sh': `# ${'x'.repeat(300)}\ntrue\n`,
  });
  const yaml = toYaml(task);
  expect(yaml).toContain('setup: |');
  expect(parse(yaml)).toEqual(task);
});
