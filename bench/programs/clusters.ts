import '../../components/early';
import { stackName } from '../../components/recorded-stack';
import * as pulumi from '@pulumi/pulumi';
import { Launches } from '../../components/launches';
import { ShippedFiles } from '../../components/shipped-files';
import { SkyCluster } from '../../components/sky-cluster';
import { SkyServer } from '../../components/sky-server';
import type { AwsSources } from '../../components/observer';
import { readHistory } from '../../components/stack-history';
import { spareStackTraces } from '../../components/stack-traces';
import { fleetInputs } from '../../config/change-classes';
import { parseConfig } from '../../config/parse';
import { readNodeFiles } from '../../deployment/operator/node-files';
import { renderNodeSettings } from '../../deployment/operator/node-settings';
import { fileFingerprints, filesFingerprint } from '../../deployment/operator/shipped-files';
import { instanceId } from '../skypilot-stand-in';
import { given } from './surroundings';

/** What AWS would say of a stack that is well: all instances of the stand-in run, and no node has reported a fault. */
const allRunning: AwsSources = {
  instances: (states) =>
    Promise.resolve(states.includes('running') ? Array.from({ length: 1000 }, (_, n) => instanceId(n)) : []),
  bucket: { list: () => Promise.resolve([]), read: () => Promise.reject(new Error('there is no object')) },
};

/**
 * A fleet as `BacalhauFleet` declares it, without AWS: the place of its clusters is made up, and the token stands in no
 * bucket. All else is what `index.ts` does, reading what came before included.
 */
export = async (): Promise<Record<string, unknown>> => {
  spareStackTraces();
  const clusters = Number(given('BENCH_COUNT'));
  const region = 'us-west-2';
  const stack = stackName();
  const config = parseConfig(
    {
      network: { cidr: '10.42.0.0/16', zones: ['us-west-2a', 'us-west-2b'] },
      access: { cidrs: ['203.0.113.10/32'] },
      fleets: [{ name: 'sensors', clusters, instanceType: 't3.medium', ordinals: { first: 0, last: 9999 } }],
      orchestrator: { endpoints: ['nats://orchestrator.example.com:4222'] },
      sensor: { image: 'example.com/sensor:1.2.3' },
      skypilot: { endpoint: given('BENCH_ENDPOINT') },
    },
    { region, skypilotToken: false, orchestratorApiToken: false },
  );
  const [fleet] = config.fleets;
  if (fleet === undefined) throw new Error('the configuration has no fleet');
  const token = 'a-token-of-the-orchestrator';
  const orchestratorToken = pulumi.secret(token);
  const reading = readHistory(
    {
      ...config,
      region,
      secrets: { orchestratorToken },
      plain: { orchestratorToken: token, skypilotToken: undefined, orchestratorApiToken: undefined },
    },
    () => allRunning,
  );
  if (!pulumi.runtime.isDryRun()) await reading;

  const skypilot = new SkyServer('bench', {
    stack,
    region,
    timeouts: config.timeouts,
    endpoint: config.skypilot.endpoint,
  });
  const shipped = readNodeFiles();
  const [fingerprint, fingerprints] = [filesFingerprint(shipped), fileFingerprints(shipped)];
  const files = new ShippedFiles('sensors-files', {
    stack,
    files: shipped,
    callMinutes: config.timeouts.callMinutes,
  });
  const history = await reading;
  const launches = new Launches('bench');
  const nodes = Array.from({ length: clusters }, (_, index) => {
    const place = `sensors-${index}`;
    const cluster = new SkyCluster(place, {
      stack,
      machine: {
        region,
        zones: config.network.zones,
        nodes: fleet.nodesPerCluster,
        instanceType: fleet.instanceType,
        spot: fleet.spot,
        onDemandFallback: fleet.onDemandFallback,
        diskSizeGiB: fleet.diskSizeGiB,
      },
      placement: {
        vpcName: 'bench',
        subnetNames: ['bench-us-west-2a', 'bench-us-west-2b'],
        securityGroupName: 'bench-nodes',
        instanceProfileName: 'bench-node',
        connection: { internalIps: false, ssm: false },
      },
      after: [files],
      recovery: fleet.recovery,
      bucket: { name: 'bench', prefix: `${config.buckets.prefix}${fleet.name}/` },
      nodeSettings: renderNodeSettings({
        stack,
        fleet: fleet.name,
        place,
        nodes: { firstOrdinal: index, count: 1 },
        accelerators: null,
        drainMinutes: fleet.drainMinutes,
        identity: { from: 'place', range: fleet.ordinals },
        bacalhau: {
          image: config.bacalhau.image,
          orchestrators: config.orchestrator.endpoints,
          tls: { required: false, handshakeFirst: false, caCert: null },
          labels: fleet.labels,
          tokenKey: 'fleets/sensors/credentials/orchestrator-token',
          allowListedLocalPaths: ['/opt/sensor/data:ro'],
          acceptNetworkedJobs: false,
          logLevel: config.bacalhau.logLevel,
        },
        sensor: { image: config.sensor.image },
        bucket: { name: 'bench-data', prefix: 'fleets/sensors/', region, endpointUrl: null },
      }),
      files: fingerprint,
      inputs: {
        ...fleetInputs(config, region, fleet),
        'fleets[].ordinals': { ...fleet.ordinals, first: index },
        files: fingerprints,
      },
      history,
      strategy: fleet.strategy,
      drainMinutes: fleet.drainMinutes,
      orchestratorToken,
      skypilot,
      timeouts: config.timeouts,
      launches,
    });
    return cluster.nodes;
  });
  return { nodes: pulumi.all(nodes).apply((all) => all.flat()) };
};
