import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { cidr, ordinalRange } from './atoms';
import { cidrsOverlap } from './cidr';
import type { ConfigProblem } from './problem';
import type { OrdinalRange } from './schema';
import { stackOfFile } from './stack-file';

/**
 * What a stack claims for itself alone, checked against the other stack files of the project: two sensors with one
 * ordinal would carry one identity, and two VPCs with one address could never be joined.
 */
export type Claim = { stack: string; key: string } & (
  { kind: 'ordinals'; range: OrdinalRange } | { kind: 'cidr'; range: string }
);

function clash(one: Claim, other: Claim): boolean {
  if (one.kind === 'ordinals' && other.kind === 'ordinals') {
    return one.range.first <= other.range.last && other.range.first <= one.range.last;
  }
  return one.kind === 'cidr' && other.kind === 'cidr' && cidrsOverlap(one.range, other.range);
}

/** Pairs of claims that cannot both stand, each pair once. */
export function clashes(claims: readonly Claim[]): [Claim, Claim][] {
  return claims.flatMap((claim, index) =>
    claims
      .slice(index + 1)
      .filter((other) => clash(claim, other))
      .map((other): [Claim, Claim] => [claim, other]),
  );
}

/** What the values below `skyfleet:` claim; values that are wrong in themselves are left to other checks. */
export function claimsOf(stack: string, values: Record<string, unknown>): Claim[] {
  const network = values['network'] as { cidr?: unknown } | null | undefined;
  const vpc = cidr.safeParse(network?.cidr);
  const fleets = Array.isArray(values['fleets']) ? (values['fleets'] as unknown[]) : [];
  return [
    ...(vpc.success ? [{ stack, kind: 'cidr' as const, key: 'skyfleet:network.cidr', range: vpc.data }] : []),
    ...fleets.flatMap((fleet, index) => {
      const range = ordinalRange.safeParse((fleet as { ordinals?: unknown } | null)?.ordinals);
      const key = `skyfleet:fleets[${index}].ordinals`;
      return range.success ? [{ stack, kind: 'ordinals' as const, key, range: range.data }] : [];
    }),
  ];
}

/** The claims that one stack file makes. */
export function claimsOfStackFile(stack: string, text: string): Claim[] {
  const document = parse(text) as { config?: Record<string, unknown> } | null;
  const config = document?.config ?? {};
  return claimsOf(stack, { network: config['skyfleet:network'], fleets: config['skyfleet:fleets'] });
}

const textOf = ({ kind, range }: Claim): string => (kind === 'cidr' ? range : `${range.first}–${range.last}`);

/**
 * The claims of a stack that another fleet of it or another stack file of the project makes too.
 *
 * @param projectDir folder with the `Pulumi.<stack>.yaml` files.
 */
export function claimProblems(
  projectDir: string,
  stack: string,
  values: Record<string, unknown>,
): ConfigProblem[] {
  const others = fs.readdirSync(projectDir).flatMap((file) => {
    const name = stackOfFile(file);
    return name === undefined || name === stack
      ? []
      : claimsOfStackFile(name, fs.readFileSync(path.join(projectDir, file), 'utf8'));
  });
  return clashes([...claimsOf(stack, values), ...others])
    .filter(([claim]) => claim.stack === stack)
    .map(([claim, other]) => ({
      key: claim.key,
      value: claim.range,
      message: `overlaps ${other.key} of stack ${other.stack} (${textOf(other)}); give each its own range`,
    }));
}
