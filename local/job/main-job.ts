import * as fs from 'node:fs';
import * as path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parse } from 'yaml';
import { Orchestrator } from '../../deployment/operator/orchestrator';
import type { NodeReport } from '../../deployment/operator/wait';
import { gatherEvidence, type Fleet } from './evidence';
import type { LocalStack } from './stack';
import { fleetTable, problemsOf, strangers, type NodeEvidence } from './verification';

/** The embedded default's promise is not kept; the message names the step and the nodes. */
export class MainJobError extends Error {}

/** Where the main job runs. */
export interface MainJobSettings {
  /** Folder of the stack files, which name the sensor's image. */
  projectDir: string;
  /** Address of the orchestrator's API. */
  orchestrator: string;
  /** Stacks of the rig that are not brought up now. Their nodes are no strangers to the orchestrator. */
  beside: readonly LocalStack[];
  /** Folder for Pulumi's whole output. */
  logs: string;
  /** Where progress goes. */
  show: (line: string) => void;
  /** Show all that Pulumi prints. */
  verbose: boolean;
}

/** Seconds after which a node that the stack calls ready must be in the orchestrator's list and its sensor at work. */
const settlingSeconds = 60;

/** What `up` printed of a stack, as far as it is needed here. */
interface StackOutputs {
  dataBucket: string;
  /** The nodes by fleet. */
  nodes: Record<string, NodeReport[]>;
}

/**
 * Brings the stacks up, side by side, and finds out whether their nodes are what they should be. Returns the closing
 * table of all of them.
 */
export async function runMainJob(stacks: readonly LocalStack[], settings: MainJobSettings): Promise<string> {
  const { show } = settings;
  // A failure is reported once the others have ended too, so that nothing goes on behind the message.
  const ended = await Promise.allSettled(stacks.map((stack) => bringUp(stack, settings)));
  const failures = ended.flatMap((end) => (end.status === 'rejected' ? [String(messageOf(end.reason))] : []));
  if (failures.length > 0) throw new MainJobError(failures.join('\n'));

  const orchestrator = new Orchestrator(settings.orchestrator);
  const fleets = (await Promise.all(stacks.map((stack) => fleetsOf(stack, settings)))).flat();
  show('asking the orchestrator, the sensors and the bucket');
  const beside = (await Promise.all(settings.beside.map(nodesOf))).flat();
  const { evidence, problems } = await settled(orchestrator, fleets, beside);
  const table = fleetTable(evidence);
  if (problems.length > 0) throw new MainJobError(`${table}\n${problems.join('\n')}`);
  return table;
}

const messageOf = (error: unknown): unknown => (error instanceof Error ? error.message : error);

/** Pulumi's whole output of the last `up` of a stack. */
const logOf = ({ name }: LocalStack, { logs }: MainJobSettings) => path.join(logs, `pulumi-up-${name}.log`);

async function bringUp(stack: LocalStack, settings: MainJobSettings): Promise<void> {
  const { show } = settings;
  show(`pulumi up, stack ${stack.name}`);
  const { code, output } = await stack.run('up', ['--yes', '--skip-preview'], progressTo(settings));
  const log = logOf(stack, settings);
  fs.writeFileSync(log, output);
  if (code !== 0) {
    throw new MainJobError(
      `pulumi up of stack ${stack.name} failed (whole output: ${log}):\n${diagnosticsOf(output)}`,
    );
  }
  show(`stack ${stack.name}: ${changesOf(output)}`);
}

/**
 * The outputs of a stack that is up. Pulumi's SDK takes a moment without work for the end of the program, and then saves
 * none (seen on machines under heavy load only): asked again, it has nothing to do but that.
 */
async function savedOutputs(stack: LocalStack, settings: MainJobSettings): Promise<Record<string, unknown>> {
  const outputs = await stack.outputs();
  if (outputs['nodes'] !== undefined) return outputs;
  settings.show(`pulumi up of stack ${stack.name} saved no outputs; asking it again`);
  await bringUp(stack, settings);
  return stack.outputs();
}

