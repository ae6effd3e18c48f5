import { chosenStacks, type ListedStack } from '../../../cli/stacks';

const listed: ListedStack[] = [
  { name: 'us', current: true },
  { name: 'eu', current: false },
  { name: 'old', current: false },
];
const choose = (choice: Parameters<typeof chosenStacks>[0]): string[] =>
  chosenStacks(choice, listed, ['us', 'eu', 'never-made']);

test('the current stack is meant where none is named', () => {
  expect(choose({})).toEqual(['us']);
});

test('named stacks are meant, each once', () => {
  expect(choose({ stack: ['eu', 'us', 'eu'] })).toEqual(['eu', 'us']);
});

test('a stack may be named in full', () => {
  expect(choose({ stack: ['organization/skyfleet/eu'] })).toEqual(['organization/skyfleet/eu']);
});

test('all are those that have been made and have a stack file', () => {
  expect(choose({ all: true })).toEqual(['eu', 'us']);
});

test.each<[string, Parameters<typeof chosenStacks>[0], string]>([
  [
    'a stack that is not there',
    { stack: ['us', 'mars'] },
    'the backend has no stack mars (stacks: eu, old, us)',
  ],
  ['all and some', { stack: ['us'], all: true }, '--all and --stack exclude one another'],
  [
    'one stack file for several stacks',
    { all: true, configFile: 'my.yaml' },
    '--config-file is the file of one stack, and several are meant',
  ],
])('%s is refused', (_, choice, message) => {
  expect(() => choose(choice)).toThrow(message);
});

test('where none is selected, it is said what there is', () => {
  expect(() => chosenStacks({}, [{ name: 'eu', current: false }], [])).toThrow(
    'no stack is selected; name one with --stack (stacks: eu)',
  );
  expect(() => chosenStacks({ all: true }, [], [])).toThrow('make one with: pulumi stack init');
});
