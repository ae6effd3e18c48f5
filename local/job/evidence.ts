import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import type { Orchestrator } from '../../deployment/operator/orchestrator';
import type { NodeReport } from '../../deployment/operator/wait';
import { sensorRowsJob } from '../jobs';
import type { NodeEvidence } from './verification';

/** What a fleet is asked about and where. */
export interface Fleet {
  nodes: NodeReport[];
  bucket: string;
  /** Key prefix of the fleet in the bucket. */
  prefix: string;
  /** Region of the bucket. */
  region: string;
  sensorImage: string;
}

/** Seconds between the two counts of a node's rows; the sensor writes at least one row in that time. */
const secondsBetweenCounts = 6;
const jobSeconds = 90;

/** Asks the orchestrator, the nodes and the bucket, and no record of ours, how each node fares. */
export async function gatherEvidence(orchestrator: Orchestrator, fleet: Fleet): Promise<NodeEvidence[]> {
  const s3 = new S3Client({ forcePathStyle: true, region: fleet.region });
  return Promise.all(
    fleet.nodes.map(async (declared): Promise<NodeEvidence> => {
      const rows = await countTwice(orchestrator, declared, fleet.sensorImage);
      const listed = (await orchestrator.computeNodes()).find(({ name }) => name === declared.nodeName);
      const object = await newestObject(s3, fleet.bucket, `${fleet.prefix}sensor/${declared.sensorId}/`);
      return { declared, listed, rows, object };
    }),
  );
}

async function countTwice(
  orchestrator: Orchestrator,
  node: NodeReport,
  image: string,
): Promise<[number, number] | string> {
  const count = async (): Promise<number> => {
    const { state, stdout, message, jobId } = await orchestrator.runJob(
      sensorRowsJob(node.nodeName, image, randomUUID()),
      jobSeconds,
    );
    if (state !== 'Completed') throw new Error(`job ${jobId} is ${state}: ${message}`);
    return (JSON.parse(stdout) as Record<string, number>)[node.sensorId] ?? 0;
  };
  try {
    const first = await count();
    await sleep(secondsBetweenCounts * 1000);
    return [first, await count()];
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

async function newestObject(s3: S3Client, bucket: string, prefix: string): Promise<string | undefined> {
  const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
  const [newest] = (Contents ?? []).sort((a, b) => Number(b.LastModified) - Number(a.LastModified));
  return newest?.Key;
}
