import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { awsCliOf, lastLines, required, type CommandEnvironment } from './command-environment';
import { runningInstances } from './instances';
import { labelKeys } from './incarnation';
import { jobOfIncarnation } from './managed-jobs';
import type { NodePart } from './node-task';
import { hasEnded, type SkyPilot } from './skypilot';

/*
 * What is run on the nodes of a managed job. SkyPilot would take anything that it runs there by `exec` for the job itself,
 * so the nodes follow orders instead: an object in the data bucket, which they only read
 * (`deployment/node/scripts/follow_orders.py`).
 */

/** What nodes are to do. */
export interface Order {
  /** Nodes carry out an order that has another id than the last one. */
  order: string;
  part: NodePart;
  /** For the run part: short of taking the place's identity (standby), or all of it. */
  phase: 'standby' | 'full';
  /** Text of each shipped file by its path; those that are left out stay as they are. */
  files: Record<string, string>;
}

/** What a node says of an order that it has carried out. */
export interface OrderReport {
  instanceId: string;
  exitCode: number;
  /** What the part printed. */
  output: string;
  /** The last lines of what it said meanwhile. */
  tail: string[];
}

/** A fresh id for an order. */
export const newOrderId = (): string => randomBytes(6).toString('hex');

/** Folder of the reports on an order, below that of the fleet. */
export const reportFolder = (incarnation: string, order: string): string =>
  `health/orders/${incarnation}/${order}/`;

const orderKey = (incarnation: string): string => `orders/${incarnation}.json`;

/** An object of the fleet's folder in the data bucket, by the AWS CLI's address of it. */
function addressOf(environment: CommandEnvironment, key: string): string {
  return `s3://${required(environment, 'SKYFLEET_BUCKET')}/${required(environment, 'SKYFLEET_BUCKET_PREFIX')}${key}`;
}

/** Has the nodes of an incarnation do something. */
export async function giveOrder(
  incarnation: string,
  order: Order,
  environment: CommandEnvironment,
): Promise<void> {
  const address = addressOf(environment, orderKey(incarnation));
  const copy = ['s3', 'cp', '-', address, '--content-type', 'application/json', '--only-show-errors'];
  await awsCliOf(environment).tell(copy, JSON.stringify(order));
}

/** Takes away the orders of an incarnation that has ended. */
export async function withdrawOrders(incarnation: string, environment: CommandEnvironment): Promise<void> {
  const address = addressOf(environment, orderKey(incarnation));
  await awsCliOf(environment).tell(['s3', 'rm', address, '--only-show-errors']);
}

/** The reports on an order, by the id of the instance. */
async function reportsOn(
  incarnation: string,
  order: string,
  environment: CommandEnvironment,
): Promise<Map<string, OrderReport>> {
  const aws = awsCliOf(environment);
  const folder = `${required(environment, 'SKYFLEET_BUCKET_PREFIX')}${reportFolder(incarnation, order)}`;
  const bucket = required(environment, 'SKYFLEET_BUCKET');
  const list = ['s3api', 'list-objects-v2', '--bucket', bucket, '--prefix', folder];
  const keys = (await aws.ask<string[] | null>(...list, '--query', 'Contents[].Key')) ?? [];
  const reports = await Promise.all(
    keys.map((key) => aws.ask<OrderReport>('s3', 'cp', `s3://${bucket}/${key}`, '-', '--only-show-errors')),
  );
  return new Map(reports.map((report) => [report.instanceId, report]));
}

/** Pause between two looks for reports. */
const lookSeconds = 4;

/** Looks for reports between two questions to SkyPilot, which are expensive for its server. */
const looksPerQuestion = 6;

/**
 * Waits until every node of an incarnation has carried out an order.
 *
 * @param nodes how many there must be; as many as run where absent.
 * @returns what they printed.
 * @throws Error where one of them failed, where the managed job has ended, and at the deadline.
 */
export async function carriedOut(
  sky: SkyPilot,
  { incarnation, order, part, nodes }: { incarnation: string; order: string; part: NodePart; nodes?: number },
  environment: CommandEnvironment,
  deadline: number,
): Promise<string> {
  for (let look = 0; ; look++) {
    const [running, reports] = await Promise.all([
      runningInstances(environment, [labelKeys.incarnation, incarnation]),
      reportsOn(incarnation, order, environment),
    ]);
    const missing = running.filter((id) => !reports.has(id));
    const said = running.flatMap((id) => reports.get(id) ?? []);
    const failed = said.find(({ exitCode }) => exitCode !== 0);
    if (failed !== undefined) throw orderFailure(part, incarnation, failed);
    if (missing.length === 0 && running.length === (nodes ?? running.length)) {
      return said.map(({ output }) => output).join('\n');
    }
    if (look % looksPerQuestion === 0) await refuseEnded(sky, incarnation, environment);
    if (Date.now() > deadline) {
      const waited =
        missing.length > 0
          ? `instance ${missing.join(', ')} has not carried out ${part}`
          : `${running.length} of ${nodes ?? 0} instances run`;
      throw new Error(
        `cluster ${incarnation}: at the time limit ${waited}. See what SkyPilot does with: sky jobs queue, and: ` +
          'sky jobs logs --controller; then run pulumi up again',
      );
    }
    await sleep(lookSeconds * 1000);
  }
}

function orderFailure(part: NodePart, incarnation: string, report: OrderReport): Error {
  return new Error(
    `${part} on instance ${report.instanceId} of cluster ${incarnation} ended with exit code ${report.exitCode}. ` +
      `The last lines of its log:\n${report.tail.join('\n')}\nThen run pulumi up again`,
  );
}

/** A managed job that has ended carries out nothing any more. */
async function refuseEnded(
  sky: SkyPilot,
  incarnation: string,
  environment: CommandEnvironment,
): Promise<void> {
  const job = await jobOfIncarnation(sky, incarnation, required(environment, 'SKYFLEET_STACK'));
  if (job === undefined) {
    throw new Error(`SkyPilot has no managed job of ${incarnation} any more; run pulumi up again`);
  }
  if (!hasEnded(job)) return;
  const log = await sky.managedJobLog(job);
  throw new EndedJobError(
    `managed job ${job.name} ended as ${job.status}. The last lines of SkyPilot's log:\n${lastLines(log, 15)}\n` +
      `See the whole log with: sky jobs logs --controller ${job.id}; then run pulumi up again`,
    log,
  );
}

/** The managed job ended meanwhile. */
export class EndedJobError extends Error {
  constructor(
    message: string,
    /** What SkyPilot has printed for it. */
    readonly log: string,
  ) {
    super(message);
    this.name = 'EndedJobError';
  }
}
