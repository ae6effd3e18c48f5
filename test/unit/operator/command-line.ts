import { spawn } from 'node:child_process';
import { bundleText } from '../../../deployment/operator/bundles';

/** The mark that the stack has left on its server. */
export const mark = '0a1b2c3d';

/** The environment that Pulumi hands to every command of a place. */
export function placeEnvironment(folder: string, endpoint: string): Record<string, string> {
  return {
    PATH: `${folder}:${process.env['PATH'] ?? ''}`,
    SKYFLEET_PLACE: 'sensors-0',
    SKYFLEET_STACK: 'org/skyfleet/dev',
    SKYFLEET_REGION: 'us-west-2',
    SKYFLEET_NODES: '1',
    SKYFLEET_LAUNCH_MINUTES: '0.2',
    SKYFLEET_DELETE_MINUTES: '0.2',
    SKYFLEET_DRAIN_MINUTES: '0',
    SKYFLEET_CALL_MINUTES: '1',
    SKYFLEET_BUCKET: 'data',
    SKYFLEET_BUCKET_PREFIX: 'fleets/sensors/',
    XDG_STATE_HOME: folder,
    SKYFLEET_SKYPILOT_ENDPOINT: endpoint,
    SKYFLEET_SERVER: JSON.stringify({ mark }),
  };
}

/** What Pulumi hands to the commands of a place of which a submission is recorded. */
export const submitted = (submission: object): Record<string, string> => ({
  PULUMI_COMMAND_STDOUT: JSON.stringify({ ...submission, program: bundleText('delete') }),
});

/** Runs a command line to its end, as Pulumi does. */
export function runLine(
  line: string,
  env: Record<string, string>,
  input = '',
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn('/bin/sh', ['-c', line], { env, stdio: ['pipe', 'pipe', 'pipe'] });
  child.stdin.end(input);
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (data: Buffer) => (stdout += data.toString()));
  child.stderr.on('data', (data: Buffer) => (stderr += data.toString()));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}
