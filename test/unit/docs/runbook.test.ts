import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';

const docs = path.resolve(__dirname, '../../../docs');
const folder = path.join(docs, 'runbook');
const entries = fs.readdirSync(folder).flatMap((file) => /^(.+)\.sh$/.exec(file)?.[1] ?? []);
const contents = fs.readFileSync(path.join(docs, 'runbook.md'), 'utf8');

describe.each(entries)('the runbook’s entry %s', (entry) => {
  const script = path.join(folder, `${entry}.sh`);

  test('is named in the runbook, with what it printed', () => {
    expect(contents).toContain(`(runbook/${entry}.sh)`);
    expect(contents).toContain(`(runbook/${entry}.txt)`);
  });

  test('is a script that a POSIX shell takes, and that stops at the first failure', () => {
    expect(spawnSync('sh', ['-n', script], { encoding: 'utf8' })).toMatchObject({ status: 0, stderr: '' });
    expect(fs.readFileSync(script, 'utf8')).toContain('\nset -eu\n');
  });

  test('has been run: each of its lines that calls a program stands in what it printed', () => {
    const printed = fs.readFileSync(path.join(folder, `${entry}.txt`), 'utf8');
    const calls = fs
      .readFileSync(script, 'utf8')
      .split('\n')
      .flatMap((line) => /^ *(npx skyfleet \w+|pulumi \w+ \w+|sky \w+)/.exec(line)?.[1] ?? []);
    expect(calls.length).toBeGreaterThan(1);
    for (const call of calls) expect(printed).toContain(`$ ${call}`);
  });
});
