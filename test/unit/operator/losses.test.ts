import { LossWatch } from '../../../deployment/operator/losses';

const preempted = 'Server.SpotInstanceTermination';

test('an instance that was seen to run and that AWS has ended is lost', () => {
  const watch = new LossWatch();
  expect(watch.look([['i-1', 'pending', 'pending']])).toEqual([]);
  expect(watch.look([['i-1', 'running', null]])).toEqual([]);
  expect(watch.look([['i-1', 'shutting-down', preempted]])).toEqual(['i-1']);
});

test.each<[string, readonly [string, string, string | null]]>([
  ['was ended before it was first looked at', ['i-0', 'terminated', preempted]],
  ['SkyPilot has ended', ['i-1', 'terminated', 'Client.UserInitiatedShutdown']],
  ['runs', ['i-1', 'running', null]],
])('an instance that %s is not', (_, standing) => {
  const watch = new LossWatch();
  watch.look([['i-1', 'running', null]]);
  expect(watch.look([standing])).toEqual([]);
});
