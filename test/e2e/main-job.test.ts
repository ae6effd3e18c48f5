import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse, stringify } from 'yaml';
import { leftoversOf } from '../../local/rig/leftovers';
import { CHECKOUT } from '../../local/rig/paths';
import { openRig, stopRig, type Rig } from '../../local/rig';
import type { ListedPlace } from '../../cli/commands/list';
import { exitCodes } from '../../cli/exit-codes';
import type { FleetNode } from '../../cli/fleet/nodes';
import { reviewSchema } from '../../review/model';
import {
  aws,
  computeNodes,
  connectedNodes,
  copyOfProgram,
  onInstance,
  runCli,
  succeeded,
  type Finished,
} from './rig-run';
import { ArgumentWatch, filesHolding, holds, leaksIn } from './token-search';

jest.setTimeout(30 * 60_000);

/** The rig of this test, beside the one of `make local`. Two stacks stand in it side by side, each in a region. */
const name = 'e2e';
const stacks = ['--stack', 'local', '--stack', 'local-eu'];
const { config } = parse(fs.readFileSync(path.join(CHECKOUT, 'Pulumi.local.yaml'), 'utf8')) as {
  config: Record<string, { image?: string; cidr?: string; cidrs?: string[] }>;
};
const sensorImage = config['skyfleet:sensor']?.image ?? '';

interface Instance {
  InstanceId: string;
  Placement: { AvailabilityZone: string };
  VpcId: string;
  SubnetId: string;
  InstanceLifecycle?: string;
  IamInstanceProfile: { Arn: string };
  SecurityGroups: { GroupId: string; GroupName: string }[];
  Tags: { Key: string; Value: string }[];
  MetadataOptions: { HttpTokens: string };
  BlockDeviceMappings: { Ebs: { VolumeId: string } }[];
}

interface LoggedRequest {
  accessKeyId: string | null;
  region: string | null;
  action: string;
  resource: string;
  status: number;
}

let rig: Rig;
let first: Finished;
let watch: ArgumentWatch;
let instances: Instance[];

/** The instances of a region; those of the stack `local` where none is named. */
async function runningInstances(region = 'us-west-2'): Promise<Instance[]> {
  const running = ['ec2', 'describe-instances', '--filters', 'Name=instance-state-name,Values=running'];
  running.push('--region', region);
  const { Reservations } = await aws<{ Reservations: { Instances: Instance[] }[] }>(rig, ...running);
  return Reservations.flatMap(({ Instances }) => Instances);
}

function requestLog(): LoggedRequest[] {
  const lines = fs.readFileSync(path.join(rig.paths.aws, 'requests.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as LoggedRequest);
}

/** The configuration of the stack `local`, with the token as the rig's own secret. */
const configFile = () => path.join(rig.paths.pulumi, 'project', 'Pulumi.local.yaml');

const tagsOf = ({ Tags }: { Tags: { Key: string; Value: string }[] }): Record<string, string> =>
  Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));

beforeAll(async () => {
  watch = new ArgumentWatch(() => (rig as Rig | undefined)?.orchestratorToken);
  const started = await runCli(['rig', 'start', name]);
  succeeded(started);
  rig = await openRig({ name });
  first = await runCli(['up', '--rig', name, ...stacks]);
  succeeded(first);
  instances = await runningInstances();
});

afterAll(async () => {
  watch.stop();
  await stopRig({ name });
});

describe('the main job', () => {
  test('ends with one table of the connected nodes of both stacks, whose rows grow', () => {
    const rows = first.stdout.split('\n').filter((line) => line.includes('APPROVED'));
    expect(rows).toHaveLength(3);
    for (const row of rows) {
      expect(row).toMatch(
        /(local|local-eu)-\d-\w{4} .* SENSOR_[A-Z]{2}_[A-Z]{3}_\d{4} .* \d+ → \d+ .* fleets\/\1\/sensor\//,
      );
    }
    expect(first.stdout.match(/ CONNECTED /g)).toHaveLength(3);
  });

  test('gives each place an identity of its own', () => {
    expect(new Set(first.stdout.match(/SENSOR_[A-Z]{2}_[A-Z]{3}_\d{4}/g)).size).toBe(3);
  });
});

