import { parseRecordedStack } from '../../../deployment/operator/recorded-state';

const secret = (value: unknown) => ({
  '4dabf18193072939515e22adb298388d': '1b47061264138c4ac30d75fd1eb44270',
  plaintext: JSON.stringify(value),
});
const urn = (parents: string, name: string): string =>
  `urn:pulumi:dev::skyfleet::${parents}$command:local:Command::${name}`;
const ofPlace = 'skyfleet:bacalhau:BacalhauFleet$skyfleet:sky:SkyCluster';

const submission = '{"incarnation":"sensors-0-aaaa","requestId":"r","retiring":[],"generation":3}';
const ready = '{"incarnation":"sensors-0-aaaa","nodes":[]}';

const stackResource = {
  urn: 'urn:pulumi:dev::skyfleet::pulumi:pulumi:Stack::skyfleet-dev',
  type: 'pulumi:pulumi:Stack',
  outputs: { dataBucket: 'skyfleet-dev-data-1' },
};
const claim = {
  urn: urn('skyfleet:sky:SkyServer', 'skyfleet-dev-skypilot'),
  type: 'command:local:Command',
  inputs: { environment: {} },
  outputs: { stdout: '{"mark":"m"}' },
};
const submit = {
  urn: urn(ofPlace, 'sensors-0-submit'),
  type: 'command:local:Command',
  inputs: {
    environment: {
      SKYFLEET_GENERATION: '3',
      SKYFLEET_CHANGE: 'replace: …',
      SKYFLEET_SERVING: 'sensors-0-old1',
      SKYFLEET_INPUTS: 'abc',
      SKYFLEET_ORCHESTRATOR_TOKEN: secret('planted-token'),
    },
  },
  outputs: { stdout: submission.replace('}', ',"program":"packed"}') },
};
const wait = {
  urn: urn(ofPlace, 'sensors-0-wait'),
  type: 'command:local:Command',
  inputs: {
    environment: secret({
      SKYFLEET_SUBMISSION: submission,
      SKYFLEET_APPLIED: 'bacalhau.logLevel: info\n',
      SKYFLEET_ORCHESTRATOR_TOKEN: 'planted-token',
    }),
  },
  outputs: { stdout: ready },
};
const state = (...resources: object[]): string => JSON.stringify({ version: 3, deployment: { resources } });

test('an empty stack has recorded nothing', () => {
  for (const json of ['{}', '{"deployment":null}', '{"deployment":{}}']) {
    expect(parseRecordedStack(json)).toEqual({ places: new Map(), server: undefined, dataBucket: undefined });
  }
});

test('a place has what was submitted and what was applied last, with secrets in plain', () => {
  const { places, server, dataBucket } = parseRecordedStack(state(stackResource, claim, submit, wait));
  expect({ server, dataBucket }).toEqual({ server: '{"mark":"m"}', dataBucket: 'skyfleet-dev-data-1' });
  expect([...places.values()]).toEqual([
    {
      place: 'sensors-0',
      environment: expect.objectContaining({
        SKYFLEET_CHANGE: 'replace: …',
        SKYFLEET_ORCHESTRATOR_TOKEN: 'planted-token',
      }) as Record<string, string>,
      submitted: {
        generation: 3,
        change: 'replace: …',
        serving: 'sensors-0-old1',
        inputs: 'abc',
        submission: JSON.parse(submission) as unknown,
        token: 'planted-token',
      },
      applied: {
        inputs: { 'bacalhau.logLevel': 'info' },
        submission,
        ready: JSON.parse(ready) as unknown,
        managed: false,
        token: 'planted-token',
      },
      finished: true,
    },
  ]);
});

test('a submission that no wait has followed to its end is not finished', () => {
  expect(parseRecordedStack(state(submit)).places.get('sensors-0')).toMatchObject({
    applied: undefined,
    finished: false,
  });
  const later = { ...submit, outputs: { stdout: submission.replace('"r"', '"q"') } };
  expect(parseRecordedStack(state(later, wait)).places.get('sensors-0')?.finished).toBe(false);
});

test('what Pulumi is still to delete does not stand any more', () => {
  expect(parseRecordedStack(state({ ...submit, delete: true }, wait)).places.size).toBe(0);
});
