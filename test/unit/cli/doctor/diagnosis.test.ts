import { failed, ok, skipped, unknown } from '../../../../cli/doctor/check';
import { diagnosisText, exitCodeOf, type Diagnosis } from '../../../../cli/doctor/diagnosis';

const well: Diagnosis = {
  checks: [ok('ssh', 'OpenSSH_9.2')],
  stacks: [{ stack: 'dev', checks: [ok('stack', 'is there')] }],
};
const ill: Diagnosis = {
  checks: [ok('ssh', 'OpenSSH_9.2'), failed('AWS CLI', 'is not there', 'install it')],
  stacks: [
    {
      stack: 'eu',
      checks: [unknown('AWS permissions', 'no answer\nat all', 'ask'), skipped('quotas', 'no CLI')],
    },
    { stack: 'us', checks: [ok('stack', 'is there')] },
  ],
};

test('says one line where all is well', () => {
  expect(diagnosisText(well, false)).toBe('2 checks: 2 ok\n');
});

test('says what is not well, with its remedy, and counts the rest', () => {
  expect(diagnosisText(ill, false)).toBe(
    [
      'this machine:',
      '  FAILED: AWS CLI: is not there',
      '      remedy: install it',
      'eu:',
      '  cannot be told: AWS permissions: no answer',
      '      at all',
      '      remedy: ask',
      '  skipped: quotas: no CLI',
      '5 checks: 2 ok, 1 failed, 1 cannot be told, 1 skipped',
      '',
    ].join('\n'),
  );
});

test('tells everything where it is asked to', () => {
  expect(diagnosisText(well, true)).toBe(
    'this machine:\n  ok: ssh: OpenSSH_9.2\ndev:\n  ok: stack: is there\n2 checks: 2 ok\n',
  );
});

test('ends with 2 where something is not well or cannot be told, and not for what is only skipped', () => {
  const withCheck = (check: Diagnosis['checks'][number]): Diagnosis => ({ checks: [check], stacks: [] });
  expect(exitCodeOf(well)).toBe(0);
  expect(exitCodeOf(withCheck(failed('a', 'b', 'c')))).toBe(2);
  expect(exitCodeOf(withCheck(unknown('a', 'b', 'c')))).toBe(2);
  expect(exitCodeOf(withCheck(skipped('a', 'b')))).toBe(0);
});