describe('two regions', () => {
  const regions = [
    { stack: 'local', region: 'us-west-2', cidr: '10.42.0.0/16', nodes: 2 },
    { stack: 'local-eu', region: 'eu-west-1', cidr: '10.43.0.0/16', nodes: 1 },
  ];

  test.each(regions)('stack $stack has its VPC and its instances in $region', async (expected) => {
    const { stack, region, cidr, nodes } = expected;
    const { Vpcs } = await aws<{ Vpcs: { VpcId: string; CidrBlock: string; Tags: Instance['Tags'] }[] }>(
      rig,
      ...['ec2', 'describe-vpcs', '--region', region, '--filters', 'Name=tag-key,Values=skyfleet-stack'],
    );
    expect(Vpcs.map((vpc) => [tagsOf(vpc)['skyfleet-stack'], vpc.CidrBlock])).toEqual([
      [`organization/skyfleet/${stack}`, cidr],
    ]);
    const inRegion = await runningInstances(region);
    expect(inRegion.map(({ VpcId }) => VpcId)).toEqual(Array(nodes).fill(Vpcs[0]?.VpcId));
    for (const { Placement } of inRegion) expect(Placement.AvailabilityZone).toContain(region);
  });

  test('one orchestrator has the nodes of both, each with the instance that it runs on', async () => {
    const listed = (await computeNodes(rig)).map(
      ({ labels, connection }) => `${labels['fleet'] ?? ''} ${labels['instance_id'] ?? ''} ${connection}`,
    );
    const expected = await Promise.all(
      regions.map(async ({ stack, region }) =>
        (await runningInstances(region)).map(({ InstanceId }) => `${stack} ${InstanceId} CONNECTED`),
      ),
    );
    expect(listed.sort()).toEqual(expected.flat().sort());
  });
});

describe('what AWS says of the instances', () => {
  test("they stand in the stack's VPC, subnet and group, with its profile, as spot instances with IMDSv2", async () => {
    const { Vpcs } = await aws<{ Vpcs: { VpcId: string }[] }>(
      rig,
      'ec2',
      'describe-vpcs',
      '--filters',
      'Name=tag:Name,Values=skyfleet-local-vpc',
    );
    expect(Vpcs).toHaveLength(1);
    expect(instances).toHaveLength(2);
    for (const instance of instances) {
      expect(instance).toMatchObject({
        VpcId: Vpcs[0]?.VpcId,
        InstanceLifecycle: 'spot',
        MetadataOptions: { HttpTokens: 'required' },
      });
      expect(instance.SecurityGroups.map(({ GroupName }) => GroupName)).toEqual(['skyfleet-local-nodes']);
      expect(instance.IamInstanceProfile.Arn).toContain('skyfleet-local-nodes');
    }
  });

  test('instances and volumes carry the tags by which they are found again, and the disks are encrypted', async () => {
    const volumeIds = instances.flatMap(({ BlockDeviceMappings }) =>
      BlockDeviceMappings.map(({ Ebs }) => Ebs.VolumeId),
    );
    const { Volumes } = await aws<{
      Volumes: { Encrypted: boolean; Size: number; Tags: Instance['Tags'] }[];
    }>(rig, 'ec2', 'describe-volumes', '--volume-ids', ...volumeIds);
    expect(Volumes).toHaveLength(2);
    for (const volume of Volumes) expect(volume).toMatchObject({ Encrypted: true, Size: 30 });
    for (const tagged of [...instances, ...Volumes]) {
      expect(tagsOf(tagged)).toMatchObject({
        'skyfleet-stack': 'organization/skyfleet/local',
        'skyfleet-place': expect.stringMatching(/^local-[01]$/) as string,
        'skyfleet-incarnation': expect.stringMatching(/^local-[01]-\w{4}$/) as string,
      });
    }
  });

  test("the group's rules are the stack's own, and SkyPilot has added none", async () => {
    const groupId = instances[0]?.SecurityGroups[0]?.GroupId ?? '';
    const { SecurityGroups } = await aws<{ SecurityGroups: { IpPermissions: Record<string, unknown>[] }[] }>(
      rig,
      'ec2',
      'describe-security-groups',
      '--group-ids',
      groupId,
    );
    const permissions = SecurityGroups[0]?.IpPermissions ?? [];
    expect(permissions).toHaveLength(2);
    expect(permissions).toContainEqual(
      expect.objectContaining({
        FromPort: 22,
        ToPort: 22,
        IpRanges: (config['skyfleet:access']?.cidrs ?? []).map(
          (cidr) => expect.objectContaining({ CidrIp: cidr }) as unknown,
        ),
      }),
    );
    expect(JSON.stringify(permissions)).not.toContain('0.0.0.0/0');
  });

  test.each(['us-west-2', 'eu-west-1'])('in %s every rule was there before the first launch', (region) => {
    const actions = requestLog()
      .filter((request) => request.region === region)
      .map(({ action }) => action);
    const launch = actions.indexOf('RunInstances');
    expect(launch).toBeGreaterThan(0);
    expect(actions.slice(0, launch)).toEqual(
      expect.arrayContaining(['AuthorizeSecurityGroupIngress', 'AuthorizeSecurityGroupEgress']),
    );
    expect(actions.lastIndexOf('AuthorizeSecurityGroupIngress')).toBeLessThan(launch);
    expect(actions.lastIndexOf('AuthorizeSecurityGroupEgress')).toBeLessThan(launch);
  });
});

