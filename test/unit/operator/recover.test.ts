import {
  commandLine,
  parseExport,
  parseLock,
  refreshTargets,
  unrecorded,
  type StackState,
} from '../../../deployment/operator/recover';
import { kindOf, type FoundResource } from '../../../deployment/operator/stack-resources';

const urn = (type: string, name: string): string => `urn:pulumi:dev::skyfleet::${type}::${name}`;
const root = urn('pulumi:pulumi:Stack', 'skyfleet-dev');
const vpc = urn('skyfleet:network:Network$aws:ec2/vpc:Vpc', 'skyfleet-dev-vpc');
const environment = {
  SKYFLEET_STACK: 'organization/skyfleet/dev',
  SKYFLEET_SKYPILOT_TOKEN: { '4dabf18193072939515e22adb298388d': 'x', plaintext: '"planted"' },
};
const exported = {
  deployment: {
    resources: [
      { urn: root, type: 'pulumi:pulumi:Stack' },
      { urn: vpc, type: 'aws:ec2/vpc:Vpc', id: 'vpc-1' },
      {
        urn: urn('x$aws:ec2/route:Route', 'skyfleet-dev-way-out'),
        type: 'aws:ec2/route:Route',
        id: 'r-rtb-11080289494',
        outputs: { routeTableId: 'rtb-1', destinationCidrBlock: '0.0.0.0/0' },
      },
      {
        urn: urn('x$aws:iam/rolePolicy:RolePolicy', 'skyfleet-dev-policy'),
        type: 'aws:iam/rolePolicy:RolePolicy',
        id: 'skyfleet-dev-role-1:skyfleet-dev-policy-1',
      },
      {
        urn: urn('x$command:local:Command', 'skyfleet-dev-skypilot'),
        type: 'command:local:Command',
        id: 'c1',
        inputs: { environment },
        outputs: { stdout: '{"mark":"0a1b2c3d"}' },
      },
      {
        urn: urn('x$command:local:Command', 'sensors-0-submit'),
        type: 'command:local:Command',
        id: 'c2',
        inputs: { environment },
        outputs: { stdout: '{"incarnation":"sensors-0-new1","requestId":"r","retiring":["sensors-0-old1"]}' },
      },
    ],
    pending_operations: [
      {
        type: 'creating',
        resource: { urn: urn('x$aws:ec2/subnet:Subnet', 's'), type: 'aws:ec2/subnet:Subnet' },
      },
      { type: 'deleting', resource: { urn: vpc, type: 'aws:ec2/vpc:Vpc', id: 'vpc-1' } },
    ],
  },
};
const recorded = parseExport(JSON.stringify(exported), 'other');

describe("Pulumi's state tells", () => {
  test('the full name of the stack, the ids at AWS, the incarnations and the server', () => {
    expect(recorded).toMatchObject({ project: 'skyfleet', fullName: 'organization/skyfleet/dev' });
    for (const id of ['vpc-1', 'rtb-1_0.0.0.0/0', 'skyfleet-dev-policy-1'])
      expect(recorded.ids).toContain(id);
    expect([...recorded.incarnations]).toEqual(['sensors-0-new1', 'sensors-0-old1']);
    expect(recorded.server).toEqual({
      identity: { mark: '0a1b2c3d' },
      environment: { SKYFLEET_STACK: 'organization/skyfleet/dev', SKYFLEET_SKYPILOT_TOKEN: 'planted' },
    });
  });

  test('the name of the stack as soon as anything was begun', () => {
    const begun = {
      deployment: {
        resources: [{ urn: root, type: 'pulumi:pulumi:Stack' }],
        pending_operations: [
          {
            type: 'creating',
            resource: {
              urn: vpc,
              type: 'aws:ec2/vpc:Vpc',
              inputs: { tags: { 'skyfleet-stack': 'o/skyfleet/dev' } },
            },
          },
        ],
      },
    };
    expect(parseExport(JSON.stringify(begun), 'other').fullName).toBe('o/skyfleet/dev');
  });

  test('nothing of a stack that was never brought up', () => {
    expect(parseExport('{"version":3,"deployment":{"manifest":{}}}', 'skyfleet')).toEqual({
      project: 'skyfleet',
      fullName: undefined,
      urns: [],
      ids: new Set(),
      pending: [],
      incarnations: new Set(),
      server: undefined,
    });
  });
});

test('a refresh looks at the stack itself, and at what was begun and is in the state', () => {
  expect(refreshTargets(recorded)).toEqual([root, vpc]);
  expect(refreshTargets({ ...recorded, urns: [], pending: [] })).toEqual([]);
});

