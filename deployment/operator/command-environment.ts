import { stripVTControlCharacters } from 'node:util';
import { AwsCli } from './aws-cli';
import { liveAsCommand } from './command-life';
import { stackMark } from './incarnation';
import { Orchestrator } from './orchestrator';
import { SkyPilot } from './skypilot';

/**
 * The environment that Pulumi's command resources hand to the programs of this folder. Everything that they need
 * stands in it, so that the stored command can be run again from any folder.
 */
export type CommandEnvironment = Record<string, string | undefined>;

/** The value of a variable that the component always sets. */
export function required(environment: CommandEnvironment, name: string): string {
  const value = environment[name];
  if (value === undefined || value === '')
    throw new Error(`${name} is missing in the environment of the command`);
  return value;
}

/** The SkyPilot server that the environment names, with requests filed under the stack. */
export function skyPilotOf(environment: CommandEnvironment): SkyPilot {
  const stack = required(environment, 'SKYFLEET_STACK');
  const token = environment['SKYFLEET_SKYPILOT_TOKEN'];
  return new SkyPilot(
    {
      endpoint: required(environment, 'SKYFLEET_SKYPILOT_ENDPOINT'),
      ...(token === undefined ? {} : { token }),
    },
    // SkyPilot expects the hash of a user. One per stack lets every operator of the stack act on its clusters.
    { id: stackMark(stack), name: 'skyfleet' },
  );
}

/** The orchestrator's API, where it is configured. */
export function orchestratorOf(environment: CommandEnvironment): Orchestrator | undefined {
  const endpoint = environment['SKYFLEET_ORCHESTRATOR_API'];
  return endpoint === undefined
    ? undefined
    : new Orchestrator(endpoint, environment['SKYFLEET_ORCHESTRATOR_API_TOKEN']);
}

/** Takes every secret out of a text, however it was written there. */
export function redact(text: string, secrets: readonly (string | undefined)[]): string {
  return secrets
    .filter((secret): secret is string => secret !== undefined && secret !== '')
    .flatMap((secret) => [
      secret,
      Buffer.from(secret).toString('base64'),
      Buffer.from(secret).toString('hex'),
      encodeURIComponent(secret),
    ])
    .reduce((shown, form) => shown.replaceAll(form, '[secret]'), text);
}

/** The last lines of a log that are not empty. */
export function lastLines(log: string, count: number): string {
  return log
    .split('\n')
    .filter((line) => line.trim() !== '')
    .slice(-count)
    .join('\n');
}

/** What a command works on, for its messages and its record. */
const placeOf = (environment: CommandEnvironment): string =>
  environment['SKYFLEET_PLACE'] ?? environment['SKYFLEET_STACK'] ?? 'skyfleet';

/** Says on stderr why a command fails, without any secret of its environment. */
function complain(environment: CommandEnvironment, message: string): void {
  const secrets = ['ORCHESTRATOR_TOKEN', 'ORCHESTRATOR_API_TOKEN', 'SKYPILOT_TOKEN'].map(
    (name) => environment[`SKYFLEET_${name}`],
  );
  const said = stripVTControlCharacters(`${placeOf(environment)}: ${message}`);
  process.stderr.write(`${redact(said, secrets)}\n`);
}

/** The AWS CLI in the region of the stack. */
export function awsCliOf(environment: CommandEnvironment): AwsCli {
  return new AwsCli(
    required(environment, 'SKYFLEET_REGION'),
    Number(required(environment, 'SKYFLEET_CALL_MINUTES')),
  );
}

/**
 * Minutes after which a command is ended: its steps have limits of their own, and this is all of them together. Where
 * nodes hand over, two more parts run on them.
 */
function limitMinutes(environment: CommandEnvironment): number {
  const minutes = (name: string): number => Number(environment[`SKYFLEET_${name}_MINUTES`] ?? 0);
  return minutes('CALL') + 3 * minutes('LAUNCH') + minutes('DRAIN') + minutes('DELETE');
}

/**
 * Runs the program of a command resource: short JSON on stdout, or a message on stderr and exit code 1. The message
 * carries no secret of the environment. The command ends with the Pulumi that it runs for, and is recorded meanwhile.
 *
 * @param command which one it is: submit, wait, delete, …
 */
export async function runCommand(
  command: string,
  program: (environment: CommandEnvironment) => Promise<unknown>,
): Promise<void> {
  const environment: CommandEnvironment = process.env;
  try {
    const stack = required(environment, 'SKYFLEET_STACK');
    const place = environment['SKYFLEET_PLACE'];
    const work = { command, stack, ...(place === undefined ? {} : { place }) };
    liveAsCommand(work, limitMinutes(environment), (reason) => complain(environment, reason));
    const result = await program(environment);
    if (result !== undefined) process.stdout.write(JSON.stringify(result));
  } catch (error) {
    complain(environment, error instanceof Error ? error.message : String(error));
    process.exitCode = 1;
  }
}
