import { runScript, scenario, temporaryFolder, writeSettings } from './scripts';

jest.setTimeout(120_000);

interface Member {
  instanceId: string;
  zone: string;
  region: string;
  privateIp: string;
  publicIp: string | null;
  lifeCycle: string;
  incarnation: string;
  member: number;
  nodeName: string;
  ordinal: number;
  error?: string;
}

interface Outcome {
  atOnce: Member[];
  holders: string[];
  writes: number;
  again: number[];
  writesAgain: number;
  full: Member;
  lost: number;
  replacement: Member;
  sameAddress: Member;
  wasThird: number;
  nextIncarnation: number[];
  twoLost: number[];
  unreadable: Member;
  notInCluster: Member;
  forbidden: Member;
}

const folder = temporaryFolder();
afterAll(folder.dispose);

describe.each([
  ['where S3 says that a missing object is missing', '404'],
  ['where S3 calls a missing object forbidden', '403'],
])('members of a place, %s', (_, missingStatus) => {
  let outcome: Outcome;
  beforeAll(async () => {
    writeSettings(folder.path);
    outcome = await scenario<Outcome>('claims_scenario.py', [folder.path, missingStatus]);
  });

  test('three nodes at once get three different ones, each written once', () => {
    expect(outcome.atOnce.map(({ member }) => member).sort()).toEqual([0, 1, 2]);
    expect(new Set(outcome.holders)).toEqual(new Set(['i-1', 'i-2', 'i-3']));
    expect(outcome.writes).toBe(3);
  });

  test('member, ordinal and node name belong together', () => {
    for (const { member, ordinal, nodeName } of outcome.atOnce) {
      expect(ordinal).toBe(7 + member);
      expect(nodeName).toBe(member === 0 ? 'local-0-aaaa' : `local-0-aaaa-${member}`);
    }
    expect(outcome.unreadable).toMatchObject({ member: 0, ordinal: 7, nodeName: 'local-0-cccc' });
    expect(outcome.atOnce[0]).toMatchObject({
      instanceId: 'i-1',
      zone: 'us-west-2a',
      region: 'us-west-2',
      publicIp: null,
      lifeCycle: 'on-demand',
    });
  });

  test('a node keeps its own, whatever the order of the addresses, and writes nothing', () => {
    expect(outcome.again).toEqual(outcome.atOnce.map(({ member }) => member));
    expect(outcome.writesAgain).toBe(0);
  });

  test('one node too many is refused, naming the holders', () => {
    expect(outcome.full.error).toContain('all 3 member(s) are held by nodes that are in the cluster');
    expect(outcome.full.error).toContain('i-1 at 10.0.0.1');
  });

  test('a replaced node takes the place of the lost one', () => {
    expect(outcome.replacement.member).toBe(outcome.lost);
  });

  test('also where it was given the address of the lost one', () => {
    expect(outcome.sameAddress.member).toBe(outcome.wasThird);
  });

  test('a new incarnation takes all over', () => {
    expect([...outcome.nextIncarnation].sort()).toEqual([0, 1, 2]);
  });

  test('of two replaced nodes, the one with the address of a lost one takes its place, and leaves the others', () => {
    expect(outcome.twoLost).toEqual([1, 0]);
  });

  test('a claim that nobody can read counts as nobody holding it', () => {
    expect(outcome.unreadable.instanceId).toBe('i-20');
  });

  test('a node outside of its cluster, or without rights, says so', () => {
    expect(outcome.notInCluster.error).toContain(
      'own address 10.0.3.0 is not in SKYPILOT_NODE_IPS: 10.0.0.1',
    );
    expect(outcome.forbidden.error).toContain('claims/local-0/0.json failed: HTTP 403');
  });
});

test.each([
  ['SKYFLEET_INCARNATION', { SKYPILOT_NODE_IPS: '10.0.0.1', SKYFLEET_INCARNATION: '' }],
  ['SKYPILOT_NODE_IPS', { SKYPILOT_NODE_IPS: '', SKYFLEET_INCARNATION: 'local-0-aaaa' }],
])('without %s nothing is claimed', async (name, env) => {
  const finished = await runScript(
    'claim_member.py',
    ['--settings', writeSettings(folder.path), '--output', `${folder.path}/none.json`],
    env,
  );
  expect(finished.code).toBe(1);
  expect(finished.stderr).toContain(`${name} is not set`);
});
