import { credentialPaths, oneOf, parseEndpoints, tokenProblems } from '../../../migration/credentials';

const containing = (text: string): string => expect.stringContaining(text) as string;

test.each([
  ['nats://orchestrator.example.com:4222', 'nats://orchestrator.example.com:4222', 'taken'],
  ['nats://orchestrator.example.com', 'nats://orchestrator.example.com:4222', 'changed'],
  ['orchestrator.example.com:4333', 'nats://orchestrator.example.com:4333', 'changed'],
  ['192.0.2.7/', 'nats://192.0.2.7:4222', 'changed'],
])('the address %s is understood', (written, endpoint, outcome) => {
  const { endpoints, entries, problems } = parseEndpoints(`${written}\n`, 'orchestrator_endpoint');
  expect(problems).toEqual([]);
  expect(endpoints).toEqual([endpoint]);
  expect(entries).toMatchObject([{ outcome, to: 'skyfleet:orchestrator.endpoints' }]);
});

test('several addresses may stand in one file', () => {
  expect(parseEndpoints('a.example.com, b.example.com\nc.example.com', 'x').endpoints).toEqual([
    'nats://a.example.com:4222',
    'nats://b.example.com:4222',
    'nats://c.example.com:4222',
  ]);
});

test.each([
  ['', 'is empty'],
  ['tls://orchestrator.example.com:4222', 'skyfleet:orchestrator.tls'],
  ['nats://orchestrator.example.com:4222/path', 'must be nats://host:port'],
])('the address "%s" is refused', (text, message) => {
  expect(parseEndpoints(text, 'x')).toMatchObject({
    endpoints: [],
    problems: [{ message: containing(message) }],
  });
});

test('a token inside an address is refused and not shown', () => {
  const read = parseEndpoints('nats://planted-token@orchestrator.example.com:4222', 'x');
  expect(read.problems).toMatchObject([{ message: containing('before the @') }]);
  expect(JSON.stringify(read)).not.toContain('planted-token');
});

test('a token that a node could not take is refused and not shown', () => {
  const of = (text: string): unknown[] => tokenProblems({ file: 'orchestrator_token', text });
  expect(of('abc-123\n')).toEqual([]);
  expect(of(' \n')).toMatchObject([{ message: containing('is empty') }]);
  expect(of('planted token')).toMatchObject([{ message: containing('visible ASCII') }]);
  expect(JSON.stringify(of('planted token'))).not.toContain('planted');
});

test('files that differ are refused without their contents, equal ones are one', () => {
  const [one, same, other] = ['planted', 'planted\n', 'other'].map((text, index) => ({
    file: `file-${index}`,
    text,
  }));
  if (one === undefined || same === undefined || other === undefined) throw new Error('three files');
  expect(oneOf([one, same], 'orchestrator_token')).toEqual({ file: one, problems: [] });
  expect(oneOf([], 'orchestrator_token')).toEqual({ problems: [] });
  const { problems } = oneOf([one, other], 'orchestrator_token');
  expect(problems).toMatchObject([{ message: containing('--credentials FOLDER') }]);
  expect(JSON.stringify(problems)).not.toContain('planted');
});

test('credentials are looked for where the earlier tools have them', () => {
  const config = credentialPaths('/fleet', { folder: 'upload', mounted: [] });
  expect(config.token).toEqual(
    expect.arrayContaining([
      '/fleet/upload/etc/bacalhau/orchestrator_token',
      '/fleet/files/orchestrator_token',
      '/fleet/credentials/orchestrator_token',
      '/fleet/deployment/etc/bacalhau/orchestrator_token',
    ]),
  );
  const task = credentialPaths('/fleet/skypilot-tasks', { mounted: ['./mine/orchestrator_token'] });
  expect(task.token).toEqual(
    expect.arrayContaining([
      '/fleet/mine/orchestrator_token',
      '/fleet/deployment-new/etc/bacalhau/orchestrator_token',
    ]),
  );
  expect(credentialPaths('/fleet', { mounted: [] }, '/safe').token).toEqual(['/safe/orchestrator_token']);
});
