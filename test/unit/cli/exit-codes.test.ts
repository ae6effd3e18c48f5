import { exitCodes, worstOf } from '../../../cli/exit-codes';
import { failuresText, sideBySide, valuesOf } from '../../../cli/side-by-side';

test('of several exit codes a failure counts first, then a decision, then what was found', () => {
  const { done, failed, found, undecided } = exitCodes;
  expect(worstOf([])).toBe(done);
  expect(worstOf([done, found])).toBe(found);
  expect(worstOf([found, undecided, done])).toBe(undecided);
  expect(worstOf([undecided, failed, found])).toBe(failed);
});

test('what fails for one stack does not stop the others, and is summed up', async () => {
  const outcomes = await sideBySide(['us', 'eu', 'ap'], (stack) =>
    stack === 'eu' ? Promise.reject(new Error('no zone has one')) : Promise.resolve(stack.toUpperCase()),
  );
  expect(valuesOf(outcomes)).toEqual([
    { stack: 'us', value: 'US' },
    { stack: 'ap', value: 'AP' },
  ]);
  expect(failuresText(outcomes)).toBe('eu: no zone has one\n1 of 3 stacks failed: eu\n');
  expect(failuresText(outcomes.slice(0, 1))).toBe('');
  expect(failuresText(outcomes.slice(1, 2))).toBe('eu: no zone has one\n');
});