async function fleetsOf(stack: LocalStack, settings: MainJobSettings): Promise<Fleet[]> {
  const outputs = await savedOutputs(stack, settings);
  if (outputs['nodes'] === undefined) {
    const log = logOf(stack, settings);
    throw new MainJobError(
      `pulumi up of stack ${stack.name} saved no outputs (its whole output: ${log}); run it again`,
    );
  }
  const { dataBucket, nodes } = outputs as unknown as StackOutputs;
  const sensorImage = sensorImageOf(settings, stack.name);
  return Object.entries(nodes).map(([name, members]) => ({
    nodes: members,
    bucket: dataBucket,
    prefix: `fleets/${name}/`,
    region: stack.region,
    sensorImage,
  }));
}

/** The nodes that a stack has declared last. */
async function nodesOf(stack: LocalStack): Promise<NodeReport[]> {
  const { nodes } = (await stack.outputs()) as Partial<StackOutputs>;
  return Object.values(nodes ?? {}).flat();
}

/** Gathers the evidence; a node that has just become ready gets a little time for its first row and heartbeat. */
async function settled(
  orchestrator: Orchestrator,
  fleets: Fleet[],
  beside: NodeReport[],
): Promise<{ evidence: NodeEvidence[]; problems: string[] }> {
  const deadline = Date.now() + settlingSeconds * 1000;
  for (;;) {
    const evidence = (await Promise.all(fleets.map((fleet) => gatherEvidence(orchestrator, fleet)))).flat();
    const declared = [...fleets.flatMap(({ nodes }) => nodes), ...beside];
    const problems = [
      ...evidence.flatMap(problemsOf),
      ...strangers(await orchestrator.computeNodes(), declared),
    ];
    if (problems.length === 0 || Date.now() > deadline) return { evidence, problems };
    await sleep(5000);
  }
}

function sensorImageOf({ projectDir }: MainJobSettings, stack: string): string {
  const file = fs.readFileSync(path.join(projectDir, `Pulumi.${stack}.yaml`), 'utf8');
  return (parse(file) as { config: { 'skyfleet:sensor': { image: string } } }).config['skyfleet:sensor']
    .image;
}

/** Shows what Pulumi prints: all of it where the output is verbose, else the progress of each place. */
export function progressTo({
  show,
  verbose,
}: Pick<MainJobSettings, 'show' | 'verbose'>): (line: string) => void {
  return (line) => {
    const progress = verbose ? line : progressOf(line);
    if (progress !== undefined) show(progress);
  };
}

/** What a line of Pulumi's output says of the progress of a place; undefined for every other line. */
export function progressOf(line: string): string | undefined {
  const [, place, step, done, seconds] =
    /command:local:Command (\S+)-(submit|wait) (created|updated|deleted) \((.+?)s\)/.exec(line) ?? [];
  if (place === undefined) return undefined;
  if (done === 'deleted') return step === 'submit' ? `  ${place} is gone (${seconds} s)` : undefined;
  return step === 'submit' ? `  ${place} is being launched` : `  ${place} is ready (${seconds} s)`;
}

/** The part of Pulumi's output that says what went wrong. */
export function diagnosticsOf(output: string): string {
  const start = output.indexOf('Diagnostics:');
  return (start === -1 ? output : output.slice(start)).trim();
}

/** What Pulumi says that it did, in one line: `3 created, 1 unchanged`, or that nothing changed. */
export function changesOf(output: string): string {
  const summary = /^Resources:\n((?: {4}.+\n?)+)/m.exec(output)?.[1];
  const counts = (summary ?? '')
    .split('\n')
    .map((line) => line.trim().replace(/^[^0-9a-z]+/, ''))
    .filter((line) => line !== '');
  const changes = counts.filter((line) => !line.endsWith('unchanged'));
  return changes.length === 0 ? `nothing to change (${counts.join(', ')})` : counts.join(', ');
}