describe("the node's role", () => {
  /** All that the operator writes. */
  const ownObjects = ['local', 'local-eu'].map((fleet) => `fleets/${fleet}/credentials/orchestrator-token`);
  const put = (key: string): string =>
    `cd /usr/local/lib/skyfleet && python3 -B -c 'import imds,node_settings,s3; from pathlib import Path
b=node_settings.load(Path("/var/lib/skyfleet/node.json"))["bucket"]
bucket=s3.Bucket(b["name"],b["region"],b["endpointUrl"],imds.Session().credentials)
try: print("written", bucket.put("${key}", b"x"))
except Exception as e: print("refused", e)'`;

  test('writes below its prefix and nowhere else, with the keys that the metadata service gave out', async () => {
    const [{ InstanceId }] = instances as [Instance];
    const [allowed, elsewhere, token] = [
      'fleets/local/sensor/proof.txt',
      'elsewhere/proof.txt',
      'fleets/local/credentials/orchestrator-token',
    ];
    expect((await onInstance(rig, InstanceId, put(allowed))).stdout).toMatch(/^written/);
    expect((await onInstance(rig, InstanceId, put(elsewhere))).stdout).toMatch(/^refused.*403/s);
    expect((await onInstance(rig, InstanceId, put(token))).stdout).toMatch(/^refused.*403/s);

    const operatorFile = fs.readFileSync(path.join(rig.paths.aws, 'operator.json'), 'utf8');
    const { accessKeyId: operatorKey } = JSON.parse(operatorFile) as { accessKeyId: string };
    const puts = requestLog().filter(({ action }) => action === 'PutObject');
    const [written] = puts.filter(({ resource }) => resource.includes(allowed));
    const [refused] = puts.filter(({ resource }) => resource.includes(elsewhere));
    expect(written).toMatchObject({ status: 200, accessKeyId: expect.stringMatching(/^ASIA/) as string });
    expect(refused).toMatchObject({ status: 403, accessKeyId: written?.accessKeyId });
    expect(written?.accessKeyId).not.toBe(operatorKey);
    const ofOperator = puts.filter(({ accessKeyId }) => accessKeyId === operatorKey);
    expect(
      ofOperator.map(({ resource }) => resource.replace(/^.*\/fleets/, 'fleets').replace(/\?.*$/, '')),
    ).toEqual(expect.arrayContaining(ownObjects));
    expect(ofOperator).toHaveLength(ownObjects.length);
  });

  test('comes with no keys of the operator', async () => {
    const { stdout } = await onInstance(
      rig,
      instances[0]?.InstanceId ?? '',
      'ls -d /root/.aws /home/*/.aws 2>/dev/null',
    );
    expect(stdout).toBe('');
  });

  test('reaches the sensor container, but neither a bridged container nor a job', async () => {
    const [{ InstanceId }] = instances as [Instance];
    const askForToken = `import urllib.request as u; r=u.Request("http://169.254.169.254/latest/api/token",method="PUT",headers={"X-aws-ec2-metadata-token-ttl-seconds":"60"}); print("token", len(u.urlopen(r,timeout=5).read()))`;
    const within = (network: string) =>
      onInstance(
        rig,
        InstanceId,
        `docker run --rm --network ${network} --entrypoint python3 ${sensorImage} -c '${askForToken}'`,
      );
    expect((await within('host')).stdout).toMatch(/^token \d+/);
    expect(await within('bridge')).toMatchObject({ code: 1, stdout: '' });
    expect(await within('none')).toMatchObject({ code: 1, stdout: '' });
  });
});

