import * as pulumi from '@pulumi/pulumi';
import {
  BacalhauFleet,
  Buckets,
  connectionOf,
  fleetInputs,
  Launches,
  loadConfig,
  NodeRole,
  readHistory,
  Reviewed,
  reviewOverride,
  SkyServer,
  stackName,
} from 'skyfleet';

/** How SkyPilot finds the VPC and what is in it. */
interface Vpc {
  vpcName: string;
  subnetNames: string[];
  securityGroupName: string;
}

/** The fleets of the stack file in a VPC that is there already: all that `declareStack` makes, without the network. */
export = async () => {
  const vpc = new pulumi.Config().requireObject<Vpc>('vpc');
  const config = await loadConfig(__dirname);
  const { region, timeouts, secrets, governance, tags } = config;
  const { permissionsBoundary } = governance;
  const stack = stackName();
  const history = await readHistory(config);
  const name = `${pulumi.getProject()}-${pulumi.getStack()}`;
  new Reviewed(name, { stack, governance, secrets: { ...secrets } });

  const buckets = new Buckets(name, {
    onDestroy: config.buckets.onDestroy,
    retention: config.buckets.retention,
    dataPrefixes: config.fleets.map((fleet) => `${config.buckets.prefix}${fleet.name}/sensor/`),
    tags,
  });
  const { prefix } = config.buckets;
  const nodeRole = new NodeRole(name, {
    bucketArn: buckets.dataBucketArn,
    prefix,
    ssm: false,
    permissionsBoundary,
    tags,
  });
  const after = [buckets, nodeRole];
  const { skypilotToken: token, orchestratorToken } = secrets;
  const skypilot = new SkyServer(name, {
    stack,
    region,
    timeouts,
    endpoint: config.skypilot.endpoint,
    token,
    after,
  });
  const { instanceProfileName } = nodeRole;
  const launches = new Launches(name);
  const fleets = config.fleets.map(
    (fleet) =>
      new BacalhauFleet(fleet.name, {
        fleet,
        stack,
        region,
        zones: config.network.zones,
        placement: { ...vpc, instanceProfileName, connection: connectionOf(config) },
        after,
        orchestrator: config.orchestrator,
        orchestratorToken,
        bacalhau: config.bacalhau,
        sensor: config.sensor,
        bucket: { name: buckets.dataBucketName, prefix: `${prefix}${fleet.name}/` },
        skypilot,
        timeouts,
        launches,
        history,
        inputs: fleetInputs(config, region, fleet),
        tags,
      }),
  );
  const override = await reviewOverride();
  return {
    ...(override === undefined ? {} : { reviewOverride: override }),
    nodes: fleets.map(({ nodes }) => nodes),
  };
};
