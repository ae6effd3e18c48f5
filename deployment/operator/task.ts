import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { followOrders, nodeParts, setupPart, stagingFolder } from './node-task';
import { candidates, skyMachine, type MachineSpec, type SkyCandidate, type SkyMachine } from './machine';

/**
 * The SkyPilot task of one cluster, as plain data. Field names are SkyPilot's own
 * (https://docs.skypilot.co/en/latest/reference/yaml-spec.html).
 */
export interface SkyTask {
  name: string;
  num_nodes: number;
  resources: SkyMachine & {
    disk_size: number;
    image_id?: string;
    max_hourly_cost?: number;
    labels: Record<string, string>;
    /** What to try, in this order. */
    ordered: SkyCandidate[];
    /** Of a managed job only: how it is recovered. */
    job_recovery?: typeof recovery;
  };
  setup: string;
  run: string;
}

/**
 * Failover completes the cluster that is there before it looks elsewhere, so that nodes which AWS has not taken stay. The
 * job itself never ends by an error of ours; what ends it otherwise is tried again a few times
 * (https://docs.skypilot.co/en/latest/examples/managed-jobs.html).
 */
const recovery = { strategy: 'FAILOVER', max_restarts_on_errors: 3 } as const;

/** The stack's own AWS resources that SkyPilot must launch into, by the names that SkyPilot looks them up with. */
export interface Placement {
  /** `Name` tag of the VPC. */
  vpcName: string;
  /** `Name` tags of the subnets. */
  subnetNames: string[];
  /** Group name of the security group. */
  securityGroupName: string;
  /** Name of the instance profile. */
  instanceProfileName: string;
  /** How SkyPilot reaches the nodes. */
  connection: Connection;
}

/** How SkyPilot's server reaches the nodes. */
export interface Connection {
  /** Whether the nodes have private addresses only. */
  internalIps: boolean;
  /** Through AWS Systems Manager. */
  ssm: boolean;
  /** Through a proxy: an OpenSSH ProxyCommand. */
  proxyCommand?: string;
}

/** The zones that a task may be launched in. */
export function zonesOf({ resources }: SkyTask): string[] {
  return resources.ordered.map(({ infra }) => infra.split('/')[2] ?? '');
}

/** A shell command that writes `text` to `path` byte for byte; the delimiter cannot occur in the text by accident. */
function writeFileCommand(path: string, text: string): string {
  const delimiter = `END_${createHash('sha256').update(text).digest('hex').slice(0, 12)}`;
  const folder = path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.';
  // A here-document always ends in a newline, so a file without one would change on its way.
  if (!text.endsWith('\n')) throw new Error(`${path}: a shipped file must end in a newline`);
  return `mkdir -p '${folder}'\ncat > '${path}' <<'${delimiter}'\n${text}${delimiter}`;
}

/**
 * The task of one cluster, without the files that it ships.
 *
 * @param labels become tags on the instances.
 */
export function renderTask(place: string, machine: MachineSpec, labels: Record<string, string>): SkyTask {
  return {
    name: place,
    num_nodes: machine.nodes,
    resources: {
      ...skyMachine(machine),
      disk_size: machine.diskSizeGiB,
      ...(machine.imageId === undefined ? {} : { image_id: machine.imageId }),
      ...(machine.maxHourlyUsd === undefined ? {} : { max_hourly_cost: machine.maxHourlyUsd }),
      labels,
      ordered: candidates(machine),
      ...(machine.managed === true ? { job_recovery: recovery } : {}),
    },
    setup: setupPart,
    run: machine.managed === true ? followOrders : nodeParts.run,
  };
}

/**
 * The task with its shipped files, ready to launch.
 *
 * The files stand in the setup part as here-documents instead of under `file_mounts`: the task is then complete in
 * itself, is launched by one request, and needs no upload to a server that may be elsewhere.
 *
 * @param files text of each shipped file by its path below `deployment/node/`.
 */
export function withFiles(task: SkyTask, files: Record<string, string>): SkyTask {
  const writes = Object.entries(files)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([path, text]) => writeFileCommand(path, text));
  const setup = [
    'set -eu',
    `mkdir -p ~/${stagingFolder}`,
    `cd ~/${stagingFolder}`,
    ...writes,
    task.setup,
  ].join('\n');
  return { ...task, setup };
}

/** The SkyPilot configuration of one launch (https://docs.skypilot.co/en/latest/reference/config.html, section aws). */
export function renderSkyConfig(
  placement: Placement,
  labels: Record<string, string>,
): Record<string, unknown> {
  const { internalIps, ssm, proxyCommand } = placement.connection;
  return {
    aws: {
      vpc_names: [placement.vpcName],
      subnet_names: placement.subnetNames,
      security_group_name: placement.securityGroupName,
      use_internal_ips: internalIps,
      // Left out, SkyPilot would choose Systems Manager by itself for private addresses.
      use_ssm: ssm,
      ...(proxyCommand === undefined ? {} : { ssh_proxy_command: proxyCommand }),
      remote_identity: placement.instanceProfileName,
      disk_encrypted: true,
      enforce_tags: ['instance', 'volume'],
      labels,
    },
  };
}

/** The YAML text of a task or configuration, with long texts as blocks so that a diff shows single lines. */
export function toYaml(value: unknown): string {
  return stringify(value, { blockQuote: 'literal', lineWidth: 0 });
}
