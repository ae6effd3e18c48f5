import { createHash } from 'node:crypto';
import {
  canonicalText,
  changedInputs,
  hardest,
  type ChangeClass,
  type InputChange,
  type PlaceInputs,
} from '../../config/change-classes';
import type { Fault } from './observation';
import { standingIn, type RecordedPlace } from './recorded-state';

/** What the next `up` does to a place, and why. */
export interface PlacePlan {
  /** Raised by one whenever there is something to do; the submit command goes by it. */
  generation: number;
  /** The reason in words. Where there is nothing to do, what it was the last time. */
  change: string;
  /** The incarnation that served when the generation was raised; empty where none did. */
  serving: string;
  /** Whether there is something to do. */
  changes: boolean;
}

/** How the launch of a submission stands that no wait has followed to its end. */
export type LaunchState = 'under way' | 'succeeded' | 'failed';

/** What is known of a place when its next step is decided. */
export interface PlaceFacts {
  /** Nodes that the place is to have. */
  nodes: number;
  /** The inputs that it is to be made from. */
  wanted: PlaceInputs;
  /** The orchestrator's token; only compared. */
  token: string;
  /** What Pulumi recorded; undefined for a place that is new. */
  recorded: RecordedPlace | undefined;
  /** What is wrong with what is there. */
  faults: readonly Fault[];
  /** How the recorded launch stands, where it was not followed to its end. */
  launch: LaunchState | undefined;
}

/** A short fingerprint of a place's inputs. */
export function inputsFingerprint(inputs: PlaceInputs): string {
  return createHash('sha256').update(canonicalText(inputs)).digest('hex').slice(0, 16);
}

/** Decides what the next `up` does to a place. */
export function planPlace(facts: PlaceFacts): PlacePlan {
  const { recorded, nodes } = facts;
  if (recorded === undefined) {
    const change = `launch: a new place; ${counted(nodes, 'node')}`;
    return { generation: 1, change, serving: '', changes: true };
  }
  const { generation, change, serving } = recorded.submitted;
  const reason = recorded.finished ? reasonOf(facts, recorded) : unfinishedReason(facts, recorded);
  if (reason === undefined) return { generation, change, serving, changes: false };
  const served = recorded.applied?.ready.incarnation ?? '';
  return { generation: generation + 1, change: reason, serving: served, changes: true };
}

/** The inputs that differ from what was last applied, the token among them. */
function changesSince(
  { applied }: RecordedPlace,
  { wanted, token }: Pick<PlaceFacts, 'wanted' | 'token'>,
): InputChange[] {
  if (applied?.inputs === undefined) return [];
  const changes = changedInputs(applied.inputs, wanted, standingIn(applied));
  return applied.token === token
    ? changes
    : [...changes, { input: 'orchestratorToken', from: undefined, to: undefined, class: 'refresh' }];
}

function reasonOf(facts: PlaceFacts, recorded: RecordedPlace): string | undefined {
  if (recorded.applied?.inputs === undefined) {
    return `refresh: an earlier version has applied what it did not record; ${consequence('refresh', [], facts.nodes)}`;
  }
  const changes = changesSince(recorded, facts);
  const faults = facts.faults.map(({ text }) => text);
  const repair = faults.length === 0 ? undefined : `repair: ${faults.join('; ')}`;
  if (changes.length === 0) return repair;
  const change = changeReason(changes, facts.nodes);
  return repair === undefined ? change : `${change}; ${repair}`;
}

/** Why something has to be done for a place whose last launch was not followed to its end; undefined where it is joined. */
function unfinishedReason(facts: PlaceFacts, recorded: RecordedPlace): string | undefined {
  const { submission, inputs, token } = recorded.submitted;
  const same = inputs === inputsFingerprint(facts.wanted) && token === facts.token;
  if (same && facts.launch !== 'failed') return undefined;
  const changes = changesSince(recorded, facts);
  if (changes.length > 0) return changeReason(changes, facts.nodes);
  const before = recorded.applied?.ready.incarnation;
  if (same) return `repair: the launch of ${submission.incarnation} has failed; it is launched again`;
  return before === undefined
    ? `launch: the launch of ${submission.incarnation} was not finished, and the configuration has changed since; ${counted(facts.nodes, 'node')}`
    : `revert: the last change was not finished and is taken back; ${before} stays`;
}

/** The class of a place's change and what makes it so, in one line. */
export function changeReason(changes: readonly InputChange[], nodes: number): string {
  const found = hardest(changes.map((change) => change.class));
  // The hardest first: it is what the rest goes with.
  const shown = [...changes]
    .sort((a, b) => Number(b.class === found) - Number(a.class === found))
    .map(changeText);
  return `${found}: ${shown.join(', ')}; ${consequence(found, changes, nodes)}`;
}

function consequence(found: ChangeClass, changes: readonly InputChange[], nodes: number): string {
  const sized = changes.find(({ input }) => input === 'fleets[].nodesPerCluster');
  const [before, after] = [Number(sized?.from), Number(sized?.to)];
  switch (found) {
    case 'replace':
      return `${counted(nodes, 'node')} ${nodes === 1 ? 'restarts' : 'restart'} elsewhere`;
    case 'rebuild-workers':
      return `${counted(before - 1, 'worker')} ${before - 1 === 1 ? 'ends' : 'end'}, ${after - 1} ${after - 1 === 1 ? 'is' : 'are'} made anew`;
    case 'scale':
      return `${counted(after - before, 'node')} ${after - before === 1 ? 'is' : 'are'} added`;
    default:
      return `${counted(nodes, 'node')} ${nodes === 1 ? 'is' : 'are'} brought up to date in place`;
  }
}

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`;

/** How many changed files are named one by one. */
const namedFiles = 3;

/** A changed input in words, with its old and new values. */
export function changeText({ input, from, to }: InputChange): string {
  const name = input.replace(/^fleets\[\]\./, '');
  if (input === 'orchestratorToken') return `${name} changed`;
  if (input === 'files') return filesText(from as Record<string, string>, to as Record<string, string>);
  return `${name} ${valueText(from)} → ${valueText(to)}`;
}

function filesText(from: Record<string, string> = {}, to: Record<string, string> = {}): string {
  const changed = [...new Set([...Object.keys(from), ...Object.keys(to)])]
    .filter((file) => from[file] !== to[file])
    .sort();
  const named = changed.slice(0, namedFiles).join(', ');
  const more = changed.length - namedFiles;
  return `${named}${more > 0 ? ` and ${counted(more, 'other file')}` : ''} changed`;
}

/** Longer values are cut: a reason is one line. */
const longestValue = 120;

function valueText(value: unknown): string {
  const text = typeof value === 'string' ? value : value === undefined ? 'none' : canonicalText(value);
  const line = text.replace(/\s+/g, ' ');
  return line.length > longestValue ? `${line.slice(0, longestValue)}…` : line;
}
