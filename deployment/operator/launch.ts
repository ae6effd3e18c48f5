import { parse } from 'yaml';
import { required, type CommandEnvironment } from './command-environment';
import { labelKeys } from './incarnation';
import { managedJobName } from './managed-jobs';
import { runEnvironment, type RunWay } from './node-task';
import type { SkyPilot } from './skypilot';
import { toYaml, withFiles, type SkyTask } from './task';

/** The variables that describe a launch, besides the files that every node of the fleet gets. */
export interface LaunchVariables {
  /** YAML of the task, without its files. */
  SKYFLEET_TASK: string;
  /** YAML of the SkyPilot configuration of the launch. */
  SKYFLEET_SKYPILOT_CONFIG: string;
  /** Text of the place's `node.json`. */
  SKYFLEET_NODE: string;
}

/** What a launch is to do besides bringing machines up. */
export interface LaunchWay extends RunWay {
  /** As a managed job. */
  managed: boolean;
  /** The cluster is there with another number of nodes. */
  resize: boolean;
}

/** The files of a node: those that every node of the fleet gets, and its settings. */
export function shippedFiles(
  environment: CommandEnvironment,
  files: Record<string, string>,
): Record<string, string> {
  return { ...files, 'node.json': required(environment, 'SKYFLEET_NODE') };
}

/** The task as it is launched: with its files and the name of the incarnation. */
export function launchedTask(
  environment: CommandEnvironment,
  files: Record<string, string>,
  way: RunWay,
): Record<string, unknown> {
  const task = withFiles(
    parse(required(environment, 'SKYFLEET_TASK')) as SkyTask,
    shippedFiles(environment, files),
  );
  return {
    ...task,
    resources: {
      ...task.resources,
      labels: { ...task.resources.labels, [labelKeys.incarnation]: way.incarnation },
    },
    envs: runEnvironment(way),
  };
}

/** The SkyPilot configuration of the launch. */
export function launchedConfig(
  environment: CommandEnvironment,
  incarnation: string,
): Record<string, unknown> {
  const config = parse(required(environment, 'SKYFLEET_SKYPILOT_CONFIG')) as {
    aws: { labels: Record<string, string> };
  };
  config.aws.labels[labelKeys.incarnation] = incarnation;
  return config;
}

/**
 * Brings a cluster that is up to a smaller number of nodes, and runs nothing on it.
 *
 * @returns SkyPilot's id of the request.
 */
export async function shrink(
  sky: SkyPilot,
  environment: CommandEnvironment,
  incarnation: string,
): Promise<string> {
  const way = { incarnation, standby: false, repair: false };
  const { name, num_nodes, resources } = launchedTask(environment, {}, way);
  const config = launchedConfig(environment, incarnation);
  return sky.submitLaunch(incarnation, toYaml({ name, num_nodes, resources }), config, {
    resize: true,
    noSetup: true,
  });
}

/**
 * Schedules the launch that the environment describes. A cluster of that name that is there already is brought up to
 * date; a managed job is submitted anew.
 *
 * @param files what every node of the fleet gets.
 * @returns SkyPilot's id of the request.
 */
export async function launch(
  sky: SkyPilot,
  environment: CommandEnvironment,
  files: Record<string, string>,
  way: LaunchWay,
): Promise<string> {
  const task = launchedTask(environment, files, way);
  const config = launchedConfig(environment, way.incarnation);
  if (way.managed) {
    const name = managedJobName(way.incarnation, {
      stack: required(environment, 'SKYFLEET_STACK'),
      machine: required(environment, 'SKYFLEET_MACHINE'),
    });
    // SkyPilot takes the task's own name for that of the job.
    return sky.submitManagedJob(name, toYaml({ ...task, name }), config);
  }
  return sky.submitLaunch(way.incarnation, toYaml(task), config, { resize: way.resize });
}
