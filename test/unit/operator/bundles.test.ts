import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { operatorProgram } from '../../../components/operator-program';
import { bundlesOf, bundleText, ensureText } from '../../../deployment/operator/bundles';
import { releaseCommand } from '../../../deployment/operator/stored-program';

const checkout = path.resolve(__dirname, '../../..');

/** Runs a command line of a stack in a folder, with nothing of the stack in the environment. */
function run(command: string, cwd: string): { status: number | null; stderr: string } {
  const { PATH } = process.env;
  return spawnSync('/bin/sh', ['-c', command], { cwd, env: { PATH }, encoding: 'utf8' });
}

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-bundles-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** How a program ends that is told nothing. */
const toldNothing = {
  status: 1,
  stderr: expect.stringContaining('is missing in the environment of the command') as string,
};

test('the command line of a program is the same in every checkout, and runs in the folder of the Pulumi project', () => {
  expect(operatorProgram('submit')).toBe('node deployment/bundles/submit.js');
  expect(run(operatorProgram('submit'), checkout)).toMatchObject(toldNothing);
});

test.each(['claim', 'submit'] as const)(
  'the bundle of %s runs without its sources and without packages',
  (command) => {
    fs.writeFileSync(path.join(folder, 'program.js'), bundleText(command));
    expect(run('node program.js', folder)).toMatchObject(toldNothing);
  },
);

test('the command that carries its program runs without anything beside it', () => {
  expect(run(releaseCommand(), folder)).toMatchObject(toldNothing);
});

test('the program that a place is deleted by fits into a variable of its environment', () => {
  // Linux takes 128 KiB for one (MAX_ARG_STRLEN), and the submission stands beside it.
  expect(bundleText('delete').length).toBeLessThan(100_000);
});

test('a file that holds another text is replaced, and one that holds the text is left alone', () => {
  const file = path.join(folder, 'made', 'claim.js');
  ensureText(file, 'of an earlier version');
  ensureText(file, 'new');
  expect(fs.readFileSync(file, 'utf8')).toBe('new');
  const before = fs.statSync(file).ino;
  ensureText(file, 'new');
  expect(fs.statSync(file).ino).toBe(before);
  expect(fs.readdirSync(path.dirname(file))).toEqual(['claim.js']);
});

describe('bundles that are kept', () => {
  const claim = (): string => fs.readFileSync(path.join(folder, 'claim.js'), 'utf8');

  test('are taken as they are, and made anew where they or one of their sources have changed', () => {
    const made = bundlesOf(checkout, folder);
    const before = fs.statSync(path.join(folder, 'claim.js')).mtimeMs;
    expect(bundlesOf(checkout, folder)).toEqual(made);
    expect(fs.statSync(path.join(folder, 'claim.js')).mtimeMs).toBe(before);

    fs.writeFileSync(path.join(folder, 'claim.js'), 'of another hand');
    expect(bundlesOf(checkout, folder)).toEqual(made);
    expect(claim()).toBe(made.get('claim.js'));

    const file = path.join(folder, 'sources.json');
    const record = JSON.parse(fs.readFileSync(file, 'utf8')) as { sources: Record<string, string> };
    const source = 'deployment/operator/commands/claim.ts';
    expect(Object.keys(record.sources)).toContain(source);
    record.sources[source] = 'an earlier version';
    fs.writeFileSync(file, JSON.stringify(record));
    bundlesOf(checkout, folder);
    expect(fs.readFileSync(file, 'utf8')).not.toContain('an earlier version');
  });
});