describe('the lock', () => {
  test("is told from Pulumi's message, with its holders", () => {
    const message =
      'error: the stack is currently locked by 1 lock(s). Either wait for the other process(es) to end or delete the ' +
      'lock file with `pulumi cancel`.\n  s3://state/.pulumi/locks/organization/skyfleet/dev/a.json: ' +
      'created by DOMAIN\\ann@host-1 (pid 4711) at 2026-11-29T15:00:00Z\n';
    expect(parseLock(message)).toEqual([
      { user: 'DOMAIN\\ann', host: 'host-1', pid: 4711, since: '2026-11-29T15:00:00Z' },
    ]);
  });
  test('is there without a holder in Pulumi Cloud, and not there in any other message', () => {
    expect(parseLock('error: [409] Conflict: Another update is currently in progress.')).toEqual([]);
    expect(parseLock('error: incorrect passphrase')).toBeUndefined();
  });
});

describe('what Pulumi does not know', () => {
  const stack = {
    ...{
      name: 'dev',
      options: ['--stack', 'acme/skyfleet/dev'],
      prefix: 'skyfleet-dev',
      region: 'us-west-2',
    },
    incarnations: new Set(['sensors-0-new1']),
  };
  const missing = (found: FoundResource[], known: StackState = recorded): string[] =>
    unrecorded(found, known, stack).map(({ kind, id }) => `${kind} ${id}`);

  test('is told from what it knows, parts without a tag included', () => {
    expect(
      missing([
        { kind: 'instance', id: 'i-1', name: '', of: 'sensors-0-new1' },
        { kind: 'instance', id: 'i-2', name: '', of: 'sensors-0-lost' },
        { kind: 'route', id: '0.0.0.0/0', name: '', of: 'rtb-1' },
        { kind: 'route', id: '0.0.0.0/0', name: '', of: 'rtb-2' },
        { kind: 'vpc', id: 'vpc-1', name: 'skyfleet-dev-vpc' },
        { kind: 'vpc', id: 'vpc-2', name: 'skyfleet-dev-vpc' },
        { kind: 'rolePolicy', id: 'skyfleet-dev-policy-1', name: '', of: 'skyfleet-dev-role-1' },
      ]),
    ).toEqual(['instance i-2', 'route 0.0.0.0/0', 'vpc vpc-2']);
  });

  test('holds no instance where SkyPilot could not be asked', () => {
    const found: FoundResource[] = [{ kind: 'instance', id: 'i-2', name: '', of: 'sensors-0-lost' }];
    expect(unrecorded(found, recorded, { ...stack, incarnations: undefined })).toEqual([]);
  });

  test('names a group and a table without their rules and routes, which go with them', () => {
    expect(
      missing([
        { kind: 'ingressRule', id: 'sgr-1', name: '', of: 'sg-1' },
        { kind: 'egressRule', id: 'sgr-2', name: '', of: 'sg-2' },
        { kind: 'securityGroup', id: 'sg-1', name: 'skyfleet-dev-nodes' },
        { kind: 'route', id: '0.0.0.0/0', name: '', of: 'rtb-2' },
        { kind: 'routeTable', id: 'rtb-2', name: 'skyfleet-dev-routes' },
      ]),
    ).toEqual(['egressRule sgr-2', 'securityGroup sg-1', 'routeTable rtb-2']);
  });

  test('comes with the commands that import and delete it', () => {
    const [one] = unrecorded([{ kind: 'vpc', id: 'vpc-2', name: 'skyfleet-dev-vpc' }], recorded, stack);
    expect(one).toMatchObject({
      type: 'aws:ec2/vpc:Vpc',
      import:
        'pulumi import --stack acme/skyfleet/dev --parent parent=urn:pulumi:dev::skyfleet::skyfleet:network:Network::skyfleet-dev ' +
        '--protect=false --generate-code=false aws:ec2/vpc:Vpc skyfleet-dev-vpc vpc-2',
      delete: ['aws ec2 delete-vpc --vpc-id vpc-2 --region us-west-2'],
    });
  });

  test('is not imported where Pulumi would have given it a name', () => {
    const [one] = unrecorded([{ kind: 'role', id: 'skyfleet-dev-role-2', name: 'r' }], recorded, stack);
    expect(one?.import).toBeUndefined();
  });

  test('is taken apart before it is deleted', () => {
    const calls = (found: FoundResource): string[] =>
      kindOf(found.kind)
        .deletion(found)
        .map((words) => words.slice(0, 2).join(' '));
    expect(calls({ kind: 'gateway', id: 'igw-1', name: '', of: 'vpc-1' })).toEqual([
      'ec2 detach-internet-gateway',
      'ec2 delete-internet-gateway',
    ]);
    expect(calls({ kind: 'gateway', id: 'igw-1', name: '' })).toEqual(['ec2 delete-internet-gateway']);
    expect(calls({ kind: 'instanceProfile', id: 'p', name: '', of: 'r' })).toEqual([
      'iam remove-role-from-instance-profile',
      'iam delete-instance-profile',
    ]);
  });
});

test('a command line can be pasted into a shell', () => {
  expect(commandLine('aws', '--query', 'Roles[?a]', "it's")).toBe("aws --query 'Roles[?a]' 'it'\\''s'");
});
