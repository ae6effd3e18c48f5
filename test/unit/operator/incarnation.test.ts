import {
  chooseIncarnation,
  labelKeys,
  isIncarnationOf,
  newIncarnation,
  parseSubmission,
  submissionText,
} from '../../../deployment/operator/incarnation';
import type { ClusterStatus } from '../../../deployment/operator/skypilot';

const wanted = { stack: 'org/skyfleet/dev', place: 'sensors-0', machine: 'm1' };
const fresh = (): string => 'sensors-0-new1';

function cluster(name: string, machine: string, changes: Partial<ClusterStatus> = {}): ClusterStatus {
  const labels = {
    [labelKeys.stack]: wanted.stack,
    [labelKeys.place]: wanted.place,
    [labelKeys.machine]: machine,
  };
  return {
    name,
    status: 'UP',
    nodes: 1,
    labels,
    launched_at: 1,
    ...changes,
  };
}

test('an empty place gets a new incarnation', () => {
  expect(chooseIncarnation([], wanted, undefined, fresh)).toEqual({
    incarnation: 'sensors-0-new1',
    retiring: [],
  });
});

test('the recorded cluster is kept while its machines are the wanted ones', () => {
  const clusters = [cluster('sensors-0-aaaa', 'm1', { launched_at: 9 }), cluster('sensors-0-bbbb', 'm1')];
  expect(chooseIncarnation(clusters, wanted, 'sensors-0-bbbb', fresh)).toEqual({
    incarnation: 'sensors-0-bbbb',
    retiring: ['sensors-0-aaaa'],
  });
});

test('a launch that was never recorded is found and joined', () => {
  expect(chooseIncarnation([cluster('sensors-0-aaaa', 'm1')], wanted, undefined, fresh)).toEqual({
    incarnation: 'sensors-0-aaaa',
    retiring: [],
  });
});

test('other machines come up under a new name, and the old cluster retires afterwards', () => {
  expect(chooseIncarnation([cluster('sensors-0-aaaa', 'm0')], wanted, 'sensors-0-aaaa', fresh)).toEqual({
    incarnation: 'sensors-0-new1',
    retiring: ['sensors-0-aaaa'],
  });
});

test('a change that failed and is taken back finds the old cluster and retires the failed one', () => {
  const clusters = [cluster('sensors-0-good', 'm1'), cluster('sensors-0-fail', 'm2')];
  expect(chooseIncarnation(clusters, wanted, 'sensors-0-fail', fresh)).toEqual({
    incarnation: 'sensors-0-good',
    retiring: ['sensors-0-fail'],
  });
});

test("clusters of other places and other stacks are nobody's business", () => {
  const others = [
    cluster('sensors-1-aaaa', 'm1', {
      labels: { ...cluster('', 'm1').labels, [labelKeys.place]: 'sensors-1' },
    }),
    cluster('sensors-0-bbbb', 'm1', {
      labels: { ...cluster('', 'm1').labels, [labelKeys.stack]: 'org/skyfleet/prod' },
    }),
    cluster('sensors-0-cccc', 'm1', { labels: null }),
  ];
  expect(chooseIncarnation(others, wanted, undefined, fresh)).toEqual({
    incarnation: 'sensors-0-new1',
    retiring: [],
  });
});

test('a new name is the place and four characters, and not one that is taken', () => {
  const names = new Set(Array.from({ length: 500 }, () => newIncarnation('sensors-0', new Set())));
  for (const name of names) expect(name).toMatch(/^sensors-0-[a-z2-9]{4}$/);
  const [taken] = names;
  expect(newIncarnation('sensors-0', new Set([taken ?? '']))).not.toBe(taken);
});

test('a name is one of the place whose name it begins with, and of no other', () => {
  expect(isIncarnationOf('sensors-0', newIncarnation('sensors-0', new Set()))).toBe(true);
  expect(isIncarnationOf('sensors', 'sensors-0-k3f9')).toBe(false);
  expect(isIncarnationOf('sensors-0', 'sensors-01-k3f9')).toBe(false);
  expect(isIncarnationOf('sensors-0', 'sensors-0')).toBe(false);
});

test('nothing printed means nothing submitted', () => {
  expect(parseSubmission(undefined)).toBeUndefined();
  expect(parseSubmission('')).toBeUndefined();
});

test('later steps are told the submission as it was printed, without the program beside it', () => {
  const submission = { incarnation: 'a-0-bbbb', requestId: 'r', retiring: ['a-0-cccc'], generation: 2 };
  const printed = JSON.stringify({ ...submission, program: 'packed' });
  expect(parseSubmission(printed)).toEqual(submission);
  expect(submissionText(printed)).toBe(JSON.stringify(submission));
});
