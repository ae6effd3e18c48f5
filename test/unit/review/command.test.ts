import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { reviewSchema } from '../../../review/model';
import { previews, runReview, type Ended } from './fake-pulumi';

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-review-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

const review = (stacks: Record<string, unknown>, ...args: string[]): Ended =>
  runReview(folder, 'review', stacks, ...args);
const containing = (text: string): string => expect.stringContaining(text) as string;

test('one artefact holds several stacks, and the exit code says whether any of them changes', () => {
  const out = path.join(folder, 'out');
  const both = ['--stack', 'us', '--stack', 'eu'];
  const { status, stdout } = review({ us: previews.unchanged, eu: previews.changed }, ...both, '--out', out);
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
  const { status, stdout } = review({ us: previews.unchanged }, '--stack', 'us', '--json');
  expect(status).toBe(0);
  expect(reviewSchema.parse(JSON.parse(stdout)).stacks[0]?.changes).toBe(false);
});

test('what is blocked has an exit code of its own', () => {
  expect(review({ us: previews.blocked }, '--stack', 'us')).toMatchObject({
    status: 3,
    stdout: containing('us: no place changes; blocked by missing-tags'),
  });
});

test('fails without a stack', () => {
  expect(review({})).toMatchObject({
    status: 1,
    stderr:
      'skyfleet: no stack is selected; name one with --stack (stacks: there is none; make one with: pulumi stack init)\n',
  });
});

test('a preview that fails does not stop the others, and is summed up', () => {
  const failed = { diagnostics: [{ severity: 'error', message: 'a zone is wrong' }] };
  const both = ['--stack', 'us', '--stack', 'eu'];
  const { status, stdout, stderr } = review({ us: failed, eu: previews.changed }, ...both);
  expect(status).toBe(1);
  expect(stdout).toContain('eu: no place changes\n');
  expect(stderr).toContain('us: pulumi preview failed:\na zone is wrong\n1 of 2 stacks failed: us\n');
});

test('a catalog that is named has to be there', () => {
  expect(review({ us: previews.unchanged }, '--stack', 'us', '--catalog', '/nowhere.csv')).toMatchObject({
    status: 1,
    stderr: 'skyfleet: there is no catalog /nowhere.csv\n',
  });
});

test('a plan is of one stack', () => {
  const args = ['--stack', 'us', '--stack', 'eu', '--save-plan', path.join(folder, 'plan.json')];
  expect(review({ us: previews.unchanged, eu: previews.changed }, ...args)).toMatchObject({
    status: 1,
    stderr: containing('--save-plan saves the plan of one stack'),
  });
});
