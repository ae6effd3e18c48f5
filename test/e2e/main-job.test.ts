import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { leftoversOf } from '../../local/rig/leftovers';
import { CHECKOUT } from '../../local/rig/paths';
import { openRig, stopRig, type Rig } from '../../local/rig';
import { aws, copyOfProgram, onInstance, runCli, succeeded, type Finished } from './rig-run';
import { ArgumentWatch, filesHolding, holds } from './token-search';

jest.setTimeout(30 * 60_000);

/** The rig of this test, beside the one of `make local`. */
const name = 'e2e';
const { config } = parse(fs.readFileSync(path.join(CHECKOUT, 'Pulumi.local.yaml'), 'utf8')) as {
  config: Record<string, { image?: string; cidr?: string; cidrs?: string[] }>;
};
const sensorImage = config['skyfleet:sensor']?.image ?? '';

interface Instance {
  InstanceId: string;
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
  action: string;
  resource: string;
  status: number;
}

let rig: Rig;
let first: Finished;
let watch: ArgumentWatch;
let instances: Instance[];

async function runningInstances(): Promise<Instance[]> {
  const running = ['ec2', 'describe-instances', '--filters', 'Name=instance-state-name,Values=running'];
  const { Reservations } = await aws<{ Reservations: { Instances: Instance[] }[] }>(rig, ...running);
  return Reservations.flatMap(({ Instances }) => Instances);
}

function requestLog(): LoggedRequest[] {
  const lines = fs.readFileSync(path.join(rig.paths.aws, 'requests.jsonl'), 'utf8').trim().split('\n');
  return lines.map((line) => JSON.parse(line) as LoggedRequest);
}

const tagsOf = ({ Tags }: { Tags: { Key: string; Value: string }[] }): Record<string, string> =>
  Object.fromEntries(Tags.map(({ Key, Value }) => [Key, Value]));

beforeAll(async () => {
  watch = new ArgumentWatch(() => (rig as Rig | undefined)?.orchestratorToken);
  const started = await runCli(['rig', 'start', name]);
  succeeded(started);
  rig = await openRig({ name });
  first = await runCli(['up', '--rig', name]);
  succeeded(first);
  instances = await runningInstances();
});

afterAll(async () => {
  watch.stop();
  await stopRig({ name });
});

describe('the main job', () => {
  test('ends with a table of two connected nodes whose rows grow', () => {
    const rows = first.stdout.split('\n').filter((line) => line.includes('APPROVED'));
    expect(rows).toHaveLength(2);
    for (const row of rows) {
      expect(row).toMatch(
        /local-\d-\w{4} .* SENSOR_[A-Z]{2}_[A-Z]{3}_\d{4} .* \d+ → \d+ .* fleets\/local\/sensor\//,
      );
    }
    expect(first.stdout.match(/ CONNECTED /g)).toHaveLength(2);
  });

  test('gives each place an identity of its own', () => {
    expect(new Set(first.stdout.match(/SENSOR_[A-Z]{2}_[A-Z]{3}_\d{4}/g)).size).toBe(2);
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
      expect(instance.IamInstanceProfile.Arn).toContain('skyfleet-local-profile');
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
});

describe("the node's role", () => {
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
    ).toEqual(['fleets/local/credentials/orchestrator-token']);
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
    const again = await runCli(['up', '--rig', name]);
    succeeded(again);
    expect(again.stderr).toContain('nothing to change');
    expect(again.stderr).not.toContain('created');
    expect((await runningInstances()).map(({ InstanceId }) => InstanceId).sort()).toEqual(
      instances.map(({ InstanceId }) => InstanceId).sort(),
    );
    expect(await started()).toEqual(before);
  });
});

describe('a changed line of a compose file', () => {
  let folder: string;
  beforeAll(() => {
    folder = copyOfProgram(fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-program-')));
    const file = path.join(folder, 'deployment/node/bacalhau/docker-compose.yml');
    fs.writeFileSync(file, fs.readFileSync(file, 'utf8').replace('retries: 3', 'retries: 4'));
  });
  afterAll(() => fs.rmSync(folder, { recursive: true }));

  const pulumi = (...args: string[]) => {
    const configFile = path.join(rig.paths.pulumi, 'project', 'Pulumi.local.yaml');
    return rig.exec(
      ['pulumi', ...args, '--stack', 'local', '--config-file', configFile, '--non-interactive'],
      { cwd: folder },
    );
  };

  test('shows as that line in the preview', async () => {
    const { code, stdout } = await pulumi('preview', '--diff');
    expect(code).toBe(0);
    for (const place of ['local-0', 'local-1']) {
      const [, shown = ''] = stdout.split(`::${place}-submit]`);
      const lines = (shown.split('command:local:Command')[0] ?? '').split('\n');
      const changed = lines.filter((line) => /^\s+[~+-] \S+\s*: (?!\(yaml\)|\{)/.test(line));
      expect(changed.map((line) => line.trim().replace(/\s+/g, ' '))).toEqual(['~ retries : 3 => 4']);
    }
    expect(stdout).not.toContain(rig.orchestratorToken);
  });

  test('restarts that one service on the same machines', async () => {
    const containers = async (): Promise<Record<string, string>> => {
      const all = await Promise.all(
        instances.map(async ({ InstanceId }) => {
          const { stdout } = await onInstance(
            rig,
            InstanceId,
            "docker inspect --format '{{.Name}} {{.State.StartedAt}}' sensor bacalhau_compute",
          );
          return stdout
            .trim()
            .split('\n')
            .map((line) => [`${InstanceId} ${line.split(' ')[0] ?? ''}`, line.split(' ')[1] ?? ''] as const);
        }),
      );
      return Object.fromEntries(all.flat());
    };
    const before = await containers();
    expect(await pulumi('up', '--yes', '--skip-preview')).toMatchObject({ code: 0 });
    const after = await containers();
    expect(Object.keys(after)).toEqual(Object.keys(before));
    for (const container of Object.keys(before)) {
      if (container.endsWith('/sensor')) expect(after[container]).toBe(before[container]);
      else expect(after[container]).not.toBe(before[container]);
    }
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
  test('is in no console, state, history, log or argument list', () => {
    const token = rig.orchestratorToken;
    expect(holds(first.stdout + first.stderr, token)).toBe(false);
    expect(filesHolding(rig.paths.pulumi, token)).toEqual([]);
    expect(filesHolding(rig.paths.logs, token)).toEqual([]);
    expect(filesHolding(rig.paths.aws, token)).toEqual([]);
    expect(watch.stop()).toEqual([]);
  });

  test('never reaches SkyPilot', () => {
    expect(filesHolding(rig.paths.sky, rig.orchestratorToken)).toEqual([]);
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

describe('destroyed', () => {
  test('nothing of it is left, in the account or on the machine', async () => {
    const down = await runCli(['down', '--rig', name]);
    succeeded(down);
    expect(holds(down.stdout + down.stderr, 'pulumi destroy failed')).toBe(false);
    expect(await leftoversOf(rig.paths)).toEqual([]);
  });
});
