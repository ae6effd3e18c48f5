import type { CommandEnvironment } from './command-environment';
import { parseSubmission } from './incarnation';
import { launchedConfig, launchedTask } from './launch';
import { isKnown, nameOf, parsePreview, placeOfSubmit, secretMark } from './preview';
import { toYaml } from './task';

/** The submit command of a place, as a preview shows it. */
export interface PlannedPlace {
  place: string;
  environment: Record<string, unknown>;
  /** What the command printed when it last ran; undefined for a place that is new. */
  stdout: string | undefined;
}

/** What `sky launch` takes for one place. */
export interface RenderedPlace {
  place: string;
  /** Name of the cluster: the recorded incarnation, or for a new place its name with `-new` behind it. */
  cluster: string;
  /** YAML of the task. */
  task: string;
  /** YAML of the SkyPilot configuration (`--config`). */
  config: string;
  /** Shipped files in whose place the task holds `notKnownYet`. */
  notKnown: string[];
}

/** Stands for the text of a file that is known only after the first `pulumi up`. */
export const notKnownYet = 'known only after the first pulumi up\n';

/** What a preview does with a resource that is there afterwards. */
const standing = new Set(['same', 'create', 'update', 'create-replacement']);

/**
 * The places that a preview leaves standing, by name.
 *
 * @param json what `pulumi preview --json` printed.
 * @throws Error with what the preview complains of.
 */
export function plannedPlaces(json: string): PlannedPlace[] {
  return parsePreview(json)
    .steps.flatMap(({ op, newState, oldState }): PlannedPlace[] => {
      const place = placeOfSubmit(nameOf(newState?.urn ?? ''));
      if (!standing.has(op) || newState?.type !== 'command:local:Command' || place === undefined) return [];
      const stdout = oldState?.outputs?.['stdout'];
      return [
        {
          place,
          environment: (newState.inputs?.['environment'] ?? {}) as Record<string, unknown>,
          stdout: typeof stdout === 'string' ? stdout : undefined,
        },
      ];
    })
    .sort((a, b) => (a.place < b.place ? -1 : 1));
}

const launchVariables = ['SKYFLEET_TASK', 'SKYFLEET_SKYPILOT_CONFIG'];
const nodeVariable = 'SKYFLEET_NODE';

/**
 * The files that launch a place with SkyPilot's own command: the very task and configuration that the submit command
 * sends.
 *
 * @param files what every node of the fleet gets.
 * @throws Error where the task itself, and not only `node.json`, is known only after the first `up`, and where any of it
 *   is a secret.
 */
export function renderPlace(
  { place, environment, stdout }: PlannedPlace,
  files: Record<string, string>,
): RenderedPlace {
  if (launchVariables.some((variable) => !isKnown(environment[variable]))) {
    throw new Error(
      `${place}: its task names resources that AWS has not made yet; render it again after the first pulumi up`,
    );
  }
  const secret = [...launchVariables, nodeVariable].find((name) => environment[name] === secretMark);
  if (secret !== undefined) {
    throw new Error(`${place}: ${secret} is a secret, so that its task cannot be rendered`);
  }
  const known = isKnown(environment[nodeVariable]);
  const complete = {
    ...(environment as CommandEnvironment),
    ...(known ? {} : { [nodeVariable]: notKnownYet }),
  };
  const cluster = parseSubmission(stdout)?.incarnation ?? `${place}-new`;
  const managed = environment['SKYFLEET_RECOVERY'] === 'managed';
  // The order's id is drawn when the job is submitted.
  const way = { incarnation: cluster, standby: false, repair: true, ...(managed ? { order: 'launch' } : {}) };
  return {
    place,
    cluster,
    task: toYaml(launchedTask(complete, files, way)),
    config: toYaml(launchedConfig(complete, cluster)),
    notKnown: known ? [] : ['node.json'],
  };
}