describe('run again', () => {
  test('it says that there is nothing to change, and touches no container', async () => {
    const started = async (): Promise<string[]> =>
      Promise.all(
        instances.map(
          async ({ InstanceId }) =>
            (
              await onInstance(
                rig,
                InstanceId,
                "docker inspect --format '{{.Name}} {{.State.StartedAt}}' sensor bacalhau_compute",
              )
            ).stdout,
        ),
      );
    const before = await started();
    const again = await runCli(['up', '--rig', name, ...stacks]);
    succeeded(again);
    expect(again.stderr).toContain('stack local: nothing to change');
    expect(again.stderr).toContain('stack local-eu: nothing to change');
    expect(again.stderr).not.toContain('created');
    expect((await runningInstances()).map(({ InstanceId }) => InstanceId).sort()).toEqual(
      instances.map(({ InstanceId }) => InstanceId).sort(),
    );
    expect(await started()).toEqual(before);
  });
});

describe('the command line', () => {
  /** Runs `npx skyfleet` as an operator of the rig. */
  const skyfleet = (...args: string[]) =>
    rig.exec([process.execPath, 'bin/skyfleet.mjs', ...args], { cwd: CHECKOUT });
  const skyfleetJson = async <T>(...args: string[]): Promise<T> => {
    const { code, stdout, stderr } = await skyfleet(...args);
    if (code !== exitCodes.done) throw new Error(`${args.join(' ')} ended with ${String(code)}: ${stderr}`);
    return JSON.parse(stdout) as T;
  };
  let nodes: FleetNode[];

  test('lists the places of all stacks side by side', async () => {
    const places = await skyfleetJson<ListedPlace[]>('list', '--all', '--json');
    expect(places.map(({ place, region }) => [place, region])).toEqual([
      ['local-0', 'us-west-2'],
      ['local-1', 'us-west-2'],
      ['local-eu-0', 'eu-west-1'],
    ]);
    for (const place of places) expect(place).toMatchObject({ skypilot: 'UP', nodes: 1, well: 1 });
  });

  test('knows each node by all of its names, and says how it is seen', async () => {
    nodes = await skyfleetJson<FleetNode[]>('nodes', '--all', '--json');
    expect(nodes).toHaveLength(3);
    for (const node of nodes) {
      expect(node).toMatchObject({ state: 'running', spot: true, skypilot: 'UP', health: { healthy: true } });
      expect(first.stdout).toContain(node.sensorId);
    }
    expect(new Set(nodes.slice(0, 2).map(({ instanceId }) => instanceId))).toEqual(
      new Set(instances.map(({ InstanceId }) => InstanceId)),
    );
  });

  test('runs a command on the nodes of all stacks, and opens a shell on one', async () => {
    const keyFolders = (): string[] =>
      fs.readdirSync(os.tmpdir()).filter((file) => file.startsWith('skyfleet-ssh-'));
    const before = keyFolders();
    const ran = await skyfleetJson<{ node: string; stdout: string }[]>(
      'exec',
      '--all',
      '--json',
      'cat',
      '/etc/hostname',
    );
    expect(ran.map(({ node }) => node)).toEqual(nodes.map(({ node }) => node));
    for (const { instanceId, sensorId } of nodes.slice(0, 2)) {
      const own = await onInstance(rig, instanceId, 'cat /etc/hostname');
      expect(await skyfleet('ssh', '--stack', 'local', sensorId ?? '', 'cat', '/etc/hostname')).toMatchObject(
        {
          code: 0,
          stdout: own.stdout,
        },
      );
      const known = path.join(rig.paths.pulumi, '.local/state/skyfleet/known_hosts');
      expect(fs.readFileSync(known, 'utf8')).toContain(`${instanceId} `);
    }
    expect(await skyfleet('ssh', '--stack', 'local', 'local-0', 'exit 7')).toMatchObject({ code: 7 });
    expect(keyFolders()).toEqual(before);
  });

  test.each([
    ['compute', 'Starting bacalhau'],
    ['sensor', 'sensor-log-generator'],
    ['health', 'ok   sensor rows'],
    ['setup', 'SKYFLEET_NODE'],
  ])('shows the %s log of several nodes, each line behind its node', async (source, text) => {
    const { code, stdout } = await skyfleet('logs', '--stack', 'local', '--of', source, '--lines', '500');
    expect(code).toBe(exitCodes.done);
    const lines = stdout.trimEnd().split('\n');
    for (const { node } of nodes.slice(0, 2)) {
      expect(lines.some((line) => line.startsWith(`${node ?? ''} | `) && line.includes(text))).toBe(true);
    }
    expect(lines.filter((line) => !/^local-\d-\w{4} \| /.test(line))).toEqual([]);
  });

  test('shows what nodes report of their health', async () => {
    const reports = await skyfleetJson<{ nodeName: string; healthy: boolean; gone: boolean }[]>(
      'health',
      '--all',
      '--json',
    );
    expect(reports.map(({ nodeName }) => nodeName).sort()).toEqual(nodes.map(({ node }) => node).sort());
    for (const report of reports) expect(report).toMatchObject({ healthy: true, gone: false });
  });

  test('finds no drift, and says what the stack costs', async () => {
    const options = ['--stack', 'local', '--config-file', configFile()];
    expect(await skyfleetJson('drift', ...options, '--json')).toEqual([]);
    const cost = await skyfleet('cost', ...options, '--json');
    expect(JSON.parse(cost.stdout)).toEqual([
      expect.objectContaining({
        stack: 'local',
        soFar: expect.objectContaining({ clusters: 2, machineHours: expect.any(Number) as number }) as object,
      }),
    ]);
  });

  test('does nothing to what is as it should be', async () => {
    const options = ['--stack', 'local', '--config-file', configFile(), '--yes', '--json'];
    for (const command of ['create', 'repair']) {
      const [done] = await skyfleetJson<{ result: string }[]>(command, ...options);
      expect(done?.result).toBe('unchanged');
    }
  });
});

