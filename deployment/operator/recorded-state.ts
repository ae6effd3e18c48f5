import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parse } from 'yaml';
import type { PlaceInputs, Standing } from '../../config/change-classes';
import { carriedBy, parseSubmission, submissionText, type Submission } from './incarnation';
import type { StandingPlace } from './observation';
import { placeOfSubmit, placeOfWait } from './preview';
import type { ReadyCluster } from './wait';

/** What Pulumi has recorded of one place. */
export interface RecordedPlace {
  place: string;
  /** Environment of its submit command, with secrets in plain: whom to ask about the place. */
  environment: Record<string, string>;
  /** What the last submit that succeeded was told and what it printed. */
  submitted: {
    generation: number;
    change: string;
    /** The incarnation that served then; empty where none did. */
    serving: string;
    /** Fingerprint of the inputs that it launched. */
    inputs: string;
    submission: Submission;
    token: string | undefined;
  };
  /** What the last wait that succeeded was told and what it printed; undefined where none has yet. */
  applied:
    | {
        /** Undefined where an earlier version applied them, which did not record them. */
        inputs: PlaceInputs | undefined;
        /** The submission that it waited for, as text. */
        submission: string;
        ready: ReadyCluster;
        /** What stands there is a managed job. */
        managed: boolean;
        token: string | undefined;
      }
    | undefined;
  /** Whether the wait belongs to the submission: the last change was carried through. */
  finished: boolean;
}

/** What Pulumi has recorded of a stack, as far as it is read here. */
export interface RecordedStack {
  places: Map<string, RecordedPlace>;
  /** What the stack's server is known by, as the claim printed it; undefined before the first `up`. */
  server: string | undefined;
  /** Name of the data bucket; undefined before the first `up`. */
  dataBucket: string | undefined;
  /** Output `reviewOverride` of the last `up`. */
  override: unknown;
}

interface Resource {
  urn: string;
  type: string;
  delete?: boolean;
  inputs?: Record<string, unknown>;
  outputs?: Record<string, unknown>;
}

/** Marks a secret in Pulumi's state (`resource.SecretSig` of its SDKs). */
export const secretKey = '4dabf18193072939515e22adb298388d';

/** A value of the state with its secrets in plain. */
export function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const map = value as Record<string, unknown>;
  if (secretKey in map) return JSON.parse(map['plaintext'] as string) as unknown;
  return Object.fromEntries(Object.entries(map).map(([key, inner]) => [key, plain(inner)]));
}

/** A command of the state: what it was told and what it printed. */
export interface RecordedCommand {
  environment: Record<string, string>;
  stdout: string;
}

function commandOf({ inputs, outputs }: Resource): RecordedCommand {
  return {
    environment: (plain(inputs?.['environment']) ?? {}) as Record<string, string>,
    stdout: (plain(outputs?.['stdout']) ?? '') as string,
  };
}

function inputsOf(
  { environment }: RecordedCommand,
  known: Map<string, PlaceInputs>,
): PlaceInputs | undefined {
  const applied = environment['SKYFLEET_APPLIED'];
  if (applied === undefined) return undefined;
  const inputs = known.get(applied) ?? (parse(applied) as PlaceInputs);
  known.set(applied, inputs);
  return inputs;
}

/**
 * What was last applied to a place, by the wait command that followed it to its end.
 *
 * @param known inputs that were parsed before, by their text: the places of a fleet have the same, and parsing takes long.
 */
export function appliedBy(
  wait: RecordedCommand,
  known = new Map<string, PlaceInputs>(),
): NonNullable<RecordedPlace['applied']> {
  const submission = wait.environment['SKYFLEET_SUBMISSION'] ?? '';
  const ready = JSON.parse(wait.stdout) as ReadyCluster;
  return {
    inputs: inputsOf(wait, known),
    submission,
    ready,
    managed: carriedBy(parseSubmission(submission) ?? {}, ready.incarnation).managed,
    token: wait.environment['SKYFLEET_ORCHESTRATOR_TOKEN'],
  };
}

