import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { reviewSchema } from '../../../review/model';

const checkout = path.resolve(__dirname, '../../..');
const vpc = {
  urn: 'urn:pulumi:dev::skyfleet::aws:ec2/vpc:Vpc::vpc',
  type: 'aws:ec2/vpc:Vpc',
};
const unchanged = { steps: [{ op: 'same', urn: vpc.urn, newState: vpc }] };
const changed = { steps: [{ op: 'update', urn: vpc.urn, newState: vpc, detailedDiff: { 'tags.team': {} } }] };

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-review-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

/** Runs the command with a `pulumi` on PATH that prints a preview for each stack. */
function review(
  previews: Record<string, unknown>,
  ...args: string[]
): { status: number | null; stdout: string; stderr: string } {
  for (const [stack, preview] of Object.entries(previews)) {
    fs.writeFileSync(path.join(folder, `${stack}.json`), JSON.stringify(preview));
  }
  const script = `#!/bin/sh\nwhile [ "$1" != --stack ]; do shift; done\ncat "${folder}/$2.json"\n`;
  fs.writeFileSync(path.join(folder, 'pulumi'), script, { mode: 0o755 });
  return spawnSync(process.execPath, ['--import', 'tsx', path.join(checkout, 'review/cli.ts'), ...args], {
    cwd: checkout,
    env: { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` },
    encoding: 'utf8',
  });
}

test('one artefact holds several stacks, and the exit code says whether any of them changes', () => {
  const out = path.join(folder, 'out');
  const both = ['--stack', 'us', '--stack', 'eu'];
  const { status, stdout } = review({ us: unchanged, eu: changed }, ...both, '--out', out);
  expect(status).toBe(2);
  expect(stdout).toContain('us: no changes\n');
  expect(stdout).toContain('eu: no place changes\n');
  const json = fs.readFileSync(path.join(out, 'review.json'), 'utf8');
  expect(reviewSchema.parse(JSON.parse(json)).stacks.map(({ stack }) => stack)).toEqual(['us', 'eu']);
  expect(fs.readFileSync(path.join(out, 'review.md'), 'utf8')).toContain(
    'update `aws:ec2/vpc:Vpc` vpc: tags.team',
  );
});

test('nothing but JSON is on stdout where it is asked for', () => {
  const { status, stdout } = review({ us: unchanged }, '--stack', 'us', '--json');
  expect(status).toBe(0);
  expect(reviewSchema.parse(JSON.parse(stdout)).stacks[0]?.changes).toBe(false);
});

test('fails without a stack, and with what the preview says where that does', () => {
  expect(review({})).toMatchObject({ status: 1, stderr: expect.stringContaining('usage: review') as string });
  const failed = { diagnostics: [{ severity: 'error', message: 'no stack named x' }] };
  expect(review({ x: failed }, '--stack', 'x')).toMatchObject({
    status: 1,
    stderr: expect.stringContaining('pulumi preview failed:\nno stack named x\n') as string,
  });
});
