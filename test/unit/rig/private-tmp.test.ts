import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { withPrivateTmp } from '../../../local/rig/private-tmp';

let outside: string;
beforeEach(() => (outside = fs.mkdtempSync('/tmp/skyfleet-outside-')));
afterEach(() => fs.rmSync(outside, { recursive: true }));

test('a program sees a /tmp of its own, and below it the folders that are kept, wherever its own /tmp lies', () => {
  const state = path.join(outside, 'checkout', 'state');
  const folder = path.join(state, 'tmp');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(state, 'file'), 'kept');
  const script = `ls /tmp; cat ${state}/file; echo new > ${state}/written; echo private > /tmp/private`;
  const [file = '', ...args] = withPrivateTmp(folder, [state, '/usr'], ['sh', '-c', script]);
  const { status, stdout, stderr } = spawnSync(file, args, { encoding: 'utf8' });
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  expect(stdout).toBe(`${path.basename(outside)}\nkept`);
  expect(fs.readFileSync(path.join(state, 'written'), 'utf8')).toBe('new\n');
  expect(fs.existsSync('/tmp/private')).toBe(false);
  expect(fs.readFileSync(path.join(folder, 'private'), 'utf8')).toBe('private\n');
});

test('a path that could not be told from two is refused', () => {
  expect(() => withPrivateTmp('/srv/tmp', ['/tmp/my checkout'], ['true'])).toThrow('a path with white space');
});
