import { parse } from 'yaml';
import { required, skyPilotOf, type CommandEnvironment } from './command-environment';
import { chooseIncarnation, labelKeys, parseSubmission, type Submission } from './incarnation';
import { toYaml, withFiles, type SkyTask } from './task';

/** Prefix of the variables that carry the shipped files; `SKYFLEET_FILES` maps each to its path. */
function shippedFiles(environment: CommandEnvironment): Record<string, string> {
  const paths = JSON.parse(required(environment, 'SKYFLEET_FILES')) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(paths).map(([variable, path]) => [path, required(environment, variable)]),
  );
}

/** What the run part of a node finds in its environment, besides what SkyPilot puts there. */
export function runEnvironment(
  incarnation: string,
  token: string,
): { envs: Record<string, string>; secrets: Record<string, string> } {
  return { envs: { SKYFLEET_INCARNATION: incarnation }, secrets: { BACALHAU_COMPUTE_AUTH_TOKEN: token } };
}

/** The task as it is launched: with its files, the name of the incarnation, and the token as a SkyPilot secret. */
export function launchTask(
  task: SkyTask,
  files: Record<string, string>,
  incarnation: string,
  token: string,
): Record<string, unknown> {
  const named = withFiles(task, files);
  return {
    ...named,
    resources: {
      ...named.resources,
      labels: { ...named.resources.labels, [labelKeys.incarnation]: incarnation },
    },
    ...runEnvironment(incarnation, token),
  };
}

/** Schedules the launch of what is to stand in a place, and returns at once. */
export async function submit(environment: CommandEnvironment): Promise<Submission> {
  const sky = skyPilotOf(environment);
  await sky.checkServer();
  const recorded = parseSubmission(environment['PULUMI_COMMAND_STDOUT']);
  const wanted = {
    stack: required(environment, 'SKYFLEET_STACK'),
    place: required(environment, 'SKYFLEET_PLACE'),
    machine: required(environment, 'SKYFLEET_MACHINE'),
  };
  const { incarnation, retiring } = chooseIncarnation(await sky.status(), wanted, recorded?.incarnation);
  const task = launchTask(
    parse(required(environment, 'SKYFLEET_TASK')) as SkyTask,
    shippedFiles(environment),
    incarnation,
    required(environment, 'BACALHAU_COMPUTE_AUTH_TOKEN'),
  );
  const config = parse(required(environment, 'SKYFLEET_SKYPILOT_CONFIG')) as {
    aws: { labels: Record<string, string> };
  };
  config.aws.labels[labelKeys.incarnation] = incarnation;
  return { incarnation, requestId: await sky.submitLaunch(incarnation, toYaml(task), config), retiring };
}
