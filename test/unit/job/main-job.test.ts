import { changesOf, diagnosticsOf, progressOf } from '../../../local/job/main-job';

test('what Pulumi did is one line of counts, or that nothing changed', () => {
  expect(changesOf('Outputs:\n    x: 1\n\nResources:\n    + 27 created\n\nDuration: 1m\n')).toBe(
    '27 created',
  );
  expect(changesOf('Resources:\n    + 1 created\n    ~ 2 updated\n    3 changes. 24 unchanged\n')).toBe(
    '1 created, 2 updated, 3 changes. 24 unchanged',
  );
  expect(changesOf('Resources:\n    27 unchanged\n')).toBe('nothing to change (27 unchanged)');
});

test('the diagnostics are what follows their heading', () => {
  expect(diagnosticsOf('updating\nDiagnostics:\n  local-0: no capacity\n')).toBe(
    'Diagnostics:\n  local-0: no capacity',
  );
  expect(diagnosticsOf('error: no stack\n')).toBe('error: no stack');
});

test('progress is told by place', () => {
  expect(progressOf(' +  command:local:Command local-0-submit created (2s) ')).toBe(
    '  local-0 is being launched',
  );
  expect(progressOf(' ~  command:local:Command local-0-wait updated (75s) [diff: ~environment]')).toBe(
    '  local-0 is ready (75 s)',
  );
  expect(progressOf(' -  command:local:Command local-0-submit deleted (12s) ')).toBe(
    '  local-0 is gone (12 s)',
  );
  expect(progressOf(' +  aws:ec2:Vpc skyfleet-local-vpc created (0.9s) ')).toBeUndefined();
});
