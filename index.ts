import * as pulumi from '@pulumi/pulumi';
import { BacalhauFleet } from './components/bacalhau-fleet';
import { Buckets } from './components/buckets';
import { Launches } from './components/launches';
import { Network } from './components/network';
import { NodeRole } from './components/node-role';
import { loadConfig } from './config/load';

const config = loadConfig(__dirname);
const stack = `${pulumi.getOrganization()}/${pulumi.getProject()}/${pulumi.getStack()}`;
const name = `${pulumi.getProject()}-${pulumi.getStack()}`;
const tags = { ...config.tags, 'skyfleet-stack': stack };

/** The only part of the data bucket that nodes may use. */
const prefix = 'fleets/';

const network = new Network(name, {
  cidr: config.network.cidr,
  zones: config.network.zones,
  sshCidrs: config.access.cidrs,
  tags,
});
const buckets = new Buckets(name, { forceDestroy: config.buckets.forceDestroy, tags });
const nodeRole = new NodeRole(name, { bucketArn: buckets.dataBucketArn, prefix, tags });

const placement = {
  vpcName: network.vpcName,
  subnetNames: network.subnetNames,
  securityGroupName: network.securityGroupName,
  instanceProfileName: nodeRole.instanceProfileName,
};
const { orchestratorToken, skypilotToken } = config.secrets;
const launches = new Launches();
const fleets = config.fleets.map(
  (fleet) =>
    new BacalhauFleet(
      fleet.name,
      {
        fleet,
        stack,
        region: config.region,
        zones: config.network.zones,
        placement,
        orchestrator: config.orchestrator,
        orchestratorToken,
        bacalhau: config.bacalhau,
        sensor: config.sensor,
        bucket: {
          name: buckets.dataBucketName,
          prefix: `${prefix}${fleet.name}/`,
          ...(config.buckets.endpointUrl === undefined ? {} : { endpointUrl: config.buckets.endpointUrl }),
        },
        skypilot: {
          endpoint: config.skypilot.endpoint,
          ...(skypilotToken === undefined ? {} : { token: skypilotToken }),
        },
        timeouts: config.timeouts,
        launches,
        tags: config.tags,
      },
      { dependsOn: [network, buckets, nodeRole] },
    ),
);

export const dataBucket = buckets.dataBucketName;
export const vpcId = network.vpcId;
export const nodes = Object.fromEntries(
  fleets.map((fleet, index) => [config.fleets[index]?.name ?? '', fleet.nodes]),
);
