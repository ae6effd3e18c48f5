import { LossWatch, type InstanceStanding } from '../../../deployment/operator/losses';

const preempted = 'Server.SpotInstanceTermination';

test('an instance that was seen to run and that AWS has ended is lost', () => {
  const watch = new LossWatch();
  expect(watch.look([['i-1', 'pending', 'pending']])).toEqual([]);
  expect(watch.look([['i-1', 'running', null]])).toEqual([]);
  expect(watch.look([['i-1', 'shutting-down', 'Server.InternalError']])).toEqual(['i-1']);
});

test.each([preempted, 'Server.SpotInstanceShutdown', 'Server.ScheduledStop'])(
  'an instance that came and went between two looks is lost where AWS says %s',
  (reason) => {
    expect(new LossWatch().look([['i-1', 'terminated', reason]])).toEqual(['i-1']);
  },
);

test('an instance of a launch before, which ran when this one began, is lost', () => {
  const watch = new LossWatch([['i-1', 'running', null]]);
  expect(watch.look([['i-1', 'terminated', preempted]])).toEqual(['i-1']);
});

test.each<[string, InstanceStanding]>([
  ['had ended before the launch began', ['i-0', 'terminated', preempted]],
  ['SkyPilot has ended', ['i-1', 'terminated', 'Client.UserInitiatedShutdown']],
  ['found no room and never ran', ['i-2', 'terminated', 'Server.InsufficientInstanceCapacity']],
  ['is about to run', ['i-2', 'pending', 'pending']],
  ['runs', ['i-1', 'running', null]],
  ['has ended for no reason that AWS says', ['i-1', 'terminated', null]],
])('an instance that %s is not', (_, standing) => {
  const watch = new LossWatch([['i-0', 'shutting-down', preempted]]);
  watch.look([['i-1', 'running', null]]);
  expect(watch.look([standing])).toEqual([]);
});
