import { parse } from 'yaml';

/** A `config.yaml` as aws-spot-deployer's `config.yaml.example` has it, with what its later versions added. */
export const spotDeployerConfig = `
aws:
  total_instances: 8
  username: ubuntu
  ssh_key_name: weather-key
  public_ssh_key_path: ~/.ssh/id_rsa.pub
  private_ssh_key_path: ~/.ssh/id_rsa
  files_directory: deployment
  scripts_directory: instance/scripts
  cloud_init_template: instance/cloud-init/init-vm-template.yml
  startup_script: instance/scripts/startup.py
  bacalhau_data_dir: /bacalhau_data
  bacalhau_node_dir: /bacalhau_node
  spot_price_limit: 0.05
  instance_storage_gb: 20
  security_group_name: weather-sg
  associate_public_ip: true
  tags:
    Project: Weather stations
    ManagedBy: weather-team
    NodeCount: 8
regions:
  - us-west-2:
      machine_type: t3.medium
      image: auto
  - us-east-1:
      machine_type: t3.large
      image: ami-0abcdef1234567890
      instance_storage_gb: 30.5
      tags:
        Coast: east
  - eu-west-1:
      machine_type: auto
      image: auto
      spot_price_limit: 0.04
`;

/** A `config.yaml` as amauo's `setup` writes it, by hand shortened and added to. */
export const amauoConfig = `
aws:
  username: ubuntu
  public_ssh_key_path: ~/.ssh/id_ed25519.pub
  use_dedicated_vpc: true
  retries: planted-unknown-value
regions:
  - us-east-2:
      machine_type: t3.micro
      colour: blue
  - ca-central-1:
  - sa-east-1: {}
  - eu-north-1: {}
dashboard: true
`;

/** The task of the SkyPilot wrapper, with `num_nodes` where it put it. */
export const wrapperTask = `
name: bacalhau-sensor-node
resources:
  cloud: aws
  region: us-west-2
  instance_type: t3.medium
  use_spot: true
  disk_size: 30
  num_nodes: 3  # Add this line
  labels: { team: weather }
  ports: 4222
file_mounts:
  /tmp/deploy/etc/bacalhau/orchestrator_endpoint: ./deployment-new/etc/bacalhau/orchestrator_endpoint
  /tmp/deploy/etc/bacalhau/orchestrator_token: ./deployment-new/etc/bacalhau/orchestrator_token
  /tmp/deploy/opt/sensor/docker-compose.yml: ./deployment-new/opt/sensor/docker-compose.yml
  /tmp/deploy/etc/aws/credentials: ./deployment-new/etc/aws/credentials
envs:
  API_KEY: planted-variable
setup: |
  curl -fsSL https://get.docker.com | sudo sh
run: |
  cd /opt/bacalhau && sudo docker compose up -d
`;

/** A task that leaves the region and the size to SkyPilot. */
export const openTask = `
num_nodes: 5
resources:
  infra: aws
  cpus: 2+
  memory: 7.5
  max_hourly_cost: 0.2
run: sleep infinity
`;

export const read = (text: string): unknown => parse(text) as unknown;
