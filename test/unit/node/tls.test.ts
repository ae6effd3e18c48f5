import * as fs from 'node:fs';
import * as path from 'node:path';
import { bacalhau, member, runScript, scenario, temporaryFolder, writeSettings } from './scripts';

jest.setTimeout(240_000);

/** True where a compute node joined its orchestrator, else the error in its log. */
type Joined = true | string;

interface Outcome {
  behindProxy: Joined;
  foreignBehindProxy: Joined;
  plain: Joined;
  insistsOnTls: Joined;
  insistsOnTlsWithCa: Joined;
  ownTls: Joined;
  deadFirst: Joined;
  foreign: Joined;
  unknown: Joined;
  switches: boolean[];
}

const folder = temporaryFolder();
afterAll(folder.dispose);

let outcome: Outcome;
beforeAll(async () => {
  fs.writeFileSync(path.join(folder.path, 'member.json'), JSON.stringify(member()));
  const identity = path.join(folder.path, 'identity.json');
  const settings = writeSettings(folder.path);
  await runScript('generate_node_identity.py', [
    ...['--ordinal', '59', '--settings', settings, '--output', identity],
  ]);
  outcome = await scenario<Outcome>('tls_scenario.py', [folder.path, bacalhau()]);
});

const distrusted = /x509: certificate signed by unknown authority/;

test("a compute node joins an orchestrator that has TLS of its own, with the authority's certificate", () => {
  expect(outcome.ownTls).toBe(true);
});

test('it joins one behind a proxy that speaks TLS first', () => {
  expect(outcome.behindProxy).toBe(true);
});

test('it joins one without TLS where none is required', () => {
  expect(outcome.plain).toBe(true);
});

test.each(['foreign', 'unknown', 'foreignBehindProxy'] as const)(
  'it refuses a certificate of another authority: %s',
  (which) => {
    expect(outcome[which]).toMatch(distrusted);
  },
);

test.each(['insistsOnTls', 'insistsOnTlsWithCa'] as const)(
  'where TLS is required it does not go without: %s',
  (which) => {
    expect(outcome[which]).toContain('secure connection not available');
  },
);

test('with several orchestrators it joins one that is there, and another when that one is gone', () => {
  expect(outcome.deadFirst).toBe(true);
  expect(outcome.switches).toEqual([true, true]);
});
