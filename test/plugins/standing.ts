import { parse } from 'yaml';
import { labelKeys } from '../../deployment/operator/incarnation';
import { parseRecordedStack, type RecordedPlace } from '../../deployment/operator/recorded-state';
import type { ServerIdentity } from '../../deployment/operator/server-identity';
import type { ClusterStatus } from '../../deployment/operator/skypilot';
import type { SkyTask } from '../../deployment/operator/task';
import { SkyPilotServer } from '../unit/operator/skypilot-server';
import { sdkFor, type Sdk } from './aws-cases/ground';
import { startMoto, type Moto } from './moto';
import type { RecordedStateFile } from './recorded-states';

/** Where the embedded default has AWS and SkyPilot. */
const recordedEndpoints = { aws: 'http://127.0.0.1:5000', sky: 'http://127.0.0.1:46580' };

/**
 * An AWS and a SkyPilot server in which everything stands that a state has recorded: instances and the bucket as far as a
 * preview asks for them, and clusters as the server remembers them.
 */
export class Surroundings {
  private clusters: ClusterStatus[] = [];

  /** Keeps what it was asked. */
  readonly sky = new SkyPilotServer(({ path }) => ({ value: path === '/status' ? this.clusters : null }));
  private skyEndpoint = '';

  private constructor(
    private readonly moto: Moto,
    private readonly sdk: Sdk,
  ) {}

  static async start(): Promise<Surroundings> {
    const moto = await startMoto();
    const made = new Surroundings(moto, sdkFor(moto.url));
    made.skyEndpoint = await made.sky.start();
    return made;
  }

  /** Address of the AWS. */
  get awsEndpoint(): string {
    return this.moto.url;
  }

  async stop(): Promise<void> {
    await this.sky.stop();
    await this.moto.stop();
  }

  /**
   * Has everything stand that a state has recorded, and nothing else.
   *
   * @returns the state and the stack file with the addresses and instances that these are.
   */
  async stand(recorded: RecordedStateFile): Promise<RecordedStateFile> {
    await fetch(`${this.moto.url}/moto-api/reset`, { method: 'POST' });
    this.sky.forget();
    const { places, server, dataBucket = '' } = parseRecordedStack(recorded.state);
    await this.sdk.s3.createBucket({
      Bucket: dataBucket,
      CreateBucketConfiguration: { LocationConstraint: 'us-west-2' },
    });
    const identity = JSON.parse(server ?? '{}') as ServerIdentity;
    if ('mark' in identity) this.sky.users.add(identity.mark);
    this.clusters = [...places.values()].map(clusterOf);
    const replaced: [string, string][] = [
      [recordedEndpoints.aws, this.moto.url],
      [recordedEndpoints.sky, this.skyEndpoint],
    ];
    for (const { environment, applied } of places.values()) {
      for (const { instanceId } of applied?.ready.nodes ?? []) {
        replaced.push([instanceId, await this.runInstance(environment['SKYFLEET_STACK'] ?? '')]);
      }
    }
    const renamed = (text: string): string =>
      replaced.reduce((result, [from, to]) => result.replaceAll(from, to), text);
    // The stack file says nothing of SkyPilot's server where it is the usual one.
    const stackFile = `${renamed(recorded.stackFile)}  skyfleet:skypilot: { endpoint: '${this.skyEndpoint}' }\n`;
    return { ...recorded, state: renamed(recorded.state), stackFile };
  }

  private async runInstance(stack: string): Promise<string> {
    const { Instances } = await this.sdk.ec2.runInstances({
      ImageId: 'ami-12345678',
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: 'instance', Tags: [{ Key: labelKeys.stack, Value: stack }] }],
    });
    return Instances?.[0]?.InstanceId ?? '';
  }
}

/** The cluster of a place, as SkyPilot remembers it. */
function clusterOf({ environment, applied, place }: RecordedPlace): ClusterStatus {
  if (applied === undefined) throw new Error(`nothing stands in ${place}; record a stack that is up`);
  const { resources } = parse(environment['SKYFLEET_TASK'] ?? '') as SkyTask;
  const { incarnation, nodes } = applied.ready;
  return { name: incarnation, status: 'UP', labels: resources.labels, launched_at: 1, nodes: nodes.length };
}
