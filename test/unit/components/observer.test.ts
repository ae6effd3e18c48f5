import * as pulumi from '@pulumi/pulumi';
import { awsSources } from '../../../components/observer';

/** Answers invokes, and keeps what was asked. */
async function invokes(answers: Record<string, object>): Promise<pulumi.runtime.MockCallArgs[]> {
  const asked: pulumi.runtime.MockCallArgs[] = [];
  await pulumi.runtime.setMocks({
    newResource: ({ name, inputs }) => ({ id: name, state: inputs as Record<string, unknown> }),
    call: (args) => {
      asked.push(args);
      return answers[args.token] ?? {};
    },
  });
  return asked;
}

const sources = awsSources({ stack: 'organization/skyfleet/dev', region: 'us-west-2', bucket: 'b' });

test('the instances are those with the tag of the stack, in the states that are asked for', async () => {
  const asked = await invokes({ 'aws:ec2/getInstances:getInstances': { ids: ['i-1'] } });
  expect(await sources.instances(['pending', 'running'])).toEqual(['i-1']);
  expect(asked.map(({ inputs }) => inputs as object)).toEqual([
    {
      instanceTags: { 'skyfleet-stack': 'organization/skyfleet/dev' },
      instanceStateNames: ['pending', 'running'],
      region: 'us-west-2',
    },
  ]);
});

test('objects are listed beyond the first thousand, and read', async () => {
  const asked = await invokes({
    'aws:s3/getObjects:getObjects': { keys: ['p/a.json'] },
    'aws:s3/getObject:getObject': { body: '{}' },
  });
  expect(await sources.bucket.list('p/')).toEqual(['p/a.json']);
  expect(await sources.bucket.read('p/a.json')).toBe('{}');
  expect(asked.map(({ inputs }) => inputs as object)).toEqual([
    { bucket: 'b', prefix: 'p/', maxKeys: 100_000, region: 'us-west-2' },
    { bucket: 'b', key: 'p/a.json', region: 'us-west-2' },
  ]);
});
