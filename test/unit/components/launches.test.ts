import { local } from '@pulumi/command';
import { Launches } from '../../../components/launches';
import { mockPulumi } from './mocks';

beforeAll(() => mockPulumi());

test('a launch can be added as long as the program awaits nothing, and is refused afterwards', async () => {
  const launches = new Launches('fleet');
  launches.add(new local.Command('first-submit', {}));
  await new Promise((resolve) => setImmediate(resolve));
  expect(() => launches.add(new local.Command('second-submit', {}))).toThrow(
    'a cluster is declared too late for its Launches: make these after the last await of the program',
  );
});
