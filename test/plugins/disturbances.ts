import { readNodeFiles } from '../../deployment/operator/node-files';
import {
  isKnown,
  nameOf,
  placeOfSubmit,
  type Preview,
  type PreviewState,
  type PreviewStep,
} from '../../deployment/operator/preview';
import { configRenderer } from '../../review/bacalhau-config';
import { readPrices } from '../../review/cost/prices';
import type { Operation, StackReview } from '../../review/model';
import { environmentOf, isOfPlace } from '../../review/places';
import { reviewStack } from '../../review/review';
import { operationText } from '../../review/text';

/** Whether a step makes, changes or ends something: all but commands, which say themselves what they run. */
function isDisturbing({ op, newState, oldState }: PreviewStep): boolean {
  const type = (newState ?? oldState)?.type ?? '';
  // Pulumi's own record of which plugin it uses, which a newer SDK has made anew.
  if (op === 'same' || type.startsWith('pulumi:providers:')) return false;
  return op !== 'update' || type !== 'command:local:Command';
}

/** Whether nodes get the files of the new version, which is what an upgrade may do to them. */
const bringsFiles = ({ kind, changes }: Operation): boolean =>
  kind === 'refresh' && changes.length > 0 && changes.every(({ input }) => input === 'files');

/** The places that their next launch would find of other machines, and replace, though nothing of them was changed. */
function estranged({ steps }: Preview): string[] {
  return steps.filter(isOfPlace).flatMap(({ urn, oldState, newState }) => {
    const place = placeOfSubmit(nameOf(urn));
    const machineIn = (state: typeof oldState): unknown => environmentOf(state)['SKYFLEET_MACHINE'];
    return place === undefined || machineIn(oldState) === machineIn(newState)
      ? []
      : [`${place}: the key of its machines differs`];
  });
}

/**
 * The places whose wait command would run again, though nothing is launched there: each asks AWS for its tags, to no end.
 * What is not known yet comes from commands that print again what they have printed.
 */
function waitingAgain({ steps }: Preview): string[] {
  const commands = new Map(steps.filter(isOfPlace).map((step) => [nameOf(step.urn), step]));
  return [...commands].flatMap(([name, submit]) => {
    const place = placeOfSubmit(name);
    const wait = commands.get(`${place ?? ''}-wait`);
    if (place === undefined || wait?.op !== 'update') return [];
    const generationIn = (state: PreviewState | undefined): unknown =>
      environmentOf(state)['SKYFLEET_GENERATION'];
    if (generationIn(submit.oldState) !== generationIn(submit.newState)) return [];
    const [before, after] = [environmentOf(wait.oldState), environmentOf(wait.newState)];
    const differing = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
      (variable) => isKnown(after[variable]) && before[variable] !== after[variable],
    );
    if (wait.oldState?.inputs?.['create'] !== wait.newState?.inputs?.['create'])
      differing.push('its program');
    return differing.length === 0
      ? []
      : [`${place}: its wait command runs again, because of ${differing.join(', ')}`];
  });
}

/** What the project's own review says of a preview. */
export const reviewOf = (stack: string, preview: Preview): StackReview =>
  reviewStack(stack, preview, {
    files: readNodeFiles(),
    prices: readPrices(),
    catalog: undefined,
    renderConfig: configRenderer(),
  });

/**
 * What an upgrade may not do to a stack whose configuration stays, in words: anything to AWS, anything to nodes but bring
 * the new version's files to them, and anything that would come of it later.
 */
export function disturbances(stack: string, preview: Preview): string[] {
  const { operations } = reviewOf(stack, preview);
  return [
    ...preview.steps.filter(isDisturbing).map(({ op, urn }) => `${op} ${nameOf(urn)}`),
    ...operations.filter((one) => one.kind !== 'none' && !bringsFiles(one)).map(operationText),
    ...estranged(preview),
    ...waitingAgain(preview),
  ];
}
