import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as http from 'node:http';
import type { AddressInfo } from 'node:net';
import * as os from 'node:os';
import * as path from 'node:path';
import { parse } from 'yaml';
import { changedStacks, stacksIn } from '../../../review/ci/changed-stacks';
import { commentBody, upsertComment } from '../../../review/ci/comment';
import { driftMarkdown } from '../../../review/ci/drift';
import { PullRequest, type IssueComment } from '../../../review/ci/github';
import { readPrices } from '../../../review/cost/prices';
import type { Review } from '../../../review/model';
import { reviewStack } from '../../../review/review';
import { parsePreview } from '../../../deployment/operator/preview';
import { previews, putPulumi } from './fake-pulumi';

const checkout = path.resolve(__dirname, '../../..');

/** A review in which a VPC changes. */
const review = (): Review => {
  const preview = parsePreview(
    JSON.stringify({ config: { 'aws:region': 'us-west-2' }, ...previews.changed }),
  );
  return {
    version: 1,
    stacks: [
      reviewStack('dev', preview, {
        files: {},
        prices: readPrices(),
        catalog: undefined,
        renderConfig: undefined,
      }),
    ],
  };
};

describe('the stacks that a change is about', () => {
  const stacks = ['dev', 'eu-west-1', 'us-east-1'];

  test.each<[string, string[], string[]]>([
    ['their own files', ['Pulumi.eu-west-1.yaml', 'README.md'], ['eu-west-1']],
    ['the program', ['components/network.ts'], stacks],
    ['its packages', ['package-lock.json', 'Pulumi.dev.yaml'], stacks],
    ['a file that nobody knows', ['new-folder/file'], stacks],
    [
      'what no stack is made from',
      ['docs/a.md', 'test/x.ts', 'CHANGELOG.md', '.github/workflows/up.yml'],
      [],
    ],
    ['the embedded default', ['Pulumi.local.yaml'], []],
    ['nothing', [], []],
  ])('%s', (_, files, expected) => {
    expect(changedStacks(files, stacks)).toEqual(expected);
  });

  test('are among those that the project has, without the embedded default', () => {
    expect(stacksIn(checkout)).toContain('dev');
    expect(stacksIn(checkout).filter((stack) => stack.startsWith('local'))).toEqual([]);
  });

  test('are printed as JSON, by what git says', () => {
    const run = (...args: string[]) =>
      spawnSync(process.execPath, ['--import', 'tsx', 'review/ci/changed-stacks.ts', ...args], {
        cwd: checkout,
        encoding: 'utf8',
      });
    expect(run('--base', 'HEAD')).toMatchObject({ status: 0, stdout: '[]\n' });
    expect(JSON.parse(run('--all').stdout)).toContain('dev');
    expect(run('--base', 'no-such-commit')).toMatchObject({ status: 1 });
    expect(run()).toMatchObject({ status: 1, stderr: expect.stringContaining('usage') as string });
  });
});

