import { execFile } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { resources } from '../../local/plugins/aws/resources';
import { ROWS } from './command-rows';

/** What `make conformance` runs, and what it refuses to. */

const docs = readFileSync(path.join(__dirname, '../../docs/conformance.md'), 'utf8');

function conformance(...args: string[]): Promise<{ code: number; said: string }> {
  const argv = ['--import', 'tsx', path.join(__dirname, 'conformance.ts'), ...args];
  return new Promise((resolve) => {
    execFile(process.execPath, argv, (error, _, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, said: stderr });
    });
  });
}

describe('what cannot be tested is refused', () => {
  let dir: string;
  beforeAll(async () => {
    dir = await mkdtemp(path.join(tmpdir(), 'skyfleet-conformance-'));
    await writeFile(path.join(dir, 'plain'), '#!/bin/sh\n');
    for (const [name, script] of [
      ['silent', 'exit 3'],
      ['talking', 'echo hello; sleep 60'],
      ['pulumi-resource-aws', 'exit 0'],
    ] as const) {
      await writeFile(path.join(dir, name), `#!/bin/sh\n${script}\n`);
      await chmod(path.join(dir, name), 0o755);
    }
  });
  afterAll(() => rm(dir, { recursive: true, force: true }));

  it.each<[string, string[], RegExp]>([
    ['no plugin', ['', ''], /PLUGIN is not given; it takes aws or command/],
    ['an unknown plugin', ['gcp', ''], /PLUGIN is "gcp"; it takes aws or command/],
    ['a file that is missing', ['aws', 'missing'], /which is not there; docs\/conformance.md/],
    ['a directory', ['aws', '.'], /which is no file/],
    ['a file that is not executable', ['aws', 'plain'], /may not be executed/],
    ['a program that ends', ['command', 'silent'], /does not serve.*ended with 3 before it served/],
    ['a program that is no plugin', ['command', 'talking'], /does not serve.*printed "hello"/],
    [
      "another package's plugin",
      ['command', 'pulumi-resource-aws'],
      /for @pulumi\/aws, but PLUGIN is command/,
    ],
  ])('%s', async (_, [plugin = '', binary = ''], message) => {
    const { code, said } = await conformance(plugin, binary === '' ? '' : path.join(dir, binary));
    expect(said).toMatch(message);
    expect(code).toBe(2);
  });
});

describe('the docs', () => {
  const cellsOf = (line: string): string[] => line.split('|').map((cell) => cell.trim());

  it('have a row for each group of command cases, and none besides', () => {
    const table = docs.slice(docs.indexOf('## Cases of the command plugin'));
    const rows = table.split('\n').filter((line) => /^\| [^-]/.test(line));
    expect(rows.slice(1).map((line) => cellsOf(line)[1])).toEqual(Object.values(ROWS));
  });

  it('name each type of the aws plugin', () => {
    const named = [...docs.matchAll(/`((?:cloudwatch|ec2|iam|s3|vpc)\.[A-Z]\w+)`/g)].map(([, name]) => name);
    const served = Object.keys(resources).map((token) =>
      token.replace(/^aws:(\w+)\/\w+:(\w+)$/, (_, module: string, type: string) => `${module}.${type}`),
    );
    expect([...new Set(named)].sort()).toEqual(served.sort());
  });
});

it('each row of the command plugin has cases', () => {
  const sources = readdirSync(__dirname)
    .filter((name) => /^command(-cli)?-conformance\.test\.ts$/.test(name))
    .map((name) => readFileSync(path.join(__dirname, name), 'utf8'))
    .join('\n');
  const without = Object.keys(ROWS).filter(
    (row) => !new RegExp(`(describe|it)\\(ROWS\\.${row},`).test(sources),
  );
  expect(without).toEqual([]);
});