/** What decides of which class a change of what stands in a place is. */
export const standingIn = ({
  ready,
  managed,
}: Pick<NonNullable<RecordedPlace['applied']>, 'ready' | 'managed'>): Standing => ({
  zones: ready.nodes.map(({ zone }) => zone),
  managed,
});

/** The places in which something is known to stand. */
export const standingPlaces = (places: Iterable<RecordedPlace>): StandingPlace[] =>
  [...places].flatMap(({ place, applied }) =>
    applied === undefined
      ? []
      : [
          {
            place,
            incarnation: applied.ready.incarnation,
            managed: applied.managed,
            nodes: applied.ready.nodes,
          },
        ],
  );

const emptyStack = (): RecordedStack => ({
  places: new Map(),
  server: undefined,
  dataBucket: undefined,
  override: undefined,
});

/**
 * Reads what Pulumi has recorded of a stack.
 *
 * The state of the wait command of a place is the one record of what was last applied that is true after a failed `up`
 * too: Pulumi keeps the old inputs of a command that failed, but saves the stack's outputs all the same.
 *
 * @param json what `pulumi stack export --show-secrets` prints.
 */
export function parseRecordedStack(json: string): RecordedStack {
  const { deployment } = JSON.parse(json) as { deployment?: { resources?: Resource[] } | null };
  const stack = emptyStack();
  const submits = new Map<string, RecordedCommand>();
  const waits = new Map<string, RecordedCommand>();
  const known = new Map<string, PlaceInputs>();
  for (const resource of deployment?.resources ?? []) {
    if (resource.delete === true) continue;
    const name = resource.urn.split('::').at(-1) ?? '';
    if (resource.type === 'pulumi:pulumi:Stack') {
      const bucket = plain(resource.outputs?.['dataBucket']);
      if (typeof bucket === 'string') stack.dataBucket = bucket;
      stack.override = plain(resource.outputs?.['reviewOverride']);
    }
    if (resource.type !== 'command:local:Command') continue;
    if (resource.urn.includes('skyfleet:sky:SkyServer$') && name.endsWith('-skypilot')) {
      stack.server = commandOf(resource).stdout;
    }
    if (!resource.urn.includes('skyfleet:sky:SkyCluster$')) continue;
    const place = placeOfSubmit(name);
    if (place !== undefined) submits.set(place, commandOf(resource));
    const waited = placeOfWait(name);
    if (waited !== undefined) waits.set(waited, commandOf(resource));
  }
  for (const [place, submit] of submits) {
    const submission = parseSubmission(submit.stdout);
    if (submission === undefined) continue;
    const wait = waits.get(place);
    const applied = wait === undefined ? undefined : appliedBy(wait, known);
    stack.places.set(place, {
      place,
      environment: submit.environment,
      submitted: {
        generation: Number(submit.environment['SKYFLEET_GENERATION'] ?? 0),
        change: submit.environment['SKYFLEET_CHANGE'] ?? '',
        serving: submit.environment['SKYFLEET_SERVING'] ?? '',
        inputs: submit.environment['SKYFLEET_INPUTS'] ?? '',
        submission,
        token: submit.environment['SKYFLEET_ORCHESTRATOR_TOKEN'],
      },
      applied,
      finished: applied?.submission === submissionText(submit.stdout),
    });
  }
  return stack;
}

/**
 * Asks the Pulumi CLI for what it has recorded of a stack. The secrets in it are only compared.
 *
 * @param stack full name, `organization/project/stack`.
 * @throws Error where the CLI cannot read the state.
 */
export async function readRecordedStack(stack: string): Promise<RecordedStack> {
  const args = ['stack', 'export', '--show-secrets', '--non-interactive', '--stack', stack];
  try {
    const { stdout } = await promisify(execFile)('pulumi', args, {
      env: process.env,
      maxBuffer: 2 ** 30,
    });
    return parseRecordedStack(stdout);
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new Error(
      `what Pulumi has recorded of stack ${stack} cannot be read: ${stderr?.trim() || message}. Look at it with: pulumi stack export --stack ${stack}`,
      { cause: error },
    );
  }
}