describe('the comment of a pull request', () => {
  let comments: IssueComment[];
  let requests: string[];
  let failures: number;
  let server: http.Server;
  let pull: PullRequest;

  beforeEach(async () => {
    [comments, requests, failures] = [[], [], 0];
    server = http.createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const url = new URL(request.url ?? '', 'http://github');
        requests.push(`${request.method} ${url.pathname}`);
        response.setHeader('content-type', 'application/json');
        if (request.headers.authorization !== 'Bearer t') response.writeHead(401).end('{}');
        else if (failures-- > 0) response.writeHead(502).end('bad gateway');
        else if (request.method === 'GET') {
          const page = Number(url.searchParams.get('page'));
          response.end(JSON.stringify(comments.slice((page - 1) * 100, page * 100)));
        } else {
          const { body } = JSON.parse(Buffer.concat(chunks).toString()) as { body: string };
          const id = Number(url.pathname.split('/').at(-1));
          const own = comments.find((one) => one.id === id);
          if (own === undefined) comments.push({ id: 1000 + comments.length, body, user: { type: 'Bot' } });
          else own.body = body;
          response.end('{}');
        }
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const api = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    pull = new PullRequest({ api, repository: 'example/fleets', token: 't' }, 7);
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  const body = (commit: string): string => commentBody(undefined, { commit });

  test('is made once and updated in place, on whichever page it is', async () => {
    comments = Array.from({ length: 120 }, (_, id) => ({ id, body: 'a word', user: { type: 'User' } }));
    await upsertComment(pull, body('aaa'));
    await upsertComment(pull, body('bbb'));
    expect(comments).toHaveLength(121);
    expect(comments.at(-1)?.body).toContain('Of commit bbb.');
    expect(requests).toEqual([
      ...['GET', 'GET', 'POST'].map((method) => `${method} /repos/example/fleets/issues/7/comments`),
      ...['GET', 'GET'].map((method) => `${method} /repos/example/fleets/issues/7/comments`),
      'PATCH /repos/example/fleets/issues/comments/1120',
    ]);
  });

  test("is not somebody's who writes the mark too", async () => {
    comments = [{ id: 1, body: body('aaa'), user: { type: 'User' } }];
    await upsertComment(pull, body('bbb'));
    expect(comments.map((one) => one.body?.includes('bbb'))).toEqual([false, true]);
  });

  test('is asked for again where GitHub is not to be reached, and never made twice', async () => {
    failures = 2;
    await upsertComment(pull, body('aaa'));
    expect(comments).toHaveLength(1);
    comments = [];
    requests = [];
    await pull.comments();
    failures = 1;
    await expect(pull.create(body('bbb'))).rejects.toThrow('GitHub answered 502: bad gateway');
    expect(requests.filter((request) => request.startsWith('POST'))).toHaveLength(1);
  });

  test('says what GitHub refuses', async () => {
    const { port } = server.address() as AddressInfo;
    const settings = { api: `http://127.0.0.1:${port}`, repository: 'example/fleets', token: 'wrong' };
    await expect(new PullRequest(settings, 7).comments()).rejects.toThrow('GitHub answered 401');
  });

  test('holds the whole review, and where there is more of it', () => {
    const text = commentBody(review(), { commit: 'abc', artifact: 'https://example.com/review' });
    expect(text).toMatch(/^<!-- skyfleet review -->\n/);
    expect(text).toContain('update `aws:ec2/vpc:Vpc` vpc: tags.team');
    expect(text).toMatch(/Of commit abc\. \[The whole review\]\(https:\/\/example\.com\/review\)\.\n$/);
  });

  test('leaves out diffs where it would be too long, and is cut at a line where that is not enough', () => {
    const whole = review();
    const long = whole.stacks.map((stack) => ({
      ...stack,
      files: [{ text: 'a', of: ['s'], diff: '+x\n'.repeat(40_000) }],
    }));
    const short = commentBody({ version: 1, stacks: long }, { commit: 'abc' });
    expect(short.length).toBeLessThan(65_000);
    expect(short).toContain('Too long for a comment');
    expect(short).not.toContain('Cut here');
    const many = Array.from({ length: 4000 }, () => long).flat();
    const cut = commentBody({ version: 1, stacks: many }, { commit: 'abc' });
    expect(cut.length).toBeLessThan(65_000);
    expect(cut).toContain('**Cut here');
    expect(cut).toMatch(/Of commit abc\.\n$/);
  });
});

describe('the nightly look', () => {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-drift-'));
  afterAll(() => fs.rmSync(folder, { recursive: true }));
  const drift = (stacks: Review['stacks']) => {
    const file = path.join(folder, 'review.json');
    fs.writeFileSync(file, JSON.stringify({ version: 1, stacks }));
    const program = ['--import', 'tsx', 'review/ci/drift.ts', '--review', file];
    return spawnSync(process.execPath, program, { cwd: checkout, encoding: 'utf8' });
  };

  test('tells what is not as the last up left it', () => {
    const { stacks } = review();
    expect(driftMarkdown({ version: 1, stacks })).toBeUndefined();
    expect(drift(stacks)).toMatchObject({ status: 0, stdout: 'All is as the last up left it.\n' });
    const drifted = stacks.map((stack) => ({ ...stack, drift: [{ place: 's-0', what: 's-0-a is gone' }] }));
    expect(drift(drifted)).toMatchObject({ status: 2, stdout: '## dev\n- s-0: s-0-a is gone\n' });
  });
});

describe('the script of the review', () => {
  let folder: string;
  beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-ci-'))));
  afterEach(() => fs.rmSync(folder, { recursive: true }));

  const run = (stacks: Record<string, unknown>) => {
    putPulumi(folder, stacks);
    const output = path.join(folder, 'output');
    fs.writeFileSync(output, '');
    const { status } = spawnSync('sh', ['review/ci/review.sh', path.join(folder, 'out')], {
      cwd: checkout,
      env: {
        ...process.env,
        HOME: folder,
        PATH: `${folder}:${process.env['PATH'] ?? ''}`,
        STACKS: JSON.stringify(Object.keys(stacks)),
        GITHUB_OUTPUT: output,
      },
      encoding: 'utf8',
    });
    return {
      status,
      output: fs.readFileSync(output, 'utf8'),
      files: fs.existsSync(path.join(folder, 'out')),
    };
  };

  test('reviews every stack, and neither changes nor findings fail it', () => {
    expect(run({ us: previews.changed, eu: previews.unchanged })).toEqual({
      status: 0,
      output: 'blocked=false\n',
      files: true,
    });
    expect(run({ us: previews.blocked })).toMatchObject({ status: 0, output: 'blocked=true\n' });
  });

  test('fails where the review does', () => {
    const broken = { diagnostics: [{ severity: 'error', message: 'no such stack' }] };
    expect(run({ us: broken })).toMatchObject({ status: 1, output: '' });
  });
});

interface Step {
  uses?: string;
  run?: string;
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, { permissions: Record<string, string>; environment?: string; steps: Step[] }>;
}

describe.each(fs.readdirSync(path.join(checkout, '.github/workflows')))('workflow %s', (file) => {
  const text = fs.readFileSync(path.join(checkout, '.github/workflows', file), 'utf8');
  const { permissions, jobs } = parse(text) as Workflow;
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test('has no rights but those that its jobs name', () => {
    expect(permissions).toEqual({});
    for (const job of Object.values(jobs)) {
      expect(job.permissions['contents']).toBe('read');
      // Who gets credentials of AWS waits for somebody to agree.
      if (job.permissions['id-token'] !== undefined) expect(job.environment).toMatch(/^skyfleet-/);
    }
  });

  test('names actions by commits', () => {
    for (const { uses } of steps)
      if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  test('hands values to scripts as variables, never as text of the script', () => {
    for (const { run } of steps) expect(run ?? '').not.toContain('${{');
  });

  test('calls scripts that are there', () => {
    const called = steps.flatMap(({ run }) => [...(run ?? '').matchAll(/review\/[\w/-]+\.(?:ts|sh)/g)]);
    expect(called.length).toBeGreaterThan(0);
    for (const [script] of called) expect(fs.existsSync(path.join(checkout, script))).toBe(true);
  });
});
