import { createHash } from 'node:crypto';
import { stringify } from 'yaml';

/**
 * The SkyPilot task of one cluster, as plain data. Field names are SkyPilot's own
 * (https://docs.skypilot.co/en/latest/reference/yaml-spec.html).
 */
export interface SkyTask {
  name: string;
  num_nodes: number;
  resources: {
    instance_type: string;
    use_spot: boolean;
    disk_size: number;
    image_id?: string;
    labels: Record<string, string>;
    /** The zones to try, in this order. */
    ordered: { infra: string }[];
  };
  setup: string;
  run: string;
}

/** What decides the machines of a cluster: when any of it changes, the machines are replaced. */
export interface MachineSpec {
  region: string;
  /** Zones to try, in this order; each has a subnet of the stack. */
  zones: string[];
  instanceType: string;
  spot: boolean;
  diskSizeGiB: number;
  imageId?: string;
  nodes: number;
}

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
}

/** Folder on the node, below the login user's home, into which the shipped files are written. */
const stagingFolder = 'skyfleet';

/** Variables of the run part that the node's scripts read; sudo drops all others. */
const runVariables = ['SKYPILOT_NODE_IPS', 'SKYFLEET_INCARNATION'];

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
      instance_type: machine.instanceType,
      use_spot: machine.spot,
      disk_size: machine.diskSizeGiB,
      ...(machine.imageId === undefined ? {} : { image_id: machine.imageId }),
      labels,
      ordered: machine.zones.map((zone) => ({ infra: `aws/${machine.region}/${zone}` })),
    },
    setup: `sudo sh ~/${stagingFolder}/scripts/setup.sh\n`,
    run: `sudo --preserve-env=${runVariables.join(',')} sh ~/${stagingFolder}/scripts/run.sh\n`,
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
  return {
    aws: {
      vpc_names: [placement.vpcName],
      subnet_names: placement.subnetNames,
      security_group_name: placement.securityGroupName,
      remote_identity: placement.instanceProfileName,
      disk_encrypted: true,
      enforce_tags: ['instance', 'volume'],
      labels,
    },
  };
}

/**
 * A short key that changes exactly when the machines of a cluster must be replaced. Zones and subnets are no part of
 * it: one more to choose from moves no machine.
 */
export function machineKey(machine: MachineSpec, placement: Placement): string {
  const canonical = JSON.stringify([
    machine.region,
    machine.instanceType,
    machine.spot,
    machine.diskSizeGiB,
    machine.imageId ?? null,
    machine.nodes,
    placement.vpcName,
    placement.securityGroupName,
    placement.instanceProfileName,
  ]);
  return createHash('sha256').update(canonical).digest('hex').slice(0, 16);
}

/** The YAML text of a task or configuration, with long texts as blocks so that a diff shows single lines. */
export function toYaml(value: unknown): string {
  return stringify(value, { blockQuote: 'literal', lineWidth: 0 });
}
