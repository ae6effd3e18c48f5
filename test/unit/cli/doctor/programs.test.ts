import {
  judgeNode,
  judgePlugin,
  judgeProgram,
  judgePulumi,
  judgePython,
} from '../../../../cli/doctor/programs';
import { atLeast, versionIn } from '../../../../cli/doctor/version';

test.each([
  ['3.250.0', '3.250.0', true],
  ['3.300.0', '3.250.0', true],
  ['3.68.0', '3.250.0', false],
  ['20.20.2', '20.19', true],
  ['20.9.0', '20.19', false],
])('version %s against %s: %s', (version, least, enough) => {
  expect(atLeast(version, least)).toBe(enough);
});

test('finds the version in what programs print', () => {
  expect(versionIn('v3.250.0')).toBe('3.250.0');
  expect(versionIn('>=20.19')).toBe('20.19');
  expect(versionIn('none')).toBeUndefined();
});

test('an old Node.js or Pulumi is named with the version that is needed', () => {
  expect(judgeNode('18.0.0', '>=20.19')).toMatchObject({
    state: 'failed',
    detail: 'is 18.0.0; 20.19 or newer is needed',
  });
  expect(judgeNode('22.1.0', '>=20.19').state).toBe('ok');
  expect(judgePulumi({ printed: 'v3.100.1' }, '3.250.0')).toMatchObject({
    state: 'failed',
    detail: 'is 3.100.1; 3.250.0 or newer is needed',
  });
  expect(judgePulumi({ printed: 'v3.251.0' }, '3.250.0').state).toBe('ok');
});

test('a plugin must be there in the very version of its SDK', () => {
  const installed = [
    { name: 'aws', kind: 'resource', version: '7.1.0' },
    { name: 'nodejs', kind: 'language', version: '7.48.0' },
  ];
  expect(judgePlugin(installed, 'aws', '7.48.0')).toEqual({
    check: 'Pulumi plugin aws',
    state: 'failed',
    detail: 'version 7.48.0 is not installed; there is 7.1.0',
    remedy: 'pulumi plugin install resource aws v7.48.0',
  });
  expect(judgePlugin(installed, 'aws', '7.1.0').state).toBe('ok');
  expect(judgePlugin(installed, 'nodejs', '7.48.0').state).toBe('failed');
});

test('a program that is not there is a failure, and Python only a note', () => {
  const absent = { problem: 'ssh is not on the PATH; install it' };
  expect(judgeProgram('ssh', absent, 'install an OpenSSH client')).toMatchObject({
    state: 'failed',
    remedy: 'install an OpenSSH client',
  });
  expect(judgePython(absent).state).toBe('skipped');
  expect(judgeProgram('ssh', { printed: 'OpenSSH_9.2\nmore' }, '').detail).toBe('OpenSSH_9.2');
});
