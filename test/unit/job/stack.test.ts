import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { interruptedStacks, stacksOf } from '../../../local/job/stack';

let folder: string;
beforeEach(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-stacks-'))));
afterEach(() => fs.rmSync(folder, { recursive: true }));

test('the stacks of a rig are those that it has a configuration of', () => {
  expect(stacksOf(folder)).toEqual([]);
  fs.mkdirSync(path.join(folder, 'project'));
  for (const file of ['Pulumi.yaml', 'Pulumi.local.yaml', 'Pulumi.local-eu.yaml', 'Pulumi.local.yaml.new']) {
    fs.writeFileSync(path.join(folder, 'project', file), '');
  }
  expect(stacksOf(folder)).toEqual(['local', 'local-eu']);
});

test('a stack whose lock is left was interrupted; one that was only ever locked was not', () => {
  expect(interruptedStacks(folder)).toEqual([]);
  for (const stack of ['local', 'local-eu']) {
    fs.mkdirSync(path.join(folder, '.pulumi/locks/organization/skyfleet', stack), { recursive: true });
  }
  expect(interruptedStacks(folder)).toEqual([]);
  const locks = path.join(folder, '.pulumi/locks/organization/skyfleet/local-eu');
  fs.writeFileSync(path.join(locks, '86ac4e49.json'), '{"pid":17}');
  fs.writeFileSync(path.join(locks, '86ac4e49.json.attrs'), '{}');
  expect(interruptedStacks(folder)).toEqual(['local-eu']);
});
