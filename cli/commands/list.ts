import { readFleet, type Fleet } from '../fleet/fleet';
import { byPlace, isWell, type FleetNode } from '../fleet/nodes';
import { codeOfSeen, seeNodes, tellUnseen } from '../fleet/seen';
import { ageText, jsonText, tableText } from '../output';
import { concluded, sideBySide, valuesOf } from '../side-by-side';
import { whileSpinning } from '../spinner';
import { stacksOf, type StackChoice } from '../stacks';

export interface ListOptions extends StackChoice {
  json: boolean;
}

/** A place of a stack, with what stands in it. */
export interface ListedPlace {
  /** Full name of the stack. */
  stack: string;
  place: string;
  /** Name of what stands in it; null where nothing does. */
  incarnation: string | null;
  /** SkyPilot's status of it; null where it knows none, or was not asked. */
  skypilot: string | null;
  nodes: number;
  /** How many of them are what they should be. */
  well: number;
  region: string;
  /** When the oldest of its instances was launched, in ISO 8601; null where none is there. */
  since: string | null;
  /** Whether the last change of it was carried through. */
  finished: boolean;
}

/** The places of a fleet with what stands in each. */
export function listPlaces(
  { stack, region, places }: Pick<Fleet, 'stack' | 'region' | 'places'>,
  nodes: readonly FleetNode[],
): ListedPlace[] {
  return [...places].sort(byPlace).map(({ place, applied, finished }) => {
    const own = nodes.filter((node) => node.place === place && node.node !== null);
    const [since] = own.flatMap((node) => node.since ?? []).sort();
    return {
      ...{ stack, place, region, finished },
      incarnation: applied?.ready.incarnation ?? null,
      skypilot: own[0]?.skypilot ?? null,
      nodes: own.length,
      well: own.filter(isWell).length,
      since: since ?? null,
    };
  });
}

function listText(places: readonly ListedPlace[], now: number): string {
  if (places.length === 0) return 'no places\n';
  const head = ['stack', 'place', 'cluster', 'skypilot', 'nodes', 'region', 'since', ''];
  const rows = places.map((one) => [
    one.stack.split('/').at(-1) ?? '',
    one.place,
    one.incarnation ?? '-',
    one.skypilot ?? '-',
    `${one.well} of ${one.nodes} well`,
    one.region,
    ageText(one.since ?? undefined, now),
    one.finished ? '' : 'its last change was not carried through',
  ]);
  return tableText(head, rows);
}

/** Lists the places of stacks. */
export async function list(options: ListOptions): Promise<number> {
  const stacks = await stacksOf(options);
  const outcomes = await whileSpinning(`looking at the places of ${stacks.join(', ')}`, () =>
    sideBySide(stacks, async (stack) => {
      const fleet = await readFleet(stack);
      const { nodes, unseen } = await seeNodes(fleet);
      return { places: listPlaces(fleet, nodes), unseen };
    }),
  );
  tellUnseen(outcomes);
  const places = valuesOf(outcomes).flatMap(({ value }) => value.places);
  process.stdout.write(options.json ? jsonText(places) : listText(places, Date.now()));
  return concluded(outcomes, codeOfSeen);
}
