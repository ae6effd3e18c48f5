import { structured } from '../../config/stack-config';
import { parse } from 'yaml';
import type { SkyfleetConfig } from '../../config/schema';
import { labelKeys } from '../../deployment/operator/incarnation';
import type { NodeSettings } from '../../deployment/operator/node-settings';
import {
  isKnown,
  nameOf,
  secretMark,
  type Preview,
  type PreviewState,
} from '../../deployment/operator/preview';
import type { SkyTask } from '../../deployment/operator/task';
import type { Cost } from '../cost/cost';
import { environmentOf } from '../places';
import type { Side, SkyConfig } from '../sides';

/** A resource as it is to be. */
export interface PlannedResource {
  name: string;
  /** Type by Pulumi. */
  type: string;
  inputs: Record<string, unknown>;
  /** Names of the resources that each of its properties is taken from. */
  from: Record<string, string[]>;
}

/** A place as it is to be. */
export interface PlannedPlace {
  place: string;
  task: SkyTask;
  skypilot: SkyConfig;
  /** What its nodes are told; undefined where it is not known before the `up`. */
  settings: NodeSettings | undefined;
}

/** A stack as it is to be: what the rules look at. */
export interface Plan {
  region: string;
  /** The tag that everything of the stack carries, as key and value. */
  stackTag: readonly [string, string];
  resources: PlannedResource[];
  places: PlannedPlace[];
  /** The shipped files by path. */
  files: Record<string, string>;
  /** The configuration by key; without the values of secrets. */
  config: Record<string, unknown>;
  governance: Pick<SkyfleetConfig['governance'], 'regions' | 'requiredTags' | 'budget'>;
  cost: Cost;
}

/** What the program says that a review goes by (`components/reviewed.ts`). */
export interface Reviewed {
  stack: string;
  governance: SkyfleetConfig['governance'];
}

/**
 * Finds it among the resources as they are to be.
 *
 * @throws Error where the program does not say it.
 */
export function reviewedOf({ resources }: Side): Reviewed {
  const state = resources.find(
    ({ urn, type }) =>
      type === 'command:local:Command' &&
      urn.includes('skyfleet:review:Reviewed$') &&
      urn.endsWith('-reviewed'),
  );
  const { SKYFLEET_STACK: stack, SKYFLEET_GOVERNANCE: governance } = environmentOf(state);
  if (typeof stack !== 'string' || typeof governance !== 'string') {
    throw new Error(
      'the program does not say what it is reviewed by: it must declare the component Reviewed',
    );
  }
  return { stack, governance: parse(governance) as SkyfleetConfig['governance'] };
}

function plannedResource({
  urn,
  type,
  inputs = {},
  propertyDependencies = {},
}: PreviewState): PlannedResource {
  const from = Object.entries(propertyDependencies).map(([property, urns]): [string, string[]] => [
    property,
    urns.map(nameOf),
  ]);
  return { name: nameOf(urn), type, inputs, from: Object.fromEntries(from) };
}

function settingsOf(node: unknown): NodeSettings | undefined {
  return typeof node === 'string' && isKnown(node) ? (JSON.parse(node) as NodeSettings) : undefined;
}

/**
 * The plan that a preview shows.
 *
 * @param files the shipped files by path.
 */
export function planOf(
  { config }: Preview,
  { resources, places }: Side,
  { stack, governance }: Reviewed,
  { files, cost, region }: Pick<Plan, 'files' | 'cost' | 'region'>,
): Plan {
  return {
    region,
    stackTag: [labelKeys.stack, stack],
    resources: resources.map(plannedResource),
    places: places.map(({ place, task, skypilot, node }) => ({
      place,
      task,
      skypilot,
      settings: settingsOf(node),
    })),
    files,
    config: Object.fromEntries(
      Object.entries(config)
        .filter(([, text]) => text !== secretMark)
        .map(([key, text]) => [key, structured(text)]),
    ),
    governance,
    cost,
  };
}
