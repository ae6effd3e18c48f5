// First, because it begins to ask for what takes a while.
import { recordedStack, stackName } from './components/recorded-stack';
import * as pulumi from '@pulumi/pulumi';
import { BacalhauFleet } from './components/bacalhau-fleet';
import { Buckets } from './components/buckets';
import { Launches } from './components/launches';
import { Network } from './components/network';
import { NodeRole } from './components/node-role';
import { currentOverride } from './components/override';
import { Reviewed } from './components/reviewed';
import { SkyServer } from './components/sky-server';
import { readHistory, type StackHistory } from './components/stack-history';
import { spareStackTraces } from './components/stack-traces';
import { fleetInputs } from './config/change-classes';
import { loadConfig, type StackConfig } from './config/load';
import type { Connection } from './deployment/operator/task';

/** How SkyPilot reaches the nodes, from the way of access and the network that the configuration declares. */
function connectionOf({ access, network }: StackConfig): Connection {
  return {
    internalIps: network.nat !== 'none',
    ssm: access.ssm === true,
    proxyCommand: access.proxy?.command,
  };
}

/** Says which places go. */
function tellRemovals(history: StackHistory, declared: readonly string[]): void {
  const removed = history.places.filter(({ place }) => !declared.includes(place));
  for (const { place, applied } of removed) {
    const nodes = applied?.ready.nodes.map(({ nodeName }) => nodeName) ?? [];
    void pulumi.log.info(
      `${place}: scale: the place is removed${nodes.length === 0 ? '' : `; ${nodes.join(', ')} end`}`,
    );
  }
}

export = async (): Promise<Record<string, unknown>> => {
  spareStackTraces();
  const config = await loadConfig(__dirname);
  const { orchestratorToken, orchestratorApiToken, skypilotToken } = config.secrets;
  const { permissionsBoundary } = config.governance;
  const stack = stackName();
  const name = `${pulumi.getProject()}-${pulumi.getStack()}`;
  const tags = { ...config.tags, 'skyfleet-stack': stack };
  const history = await readHistory(config);
  new Reviewed(name, { stack, governance: config.governance, secrets: { ...config.secrets } });
  const prefixOf = (fleet: { name: string }): string => `${config.buckets.prefix}${fleet.name}/`;

  const network = new Network(name, {
    ...config.network,
    region: config.region,
    sshCidrs: config.access.cidrs ?? config.access.proxy?.cidrs ?? [],
    permissionsBoundary,
    tags,
  });
  const buckets = new Buckets(name, {
    onDestroy: config.buckets.onDestroy,
    retention: config.buckets.retention,
    dataPrefixes: config.fleets.flatMap((fleet) => [
      `${prefixOf(fleet)}sensor/`,
      `${prefixOf(fleet)}health/`,
    ]),
    tags,
  });
  const nodeRole = new NodeRole(name, {
    bucketArn: buckets.dataBucketArn,
    prefix: config.buckets.prefix,
    ssm: config.access.ssm === true,
    permissionsBoundary,
    tags,
  });
  const after = [network, buckets, nodeRole];
  const skypilot = new SkyServer(name, {
    stack,
    region: config.region,
    timeouts: config.timeouts,
    endpoint: config.skypilot.endpoint,
    token: skypilotToken,
    after,
  });

  const placement = {
    vpcName: network.vpcName,
    subnetNames: network.subnetNames,
    securityGroupName: network.securityGroupName,
    instanceProfileName: nodeRole.instanceProfileName,
    connection: connectionOf(config),
  };
  const launches = new Launches(name);
  const fleets = config.fleets.map(
    (fleet) =>
      new BacalhauFleet(fleet.name, {
        fleet,
        stack,
        region: config.region,
        zones: config.network.zones,
        placement,
        after,
        orchestrator: config.orchestrator,
        orchestratorToken,
        orchestratorApi:
          config.orchestrator.api === undefined
            ? undefined
            : { endpoint: config.orchestrator.api, token: orchestratorApiToken },
        bacalhau: config.bacalhau,
        sensor: config.sensor,
        bucket: {
          name: buckets.dataBucketName,
          prefix: prefixOf(fleet),
          endpointUrl: config.buckets.endpointUrl,
        },
        skypilot,
        timeouts: config.timeouts,
        launches,
        history,
        inputs: fleetInputs(config, config.region, fleet),
        tags: config.tags,
      }),
  );
  tellRemovals(
    history,
    fleets.flatMap(({ clusters }) => clusters.map(({ place }) => place)),
  );

  const override = currentOverride(process.env['SKYFLEET_OVERRIDE'], (await recordedStack).override);
  return {
    ...(override === undefined ? {} : { reviewOverride: override }),
    dataBucket: buckets.dataBucketName,
    vpcId: network.vpcId,
    nodes: Object.fromEntries(fleets.map((fleet, index) => [config.fleets[index]?.name ?? '', fleet.nodes])),
  };
};
