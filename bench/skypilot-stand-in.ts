import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import type { ClusterStatus } from '../deployment/operator/skypilot';
import { SkyPilotServer, type Outcome, type Received } from '../test/unit/operator/skypilot-server';

/** The parts of a task that the stand-in goes by. */
interface LaunchedTask {
  num_nodes: number;
  resources: { labels: Record<string, string> };
}

interface StandingCluster extends ClusterStatus {
  status: 'INIT' | 'UP';
  /** Number of its nodes' first instance. */
  first: number;
}

/** The id of one of the instances that the stand-in tells of. */
export const instanceId = (number: number): string => `i-${number.toString(16).padStart(17, '0')}`;

/**
 * A stand-in of SkyPilot's API server whose launches take a fixed time, however many there are. It is for measuring
 * scale only: it launches nothing, and no test of a feature goes by it.
 */
export class SkyPilotStandIn {
  /** Milliseconds that a launch takes. */
  launchTime = 0;
  private readonly clusters = new Map<string, StandingCluster>();
  private instances = 0;
  private readonly server = new SkyPilotServer((received, id) => this.answer(received, id));

  constructor() {
    this.server.logs = ({ cluster_name: cluster }) => this.jobLog(String(cluster));
  }

  /** @returns its address. */
  start(): Promise<string> {
    return this.server.start();
  }

  stop(): Promise<void> {
    return this.server.stop();
  }

  /** Forgets all clusters. */
  forget(): void {
    this.clusters.clear();
    this.server.forget();
  }

  private async answer({ path, body }: Received, id: string): Promise<Outcome> {
    const name = String(body['cluster_name']);
    switch (path) {
      case '/launch':
        await this.launch(name, parse(String(body['task'])) as LaunchedTask, id);
        return { value: { job_id: 1 } };
      case '/status':
        return { value: [...this.clusters.values()] };
      case '/job_status':
        return { value: { 1: 'SUCCEEDED' } };
      case '/exec':
        return { value: { job_id: 1 } };
      case '/down':
        return this.clusters.delete(name)
          ? { value: null }
          : { error: { type: 'ClusterDoesNotExist', message: `Cluster ${name} does not exist.` } };
      default:
        return { value: null };
    }
  }

  private async launch(name: string, task: LaunchedTask, id: string): Promise<void> {
    const { num_nodes: nodes, resources } = task;
    const cluster: StandingCluster = this.clusters.get(name) ?? {
      name,
      status: 'INIT',
      labels: resources.labels,
      launched_at: Date.now() / 1000,
      nodes,
      first: this.instances,
    };
    if (!this.clusters.has(name)) this.instances += nodes;
    this.clusters.set(name, cluster);
    const request = { request_id: id, name: 'sky.launch', cluster_name: name };
    this.server.active.push(request);
    await sleep(this.launchTime);
    this.server.active = this.server.active.filter((active) => active !== request);
    cluster.status = 'UP';
  }

  /** What the nodes of a cluster say of themselves. */
  private jobLog(name: string): string {
    const { nodes, first } = this.clusters.get(name) ?? { nodes: 0, first: 0 };
    return Array.from({ length: nodes }, (_, rank) => {
      const number = first + rank;
      const report = {
        instanceId: instanceId(number),
        zone: 'us-west-2a',
        region: 'us-west-2',
        privateIp: `10.42.${number >> 8}.${number & 255}`,
        publicIp: `203.0.${number >> 8}.${number & 255}`,
        nodeName: nodes === 1 ? name : `${name}-${rank}`,
        ordinal: number,
        sensorId: `SENSOR_CA_SFO_${String(number).padStart(4, '0')}`,
      };
      return `SKYFLEET_NODE ${JSON.stringify(report)}\n`;
    }).join('');
  }
}
