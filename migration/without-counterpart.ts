/** Keys of earlier configurations that Skyfleet has nothing for, each with the reason and what takes its place. */

const keys =
  'SkyPilot makes a key of its own for its server, and skyfleet:access says from where it connects; npx skyfleet ssh logs in with it';
const nodeFiles =
  'what a node runs is shipped with Skyfleet (deployment/node/); what you have changed in these files is not taken over';
const ownNetwork = 'each stack makes a VPC, subnets and a security group of its own (skyfleet:network)';
const nodeFolders = "the folders on a node are Skyfleet's (docs/node.md)";

/** Below `aws` of `config.yaml`. */
export const awsWithoutCounterpart: Readonly<Record<string, string>> = {
  username: "SkyPilot's image has its own user, as which npx skyfleet ssh logs in",
  ssh_key_name: keys,
  public_ssh_key_path: keys,
  private_ssh_key_path: keys,
  scripts_directory: nodeFiles,
  cloud_init_template: nodeFiles,
  startup_script: nodeFiles,
  additional_commands_script: nodeFiles,
  bacalhau_config_template:
    "a node makes Bacalhau's configuration from skyfleet:bacalhau and skyfleet:orchestrator",
  docker_compose_template: nodeFiles,
  bacalhau_data_dir: nodeFolders,
  bacalhau_node_dir: nodeFolders,
  security_group_name: `${ownNetwork}; nothing is open but SSH, to skyfleet:access alone`,
  security_groups: `${ownNetwork}; nothing is open but SSH, to skyfleet:access alone`,
  vpc_id: ownNetwork,
  subnet_id: ownNetwork,
  vpc_tag_name: ownNetwork,
  use_dedicated_vpc: ownNetwork,
  ensure_default_vpc: ownNetwork,
  associate_public_ip:
    'the earlier tools ignore it; nodes have public addresses unless skyfleet:network.nat is single or zonal',
};

/** At the top of a SkyPilot task. */
export const taskWithoutCounterpart: Readonly<Record<string, string>> = {
  workdir: nodeFiles,
  setup:
    'deployment/node/ has the setup of a node: Docker, the compose files and the identity (docs/node.md)',
  run: 'deployment/node/ starts the services, checks their health every five minutes and reports it (docs/node.md)',
  config:
    'Skyfleet writes the configuration of each launch itself: VPC, subnets, group and role of the stack',
  volumes: 'a node has its root volume alone (diskSizeGiB)',
  service: 'nodes serve nothing to SkyPilot',
  pool: 'a fleet is no pool of workers; its places stand until the stack says otherwise',
  event_callback: 'pulumi up waits for each node and says how it ended',
  inputs: 'the data bucket of the stack takes their place (skyfleet:buckets)',
  outputs: 'the data bucket of the stack takes their place (skyfleet:buckets)',
};

/** Below `resources` of a SkyPilot task. */
export const resourcesWithoutCounterpart: Readonly<Record<string, string>> = {
  any_of:
    'a stack is one region, and skyfleet:network.zones and fallbackInstanceTypes say what is tried in it',
  ordered:
    'a stack is one region, and skyfleet:network.zones and fallbackInstanceTypes say what is tried in it',
  ports: 'nothing is open but SSH, to skyfleet:access alone; nodes reach the orchestrator by themselves',
  autostop: 'nodes run until the stack says otherwise',
  job_recovery: 'recovery: managed has SkyPilot bring nodes back unattended (docs/configuration.md)',
  spot_recovery: 'recovery: managed has SkyPilot bring nodes back unattended (docs/configuration.md)',
  disk_tier: "the root volume is of SkyPilot's usual kind",
  network_tier: 'the network is that of the instance type',
  local_disk: 'a node has its root volume alone (diskSizeGiB)',
  ephemeral_storage: 'a node has its root volume alone (diskSizeGiB)',
  volumes: 'a node has its root volume alone (diskSizeGiB)',
  accelerator_args: 'is for TPUs, which AWS has not',
  priority: 'places have no rank among each other',
  priority_class: 'places have no rank among each other',
};
