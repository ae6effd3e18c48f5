import type * as pulumi from '@pulumi/pulumi';
import { parse } from 'yaml';
import { readNodeFiles } from '../../../deployment/operator/node-files';
import { fileFingerprints, filesFingerprint, fileVariable } from '../../../deployment/operator/shipped-files';
import { deleteCommand, deleteProgramFingerprint } from '../../../deployment/operator/stored-program';
import { secretFingerprint } from '../../../components/secret-fingerprint';
import { mockPulumi, printedKey, setConfig, type Registered } from './mocks';

let registered: Registered[];

beforeAll(async () => {
  registered = await mockPulumi();
  setConfig(
    'us-west-2',
    {
      network: { cidr: '10.160.0.0/16', zones: ['us-west-2a', 'us-west-2b'] },
      access: { cidrs: ['203.0.113.10/32'] },
      fleets: [
        {
          name: 'sensors',
          clusters: 2,
          nodesPerCluster: 3,
          instanceType: 't3.medium',
          ordinals: { first: 50_000, last: 50_099 },
        },
      ],
      orchestrator: { endpoints: ['nats://orchestrator.example.com:4222'], tls: {} },
      sensor: { image: 'example.com/sensor:1.2.3' },
      tags: { team: 'x' },
    },
    { orchestratorToken: 'planted-token' },
  );
  const program =
    jest.requireActual<() => Promise<{ nodes: Record<string, pulumi.Output<unknown[]>> }>>('../../../index');
  const { nodes } = await program();
  await new Promise((resolve) => nodes['sensors']?.apply(resolve));
});

const ofType = (type: string): Registered[] => registered.filter((resource) => resource.type === type);
/** The environment of a command; the mocks hand the whole of it over as a secret where one value in it is one. */
function environmentOf(name: string): { secret: boolean; values: Record<string, string> } {
  const command = ofType('command:local:Command').find((registration) => registration.name === name);
  const environment = command?.inputs['environment'] as { value?: Record<string, string> } & Record<
    string,
    string
  >;
  return environment.value === undefined
    ? { secret: false, values: environment }
    : { secret: true, values: environment.value };
}

test('each zone has a subnet of its own, and there is a way out but no NAT gateway', () => {
  expect(
    ofType('aws:ec2/subnet:Subnet').map(({ inputs }) => [inputs['availabilityZone'], inputs['cidrBlock']]),
  ).toEqual([
    ['us-west-2a', '10.160.0.0/19'],
    ['us-west-2b', '10.160.32.0/19'],
  ]);
  expect(ofType('aws:ec2/internetGateway:InternetGateway')).toHaveLength(1);
  expect(ofType('aws:ec2/natGateway:NatGateway')).toHaveLength(0);
});

test('nothing but SSH from the given ranges and the nodes themselves comes in', () => {
  const rules = ofType('aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule').map(
    ({ inputs }) => inputs,
  );
  expect(rules).toHaveLength(2);
  expect(rules[0]).toMatchObject({
    cidrIpv4: '203.0.113.10/32',
    ipProtocol: 'tcp',
    fromPort: 22,
    toPort: 22,
  });
  expect(rules[1]).toMatchObject({ referencedSecurityGroupId: 'skyfleet-dev-nodes-id', ipProtocol: '-1' });
});

test('the role reads one prefix of the data bucket, writes only what nodes write there, and deletes only markers of faults', () => {
  const [policy] = ofType('aws:iam/rolePolicy:RolePolicy');
  const { Statement } = JSON.parse(policy?.inputs['policy'] as string) as {
    Statement: { Action: string; Resource: string | string[] }[];
  };
  const bucket = 'arn:aws:mock:::skyfleet-dev-data';
  expect(Statement.map(({ Action, Resource }) => [Action, Resource])).toEqual([
    ['s3:GetObject', `${bucket}/fleets/*`],
    [
      's3:PutObject',
      [`${bucket}/fleets/*/claims/*`, `${bucket}/fleets/*/health/*`, `${bucket}/fleets/*/sensor/*`],
    ],
    ['s3:DeleteObject', `${bucket}/fleets/*/health/faults/*`],
    ['s3:ListBucket', bucket],
  ]);
});

