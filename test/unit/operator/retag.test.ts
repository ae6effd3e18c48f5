import { execFile } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { promisify } from 'node:util';
import { tagChanges, type ConfiguredTags } from '../../../deployment/operator/retag';

const own = { Name: 'sensors-0-aaaa', 'ray-cluster-name': 'sensors-0-aaaa', 'skyfleet-place': 'sensors-0' };
const resource = (id: string, tags: Record<string, string>) => ({ id, tags: { ...own, ...tags } });

describe('what has to be changed', () => {
  test('is nothing where the tags are right', () => {
    const wanted = { team: 'b' };
    expect(
      tagChanges([resource('i-1', { team: 'b', added: 'by hand' })], { wanted, previous: ['team'] }),
    ).toEqual([]);
    expect(tagChanges([], { wanted, previous: [] })).toEqual([]);
  });

  test('is what differs, at once for all that differ in the same', () => {
    const instances = ['i-1', 'i-2', 'vol-1'].map((id) => resource(id, { team: 'a', gone: 'x' }));
    const behind = resource('vol-2', { team: 'b' });
    const tags = { wanted: { team: 'b', cost: '7' }, previous: ['team', 'gone'] };
    expect(tagChanges([...instances, behind], tags)).toEqual([
      { ids: ['i-1', 'i-2', 'vol-1'], set: { team: 'b', cost: '7' }, remove: ['gone'] },
      { ids: ['vol-2'], set: { cost: '7' }, remove: [] },
    ]);
  });

  test('removes only what the configuration had, and nothing by which others know their own', () => {
    const tags = { team: 'a', byHand: 'x' };
    const previous = ['team', ...Object.keys(own), 'aws:autoscaling:groupName'];
    expect(tagChanges([resource('i-1', tags)], { wanted: {}, previous })).toEqual([
      { ids: ['i-1'], set: {}, remove: ['team'] },
    ]);
  });
});

describe('retagging', () => {
  let folder: string;
  beforeEach(() => {
    folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-retag-'));
  });
  afterEach(() => {
    fs.rmSync(folder, { recursive: true });
  });

  /** An `aws` that lists the given and notes the calls. */
  function awsHas(instances: unknown[], volumes: unknown[]): void {
    fs.writeFileSync(path.join(folder, 'describe-instances'), JSON.stringify(instances));
    fs.writeFileSync(path.join(folder, 'describe-volumes'), JSON.stringify(volumes));
    const script = `#!/bin/sh\necho "$*" >> ${folder}/calls\n[ ! -e ${folder}/$2 ] || cat ${folder}/$2\n`;
    fs.writeFileSync(path.join(folder, 'aws'), script, { mode: 0o755 });
  }
  const calls = (): string[] => fs.readFileSync(path.join(folder, 'calls'), 'utf8').trim().split('\n');
  const awsTags = (tags: Record<string, string>) =>
    Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

  /** In a process of its own, which finds that `aws`. */
  async function retag(tags: ConfiguredTags): Promise<unknown> {
    const program =
      `require('./deployment/operator/retag').retag('sensors-0-aaaa', ${JSON.stringify(tags)}, process.env)` +
      `.then((ids) => console.log(JSON.stringify(ids)), (error) => console.log(JSON.stringify(error.message)))`;
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', program], {
      env: {
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        SKYFLEET_REGION: 'us-west-2',
        SKYFLEET_CALL_MINUTES: '2',
      },
    });
    return JSON.parse(stdout) as unknown;
  }

  test('changes instances and volumes in place and says which', async () => {
    awsHas(
      [{ id: 'i-1', tags: awsTags({ team: 'a' }) }],
      [{ id: 'vol-1', tags: awsTags({ team: 'a', gone: 'x' }) }],
    );
    const tags = { wanted: { team: 'b' }, previous: ['team', 'gone'] };
    expect(await retag(tags)).toEqual(['i-1', 'vol-1']);
    const [instances, volumes, ...changes] = calls().sort(
      (a, b) => Number(b.includes('describe')) - Number(a.includes('describe')),
    );
    for (const call of [instances, volumes])
      expect(call).toContain('--filters Name=tag:skyfleet-incarnation,Values=sensors-0-aaaa');
    const end = '--region us-west-2 --output json';
    expect(changes).toEqual([
      `ec2 create-tags --resources i-1 --tags [{"Key":"team","Value":"b"}] ${end}`,
      `ec2 create-tags --resources vol-1 --tags [{"Key":"team","Value":"b"}] ${end}`,
      `ec2 delete-tags --resources vol-1 --tags [{"Key":"gone"}] ${end}`,
    ]);
  });

  test('calls nothing but the lists where all is right', async () => {
    awsHas([{ id: 'i-1', tags: awsTags({ team: 'b' }) }], []);
    expect(await retag({ wanted: { team: 'b' }, previous: [] })).toEqual([]);
    expect(
      calls()
        .map((call) => call.split(' ')[1])
        .sort(),
    ).toEqual(['describe-instances', 'describe-volumes']);
  });

  test('names the cluster and what AWS said where it is refused', async () => {
    awsHas([{ id: 'i-1', tags: awsTags({ team: 'a' }) }], []);
    const refusal = 'An error occurred (UnauthorizedOperation) when calling the CreateTags operation';
    fs.appendFileSync(
      path.join(folder, 'aws'),
      `[ $2 != create-tags ] || { echo '${refusal}' >&2; exit 254; }\n`,
    );
    expect(await retag({ wanted: { team: 'b' }, previous: [] })).toMatch(
      /^changing the AWS tags of cluster sensors-0-aaaa failed: aws ec2 create-tags [^\n]+: An error occurred \(UnauthorizedOperation\)[^]+then run pulumi up again$/,
    );
  });
});
