import { parse } from 'yaml';
import { canonicalText, differingInputs, type InputChange, type PlaceInputs } from '../config/change-classes';
import {
  nameOf,
  placeOfSubmit,
  type Preview,
  type PreviewState,
  type PreviewStep,
} from '../deployment/operator/preview';
import { changeText } from '../deployment/operator/place-plan';
import {
  appliedBy,
  standingIn,
  type RecordedCommand,
  type RecordedPlace,
} from '../deployment/operator/recorded-state';
import type { NodeReport } from '../deployment/operator/wait';
import { isKind, type OperationKind } from './model';

/** One place that an `up` would change. */
export interface PlaceChange {
  place: string;
  kind: OperationKind;
  /** Why, without the kind. */
  reason: string;
  changes: InputChange[];
  /** The nodes that stand there. */
  standing: NodeReport[];
  /** Nodes that are to stand there; none where the place goes. */
  nodes: number;
  submit: PreviewStep;
}

const commandType = 'command:local:Command';

/** Whether a step or a state is about one of the commands of a place. */
export const isOfPlace = ({ urn }: { urn: string }): boolean => urn.includes('skyfleet:sky:SkyCluster$');

/** The environment of a command. */
export function environmentOf(state: PreviewState | undefined): Record<string, unknown> {
  return (state?.inputs?.['environment'] ?? {}) as Record<string, unknown>;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

/** What was last applied to a place, by its wait command. */
function appliedIn(wait: PreviewStep | undefined): RecordedPlace['applied'] {
  const stdout = text(wait?.oldState?.outputs?.['stdout']);
  if (stdout === '') return undefined;
  return appliedBy({
    environment: environmentOf(wait?.oldState) as RecordedCommand['environment'],
    stdout,
  });
}

/** The inputs that differ from what was last applied, those of which nothing follows among them. */
function inputChanges(applied: RecordedPlace['applied'], wait: PreviewStep | undefined): InputChange[] {
  const wanted = text(environmentOf(wait?.newState)['SKYFLEET_APPLIED']);
  return applied?.inputs === undefined || wanted === ''
    ? []
    : differingInputs(applied.inputs, parse(wanted) as PlaceInputs, standingIn(applied));
}

/** The variable that tells the program by which a place is deleted. */
const programVariable = 'SKYFLEET_DELETE_PROGRAM';

/** What the variables of a command hold of which nothing runs on a node, in words; other variables go by their names. */
const variableNames: Readonly<Record<string, string>> = {
  SKYFLEET_TASK: 'the task of its next launch differs',
  SKYFLEET_SKYPILOT_CONFIG: 'the SkyPilot configuration of its next launch differs',
  SKYFLEET_NODE: 'node.json differs',
  // What the command that claims the server printed: known again once it has run.
  SKYFLEET_SERVER: 'its SkyPilot server is looked at again',
};

function differingVariables(before: Record<string, unknown>, after: Record<string, unknown>): string[] {
  return (
    [...new Set([...Object.keys(before), ...Object.keys(after)])]
      // The fingerprint of the inputs differs where they do, which are told themselves.
      .filter((name) => !['SKYFLEET_INPUTS', programVariable].includes(name) && before[name] !== after[name])
      .map((name) => variableNames[name] ?? `${name} differs`)
  );
}

/** Whether a command itself differs, or the program that it carries, and not only what it is told. */
function isOtherCommand(before: PreviewState | undefined, after: PreviewState | undefined): boolean {
  const [from, to] = [before, after].map((state) =>
    canonicalText({ ...state?.inputs, environment: environmentOf(state)[programVariable] }),
  );
  return from !== to;
}

/** The kind and the words of a reason such as `refresh: …`. */
function split(change: string): { kind: OperationKind; reason: string } {
  const [, kind = '', reason = ''] = /^([\w-]+): (.*)$/s.exec(change) ?? [];
  if (!isKind(kind)) throw new Error(`"${change}" is no reason that this version of the review knows`);
  return { kind, reason };
}

/** The places that an `up` would change, in the order of their names. */
export function placeChanges({ steps }: Preview): PlaceChange[] {
  const commands = steps.filter(
    (step) => isOfPlace(step) && (step.newState ?? step.oldState)?.type === commandType,
  );
  const waits = new Map(commands.map((step) => [nameOf(step.urn), step]));
  return commands
    .flatMap((submit): PlaceChange[] => {
      const place = placeOfSubmit(nameOf(submit.urn));
      if (place === undefined || submit.op === 'same') return [];
      const wait = waits.get(`${place}-wait`);
      const applied = appliedIn(wait);
      const standing = applied?.ready.nodes ?? [];
      if (submit.op === 'delete') {
        const reason = 'the place is removed';
        return [{ place, kind: 'scale', reason, changes: [], standing, nodes: 0, submit }];
      }
      const [before, after] = [environmentOf(submit.oldState), environmentOf(submit.newState)];
      const nodes = Number(after['SKYFLEET_NODES']);
      const differing = inputChanges(applied, wait);
      // Without a new generation, nothing of the place runs.
      if (before['SKYFLEET_GENERATION'] === after['SKYFLEET_GENERATION']) {
        const told = [...differing.map(changeText), ...differingVariables(before, after)];
        const isOther = told.length === 0 || isOtherCommand(submit.oldState, submit.newState);
        const what = [...told, ...(isOther ? ['its commands are of another version'] : [])];
        const reason = `${what.join(', ')}; nothing runs`;
        return [{ place, kind: 'none', reason, changes: differing, standing, nodes, submit }];
      }
      const { kind, reason } = split(text(after['SKYFLEET_CHANGE']));
      const changes = differing.filter((change) => change.class !== 'none');
      return [{ place, kind, reason, changes, standing, nodes, submit }];
    })
    .sort((a, b) => a.place.localeCompare(b.place, 'en', { numeric: true }));
}