test('the data bucket is kept by default, and protected in every way', () => {
  expect(ofType('aws:s3/bucket:Bucket')[0]?.inputs).toMatchObject({ forceDestroy: false });
  expect(ofType('aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock')[0]?.inputs).toMatchObject({
    blockPublicAcls: true,
    blockPublicPolicy: true,
    ignorePublicAcls: true,
    restrictPublicBuckets: true,
  });
  expect(
    ofType('aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration'),
  ).toHaveLength(1);
  expect(ofType('aws:s3/bucketVersioning:BucketVersioning')[0]?.inputs).toMatchObject({
    versioningConfiguration: { status: 'Enabled' },
  });
  expect(ofType('aws:s3/bucketOwnershipControls:BucketOwnershipControls')[0]?.inputs).toMatchObject({
    rule: { objectOwnership: 'BucketOwnerEnforced' },
  });
  const [policy] = ofType('aws:s3/bucketPolicy:BucketPolicy');
  expect(JSON.parse(policy?.inputs['policy'] as string)).toMatchObject({
    Statement: [{ Effect: 'Deny', Condition: { Bool: { 'aws:SecureTransport': 'false' } } }],
  });
});

test("nothing may use the VPC's default security group, and S3 is reached within AWS", () => {
  const [group] = ofType('aws:ec2/defaultSecurityGroup:DefaultSecurityGroup');
  expect(group?.inputs).toMatchObject({ ingress: [], egress: [] });
  expect(ofType('aws:ec2/vpcEndpoint:VpcEndpoint')[0]?.inputs).toMatchObject({
    serviceName: 'com.amazonaws.us-west-2.s3',
    vpcEndpointType: 'Gateway',
    routeTableIds: ['skyfleet-dev-routes-id'],
  });
});

test('there are no flow logs unless asked for', () => {
  expect(ofType('aws:ec2/flowLog:FlowLog')).toEqual([]);
});

test('each place has a submit and a wait command, beside those of the fleet and of the stack', () => {
  expect(
    ofType('command:local:Command')
      .map(({ name }) => name)
      .sort(),
  ).toEqual([
    'sensors-0-submit',
    'sensors-0-wait',
    'sensors-1-submit',
    'sensors-1-wait',
    'sensors-files-reviewed',
    'skyfleet-dev-data-kept',
    'skyfleet-dev-fingerprint-key',
    'skyfleet-dev-launched',
    'skyfleet-dev-reviewed',
    'skyfleet-dev-skypilot',
  ]);
});

test('every command of a place is told which server the stack belongs to', () => {
  for (const command of ['sensors-0-submit', 'sensors-0-wait'])
    expect(environmentOf(command).values['SKYFLEET_SERVER']).toBe('{"mark":"m"}');
});

test("a launch names the stack's own resources", () => {
  const config = parse(environmentOf('sensors-0-submit').values['SKYFLEET_SKYPILOT_CONFIG'] ?? '') as {
    aws: unknown;
  };
  expect(config.aws).toMatchObject({
    vpc_names: ['skyfleet-dev-vpc'],
    subnet_names: ['skyfleet-dev-subnet-us-west-2a', 'skyfleet-dev-subnet-us-west-2b'],
    security_group_name: 'skyfleet-dev-nodes',
    remote_identity: 'skyfleet-dev-nodes',
    disk_encrypted: true,
  });
});

test('every shipped file is shown once for a fleet, and its places hold a fingerprint of all', () => {
  const shown = environmentOf('sensors-files-reviewed').values;
  const files = readNodeFiles();
  expect(shown).toMatchObject(
    Object.fromEntries(Object.entries(files).map(([file, text]) => [fileVariable(file), text])),
  );
  expect(Object.keys(files)).toEqual(
    expect.arrayContaining(['bacalhau/docker-compose.yml', 'sensor/docker-compose.yml']),
  );
  for (const place of ['sensors-0', 'sensors-1']) {
    const { values } = environmentOf(`${place}-submit`);
    expect(values['SKYFLEET_FILES']).toBe(filesFingerprint(files));
    expect(JSON.stringify(values)).not.toContain('docker-compose');
  }
});

