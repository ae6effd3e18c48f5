import { spawnSync } from 'node:child_process';
import * as path from 'node:path';

const checkout = path.resolve(__dirname, '../../..');
const containing = (text: string): string => expect.stringContaining(text) as string;
const skyfleet = (...args: string[]) =>
  spawnSync(process.execPath, [path.join(checkout, 'bin/skyfleet.mjs'), ...args], {
    cwd: checkout,
    encoding: 'utf8',
  });

test('lists its commands', () => {
  expect(skyfleet('--help')).toMatchObject({
    status: 0,
    stdout: containing('  review   say what an up would do and cost\n'),
  });
  expect(skyfleet()).toMatchObject({ status: 1, stdout: '', stderr: containing('usage: skyfleet COMMAND') });
});

test.each(['review', 'up', 'recover', 'render'])('hands what stands behind it to %s', (command) => {
  expect(skyfleet(command)).toMatchObject({ status: 1, stderr: containing(`usage: ${command} --stack`) });
  expect(skyfleet(command, '--no-such-option')).toMatchObject({
    status: 1,
    stderr: containing("Unknown option '--no-such-option'"),
  });
});

test.each(['fly', 'toString'])('does not know %s', (command) => {
  expect(skyfleet(command)).toMatchObject({
    status: 1,
    stderr: containing(`there is no command ${command}\nusage: skyfleet`),
  });
});
