import { parse } from 'yaml';
import { required, type CommandEnvironment } from './command-environment';
import { labelKeys } from './incarnation';
import type { SkyPilot } from './skypilot';
import { toYaml, withFiles, type SkyTask } from './task';

/** The variables that describe a launch, besides one for each shipped file. */
export interface LaunchVariables {
  /** YAML of the task, without its files. */
  SKYFLEET_TASK: string;
  /** YAML of the SkyPilot configuration of the launch. */
  SKYFLEET_SKYPILOT_CONFIG: string;
  /** JSON: path of each shipped file by the name of the variable that holds its text. */
  SKYFLEET_FILES: string;
}

function shippedFiles(environment: CommandEnvironment): Record<string, string> {
  const paths = JSON.parse(required(environment, 'SKYFLEET_FILES')) as Record<string, string>;
  return Object.fromEntries(
    Object.entries(paths).map(([variable, path]) => [path, required(environment, variable)]),
  );
}

/** The task as it is launched: with its files and the name of the incarnation. */
function launchedTask(environment: CommandEnvironment, incarnation: string): Record<string, unknown> {
  const task = withFiles(parse(required(environment, 'SKYFLEET_TASK')) as SkyTask, shippedFiles(environment));
  return {
    ...task,
    resources: {
      ...task.resources,
      labels: { ...task.resources.labels, [labelKeys.incarnation]: incarnation },
    },
    envs: { SKYFLEET_INCARNATION: incarnation },
  };
}

/**
 * Schedules the launch that the environment describes, under the name of an incarnation. A cluster of that name that is
 * there already is brought up to date.
 *
 * @returns SkyPilot's id of the request.
 */
export async function launch(
  sky: SkyPilot,
  environment: CommandEnvironment,
  incarnation: string,
): Promise<string> {
  const config = parse(required(environment, 'SKYFLEET_SKYPILOT_CONFIG')) as {
    aws: { labels: Record<string, string> };
  };
  config.aws.labels[labelKeys.incarnation] = incarnation;
  return sky.submitLaunch(incarnation, toYaml(launchedTask(environment, incarnation)), config);
}
