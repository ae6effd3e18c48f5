import * as fs from 'node:fs';
import * as path from 'node:path';
import { runScript, temporaryFolder } from './scripts';

const folder = temporaryFolder();
afterAll(() => folder.dispose());

const member = path.join(folder.path, 'var/lib/skyfleet/member.json');
const metadata = path.join(folder.path, 'var/lib/bacalhau/system_metadata.yaml');
const text = (name: string): string =>
  `RepoVersion: 5\nInstanceID: 4f28\nLastUpdateCheck: 0001-01-01T00:00:00Z\nNodeName: ${name}\n`;

beforeAll(() => {
  for (const file of [member, metadata]) fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(member, '{"nodeName":"local-0-aaaa"}');
});

const name = () => runScript('bacalhau_name.py', [], { SKYFLEET_NODE_ROOT: folder.path });

test('a node that Bacalhau has not named yet is left to it', async () => {
  expect(await name()).toMatchObject({ code: 0, stderr: '' });
  expect(fs.existsSync(metadata)).toBe(false);
});

test('the name that Bacalhau keeps becomes the one of the member, and all else stays', async () => {
  fs.writeFileSync(metadata, text('local-0-aaaa-1'), { mode: 0o600 });
  for (const run of ['once', 'again']) {
    expect([run, await name()]).toEqual([run, expect.objectContaining({ code: 0, stderr: '' })]);
    expect(fs.readFileSync(metadata, 'utf8')).toBe(text('local-0-aaaa'));
    expect(fs.statSync(metadata).mode & 0o777).toBe(0o600);
  }
});