describe('the rendered tasks', () => {
  test("are what SkyPilot's own command takes, and hold the token in no form", async () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-rendered-'));
    try {
      const options = ['--stack', 'local', '--config-file', configFile(), '--out', folder, '--json'];
      const rendered = await rig.exec([process.execPath, 'bin/skyfleet.mjs', 'render', ...options], {
        cwd: CHECKOUT,
      });
      expect({ code: rendered.code, stderr: rendered.stderr }).toEqual({ code: 0, stderr: '' });
      const places = JSON.parse(rendered.stdout) as Record<'place' | 'cluster' | 'task' | 'config', string>[];
      expect(places.map(({ place }) => place)).toEqual(['local-0', 'local-1']);
      expect(filesHolding(folder, rig.orchestratorToken)).toEqual([]);
      for (const { place, task, config: skyConfig } of places) {
        // Under a name that does not stand, so that SkyPilot has to plan the machines as well.
        const options = ['--yes', '-c', `${place}-dryrun`, '--config', skyConfig];
        const { code, stdout, stderr } = await rig.exec(['sky', 'launch', '--dryrun', ...options, task]);
        expect({ code, output: stdout + stderr }).toEqual({
          code: 0,
          output: expect.stringContaining('Dryrun finished') as string,
        });
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  });
});

describe('a changed line of a compose file', () => {
  let folder: string;
  const composeFile = () => path.join(folder, 'deployment/node/bacalhau/docker-compose.yml');
  beforeAll(() => {
    folder = copyOfProgram(fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-program-')));
    fs.writeFileSync(
      composeFile(),
      fs.readFileSync(composeFile(), 'utf8').replace('retries: 3', 'retries: 4'),
    );
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  const pulumi = (...args: string[]) => {
    return rig.exec(
      ['pulumi', ...args, '--stack', 'local', '--config-file', configFile(), '--non-interactive'],
      { cwd: folder },
    );
  };

  test('shows as that line in the preview', async () => {
    const { code, stdout } = await pulumi('preview', '--diff');
    expect(code).toBe(0);
    const linesOf = (resource: string): string[] => {
      const [, shown = ''] = stdout.split(`::${resource}]`);
      const lines = (shown.split('command:local:Command')[0] ?? '').split('\n');
      return lines
        .filter((line) => /^\s+[~+-] \S+\s*: (?!\(yaml\)|\{)/.test(line))
        .map((line) => line.trim().replace(/\s+/g, ' '));
    };
    expect(linesOf('local-files-reviewed')).toEqual(['~ retries : 3 => 4']);
    const reason = 'refresh: bacalhau/docker-compose.yml changed; 1 node is brought up to date in place';
    for (const place of ['local-0', 'local-1'])
      expect(linesOf(`${place}-submit`)).toContainEqual(expect.stringContaining(`=> "${reason}"`));
    expect(stdout).not.toContain(rig.orchestratorToken);
  });

  /** When each container of the nodes was started, by instance and container. */
  const startTimes = async (): Promise<Record<string, string>> => {
    const all = await Promise.all(
      instances.map(async ({ InstanceId }) => {
        const inspect = "docker inspect --format '{{.Name}} {{.State.StartedAt}}' sensor bacalhau_compute";
        const { stdout } = await onInstance(rig, InstanceId, inspect);
        return stdout
          .trim()
          .split('\n')
          .map((line) => [`${InstanceId} ${line.split(' ')[0] ?? ''}`, line.split(' ')[1] ?? ''] as const);
      }),
    );
    return Object.fromEntries(all.flat());
  };
  const plan = () => path.join(folder, 'plan.json');
  let before: Record<string, string>;

  test('can be saved as a plan, which holds the token in no form', async () => {
    before = await startTimes();
    expect(await pulumi('preview', '--save-plan', plan())).toMatchObject({ code: 0 });
    expect(holds(fs.readFileSync(plan()), rig.orchestratorToken)).toBe(false);
  });

  test('is refused together with anything that the plan does not say, before any container is touched', async () => {
    const saved = fs.readFileSync(composeFile(), 'utf8');
    fs.writeFileSync(composeFile(), saved.replace('retries: 4', 'retries: 5'));
    const refused = await pulumi('up', '--yes', '--skip-preview', '--plan', plan());
    fs.writeFileSync(composeFile(), saved);
    expect(refused.code).not.toBe(0);
    expect(refused.stdout).toMatch(/local-(files-reviewed|\d-(submit|wait)).*violates plan/);
    expect(await startTimes()).toEqual(before);
  });

  test('restarts, as planned, that one service on the same machines', async () => {
    expect(await pulumi('up', '--yes', '--skip-preview', '--plan', plan())).toMatchObject({ code: 0 });
    const after = await startTimes();
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const container of Object.keys(before)) {
      if (container.endsWith('/sensor')) expect(after[container]).toBe(before[container]);
      else expect(after[container]).not.toBe(before[container]);
    }
  });

  test('a budget that is too small blocks an up, but for a reason, which stays in the outputs', async () => {
    const limited = path.join(folder, 'limited.yaml');
    const own = parse(fs.readFileSync(configFile(), 'utf8')) as { config: Record<string, unknown> };
    const governance = { budget: { monthlyUsd: 1 } };
    fs.writeFileSync(
      limited,
      stringify({ ...own, config: { ...own.config, 'skyfleet:governance': governance } }),
    );
    const reviewing = (command: 'review' | 'create', ...args: string[]) =>
      rig.exec(
        [
          ...['node', path.join(CHECKOUT, 'bin/skyfleet.mjs'), command],
          ...['--stack', 'local', '--config-file', limited, ...args],
        ],
        { cwd: folder },
      );
    const reviewed = await reviewing('review', '--json');
    expect(reviewed.code).toBe(exitCodes.undecided);
    const [review] = reviewSchema.parse(JSON.parse(reviewed.stdout)).stacks;
    expect(review).toMatchObject({
      operations: [],
      policy: { findings: [{ rule: 'over-budget', severity: 'error' }], unchecked: [] },
      cost: { machinePrices: expect.stringContaining('made up') as string },
    });
    expect(review?.cost.items).toContainEqual(
      expect.objectContaining({
        item: 'instances, spot',
        to: expect.objectContaining({ count: 2 }) as object,
      }),
    );
    expect(await reviewing('create', '--yes')).toMatchObject({ code: exitCodes.undecided });

    const reason = 'the budget is being raised';
    expect(await reviewing('create', '--yes', '--override', reason)).toMatchObject({ code: 0 });
    // Pulumi likes to give the default file of the stack a salt, whichever was named.
    const untouched = fs.readFileSync(path.join(CHECKOUT, 'Pulumi.local.yaml'), 'utf8');
    expect(fs.readFileSync(path.join(folder, 'Pulumi.local.yaml'), 'utf8')).toBe(untouched);
    const { stdout } = await rig.exec(['pulumi', 'stack', 'output', '--json', '--stack', 'local'], {
      cwd: folder,
    });
    expect(JSON.parse(stdout)).toMatchObject({
      reviewOverride: { reason, rules: ['over-budget'] },
      nodes: { local: [{ ordinal: 0 }, { ordinal: 1 }] },
    });
  });
});

describe('a job that asks for a network', () => {
  test('is taken by no node', async () => {
    const job = {
      Name: 'networked',
      Type: 'batch',
      Count: 1,
      Tasks: [
        {
          Name: 'main',
          Engine: { Type: 'docker', Params: { Image: sensorImage, Entrypoint: ['true'] } },
          Network: { Type: 'Full' },
        },
      ],
    };
    const body = JSON.stringify({ Job: job });
    const { stdout } = await rig.exec([
      'curl',
      '--silent',
      '--request',
      'PUT',
      '--header',
      'content-type: application/json',
      '--data',
      body,
      `${rig.endpoints.bacalhau}/api/v1/orchestrator/jobs`,
    ]);
    const { JobID } = JSON.parse(stdout) as { JobID: string };
    let state = '';
    for (let tries = 0; tries < 60 && !['Failed', 'Completed', 'Stopped'].includes(state); tries++) {
      const answer = await rig.exec([
        'curl',
        '--silent',
        `${rig.endpoints.bacalhau}/api/v1/orchestrator/jobs/${JobID}`,
      ]);
      state = (JSON.parse(answer.stdout) as { Job: { State: { StateType: string } } }).Job.State.StateType;
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
    expect(state).toBe('Failed');
  });
});

describe('the token of the orchestrator', () => {
  test('is in no console, state, history, log or argument list, and never reaches SkyPilot', () => {
    const token = rig.orchestratorToken;
    expect(holds(first.stdout + first.stderr, token)).toBe(false);
    expect(leaksIn(rig)).toEqual([]);
    expect(watch.stop()).toEqual([]);
  });

  test('is in no file of the repository', async () => {
    const { code } = await rig.exec(['git', 'grep', '--untracked', '-F', '-f', '-'], {
      cwd: CHECKOUT,
      input: rig.orchestratorToken,
    });
    expect(code).toBe(1);
  });

  test('is on a node only where the compute node reads it, and in no image', async () => {
    const folders =
      '/etc /opt /var/lib/skyfleet /var/log /home /root /tmp /var/lib/docker/image /var/lib/docker/overlay2';
    const search = `grep -rlF -f - ${folders} 2>/dev/null <<'END'\n${rig.orchestratorToken}\nEND`;
    const { stdout } = await onInstance(rig, instances[0]?.InstanceId ?? '', search);
    expect(stdout.trim().split('\n')).toEqual(['/etc/bacalhau/compute.env']);
  });
});

describe('the command line, in a folder with the stack files of both', () => {
  let folder: string;
  const skyfleet = (...args: string[]) =>
    rig.exec([process.execPath, path.join(CHECKOUT, 'bin/skyfleet.mjs'), ...args], { cwd: folder });
  const running = async () => [...(await runningInstances()), ...(await runningInstances('eu-west-1'))];

  beforeAll(() => {
    folder = copyOfProgram(fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-both-')));
    for (const file of ['Pulumi.local.yaml', 'Pulumi.local-eu.yaml'])
      fs.copyFileSync(path.join(rig.paths.pulumi, 'project', file), path.join(folder, file));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  test('destroys no stack whose name was not given', async () => {
    const before = await running();
    expect(await skyfleet('destroy', '--all', '--confirm', 'prod')).toMatchObject({
      code: exitCodes.failed,
      stderr: expect.stringMatching(/^local stays.*^local-eu stays/ms) as string,
    });
    expect(await running()).toEqual(before);
  });

  test('destroys both side by side', async () => {
    const { code, stdout } = await skyfleet(
      ...['destroy', '--all', '--confirm', 'local', '--confirm', 'local-eu', '--json'],
    );
    expect(code).toBe(exitCodes.done);
    expect(JSON.parse(stdout)).toMatchObject([
      { stack: 'local', destroyed: true, places: 2 },
      { stack: 'local-eu', destroyed: true, places: 1 },
    ]);
    expect(await running()).toEqual([]);
  });

  test('brings both up again side by side', async () => {
    const { code, stdout } = await skyfleet('create', '--all', '--yes', '--json');
    expect({ code, created: JSON.parse(stdout) as unknown }).toMatchObject({
      code: exitCodes.done,
      created: [
        { stack: 'local', result: 'applied', problem: null },
        { stack: 'local-eu', result: 'applied', problem: null },
      ],
    });
    const nodes = JSON.parse((await skyfleet('nodes', '--all', '--json')).stdout) as FleetNode[];
    expect(nodes.map(({ place }) => place)).toEqual(['local-0', 'local-1', 'local-eu-0']);
    const connected = (await connectedNodes(rig)).map((node) => node.name);
    expect(connected.sort()).toEqual(nodes.map(({ node }) => node).sort());
  });
});

describe('destroyed', () => {
  test('by the command line, a stack goes once its name was given', async () => {
    const euFile = path.join(rig.paths.pulumi, 'project', 'Pulumi.local-eu.yaml');
    const destroy = ['destroy', '--stack', 'local-eu', '--config-file', euFile, '--json', '--confirm'];
    const run = (...args: string[]) =>
      rig.exec([process.execPath, 'bin/skyfleet.mjs', ...args], { cwd: CHECKOUT });
    expect(await run(...destroy, 'local')).toMatchObject({ code: exitCodes.failed });
    expect(await runningInstances('eu-west-1')).toHaveLength(1);
    const fileOfCheckout = () => fs.readFileSync(path.join(CHECKOUT, 'Pulumi.local-eu.yaml'), 'utf8');
    const before = fileOfCheckout();
    const { code, stdout } = await run(...destroy, 'local-eu');
    expect(code).toBe(exitCodes.done);
    expect(fileOfCheckout()).toBe(before);
    expect(JSON.parse(stdout)).toMatchObject([{ stack: 'local-eu', destroyed: true, places: 1, kept: [] }]);
    expect(await runningInstances('eu-west-1')).toEqual([]);
  });

  test('nothing of it is left, in the account or on the machine', async () => {
    const down = await runCli(['down', '--rig', name]);
    succeeded(down);
    expect(holds(down.stdout + down.stderr, 'pulumi destroy failed')).toBe(false);
    expect(await leftoversOf(rig.paths)).toEqual([]);
  });
});