test('a place is told its ordinals, and records what it is made from', () => {
  const { values: environment } = environmentOf('sensors-1-submit');
  expect(JSON.parse(environment['SKYFLEET_NODE'] ?? '')).toMatchObject({
    stack: 'organization/skyfleet/dev',
    place: 'sensors-1',
    nodes: { firstOrdinal: 50_003, count: 3 },
    identity: { from: 'place', range: { first: 50_000, last: 50_099 } },
    accelerators: null,
    bacalhau: { tls: { required: true, handshakeFirst: false, caCert: null } },
    bucket: { name: 'skyfleet-dev-data-1234567', prefix: 'fleets/sensors/', region: 'us-west-2' },
  });
  expect(environment).toMatchObject({
    SKYFLEET_CHANGE: 'launch: a new place; 3 nodes',
    SKYFLEET_GENERATION: '1',
    SKYFLEET_SERVING: '',
  });
  expect(parse(environmentOf('sensors-1-wait').values['SKYFLEET_APPLIED'] ?? '')).toMatchObject({
    'aws:region': 'us-west-2',
    'fleets[].instanceType': 't3.medium',
    'fleets[].ordinals': { first: 50_003, last: 50_099 },
    files: fileFingerprints(readNodeFiles()),
    tags: { team: 'x' },
  });
});

test('the token is a secret and stands in no other variable', () => {
  for (const command of ['sensors-0-submit', 'sensors-0-wait']) {
    const { secret, values } = environmentOf(command);
    expect(secret).toBe(true);
    const holders = Object.keys(values).filter((variable) => values[variable]?.includes('planted-token'));
    expect(holders).toEqual(['SKYFLEET_ORCHESTRATOR_TOKEN']);
  }
});

test('a review is told what it goes by, and of a secret a fingerprint that is none', () => {
  const { secret, values } = environmentOf('skyfleet-dev-reviewed');
  expect(secret).toBe(false);
  expect(values).toMatchObject({
    SKYFLEET_STACK: 'organization/skyfleet/dev',
    SECRET_orchestratorToken: secretFingerprint(printedKey, 'planted-token'),
  });
  expect(parse(values['SKYFLEET_GOVERNANCE'] ?? '')).toEqual({ requiredTags: [], policy: {} });
  expect(JSON.stringify(values)).not.toContain('planted-token');
  expect(secretFingerprint(printedKey, 'x')).toMatch(/^[0-9a-f]{12}$/);
  expect(secretFingerprint('another key', 'x')).not.toBe(secretFingerprint(printedKey, 'x'));
});

test('the token reaches the nodes through the bucket, below their prefix', () => {
  const [object] = ofType('aws:s3/bucketObjectv2:BucketObjectv2');
  expect(object?.inputs).toMatchObject({
    bucket: 'skyfleet-dev-data-1234567',
    key: 'fleets/sensors/credentials/orchestrator-token',
    content: expect.objectContaining({ value: 'planted-token' }) as unknown,
    serverSideEncryption: 'AES256',
  });
  const settings = JSON.parse(environmentOf('sensors-0-submit').values['SKYFLEET_NODE'] ?? '') as unknown;
  expect(settings).toMatchObject({ bacalhau: { tokenKey: 'fleets/sensors/credentials/orchestrator-token' } });
});

test('what runs at deletion is stored whole: in the command of the stack, and in what those of places print', () => {
  const command = (named: string) =>
    ofType('command:local:Command').find(({ name }) => name === named)?.inputs;
  expect(command('skyfleet-dev-skypilot')?.['delete']).toMatch(/^node - <<'SKYFLEET_PROGRAM'\n/);
  expect(command('skyfleet-dev-skypilot')?.['delete']).not.toContain('deployment/');
  expect(command('sensors-0-submit')?.['delete']).toBe(deleteCommand);
  const { values } = environmentOf('sensors-0-submit');
  expect(values['SKYFLEET_DELETE_PROGRAM']).toBe(deleteProgramFingerprint());
});
