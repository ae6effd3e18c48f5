import type { Rig } from '../../local/rig';
import { labelKeys } from '../../deployment/operator/incarnation';
import { connectedNodes, emulator } from '../e2e/rig-run';

/** Asks those who must know, and no record of Pulumi's or ours: AWS by its CLI, SkyPilot and the orchestrator by REST. */
export class Observer {
  constructor(
    private readonly rig: Rig,
    /** Full name of the stack. */
    private readonly stack: string,
  ) {}

  private async run(...argv: string[]): Promise<string> {
    const { code, stdout, stderr } = await this.rig.exec(argv);
    if (code !== 0) throw new Error(`${argv.join(' ')}: ${stderr}`);
    return stdout;
  }

  private async aws<T>(...args: string[]): Promise<T> {
    return JSON.parse(await this.run('aws', ...args, '--output', 'json')) as T;
  }

  /** Ids of the stack's instances that have not ended. */
  async instances(): Promise<string[]> {
    return this.aws(
      ...['ec2', 'describe-instances', '--query', 'Reservations[].Instances[].InstanceId', '--filters'],
      `Name=tag:${labelKeys.stack},Values=${this.stack}`,
      'Name=instance-state-name,Values=pending,running,stopping,stopped',
    );
  }

  /** Everything that the account has, but for instances: by kind and id. The account has nothing but the stack's. */
  async resources(): Promise<string[]> {
    const ids = (kind: string, query: string, ...args: string[]): Promise<string[]> =>
      this.aws<string[] | null>(...args, '--query', query).then((found) =>
        (found ?? []).map((id) => `${kind} ${id}`),
      );
    const tagged = ['--filters', `Name=tag:${labelKeys.stack},Values=${this.stack}`];
    const found = await Promise.all([
      ids('vpc', 'Vpcs[].VpcId', 'ec2', 'describe-vpcs', ...tagged),
      ids('subnet', 'Subnets[].SubnetId', 'ec2', 'describe-subnets', ...tagged),
      ids('group', 'SecurityGroups[].GroupId', 'ec2', 'describe-security-groups', ...tagged),
      ids('gateway', 'InternetGateways[].InternetGatewayId', 'ec2', 'describe-internet-gateways', ...tagged),
      ids('table', 'RouteTables[].RouteTableId', 'ec2', 'describe-route-tables', ...tagged),
      ids(
        ...(['endpoint', "VpcEndpoints[?State!='deleted'].VpcEndpointId", 'ec2'] as const),
        ...['describe-vpc-endpoints', ...tagged],
      ),
      ids('role', 'Roles[].RoleName', 'iam', 'list-roles'),
      ids('profile', 'InstanceProfiles[].InstanceProfileName', 'iam', 'list-instance-profiles'),
      ids('bucket', 'Buckets[].Name', 's3api', 'list-buckets'),
    ]);
    return found.flat().sort();
  }

  /** Names of the clusters that SkyPilot has of the stack. */
  async clusters(): Promise<string[]> {
    const { sky } = this.rig.endpoints;
    const body = {
      env_vars: { SKYPILOT_USER_ID: 'c4a05000', SKYPILOT_USER: 'chaos' },
      entrypoint_command: 'chaos',
      cluster_names: null,
      all_users: true,
    };
    const headers = await this.run(
      ...['curl', '--silent', '--fail', '--show-error', '--dump-header', '-', '--output', '/dev/null'],
      ...['--header', 'X-SkyPilot-API-Version: 62', '--json', JSON.stringify(body), `${sky}/status`],
    );
    const request = /^x-skypilot-request-id: *(\S+)/im.exec(headers)?.[1] ?? '';
    const answer = await this.run('curl', '--silent', '--fail', `${sky}/api/get?request_id=${request}`);
    const { return_value } = JSON.parse(answer) as { return_value: string };
    const clusters = JSON.parse(return_value) as { name: string; labels: Record<string, string> | null }[];
    return clusters
      .filter(({ labels }) => labels?.[labelKeys.stack] === this.stack)
      .map(({ name }) => name)
      .sort();
  }

  /** Names of the compute nodes that the orchestrator hears from. */
  async connected(): Promise<string[]> {
    return (await connectedNodes(this.rig)).map(({ name }) => name);
  }

  /** Has AWS take an instance back, without a notice. */
  preempt(instance: string): Promise<void> {
    return emulator(this.rig, `preempt/${instance}`, { noticeSeconds: 0 });
  }
}
