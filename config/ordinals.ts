import * as fs from 'node:fs';
import * as path from 'node:path';
import { parse } from 'yaml';
import { ConfigError } from './parse';
import { ordinalRange, type OrdinalRange } from './schema';

/** A range of sensor ordinals and who claims it. */
export interface OrdinalClaim {
  stack: string;
  /** The key as the user wrote it, such as `skyfleet:fleets[0].ordinals`. */
  key: string;
  range: OrdinalRange;
}

/** Pairs of claims that share an ordinal, each pair once. */
export function overlappingClaims(claims: readonly OrdinalClaim[]): [OrdinalClaim, OrdinalClaim][] {
  return claims.flatMap((claim, index) =>
    claims
      .slice(index + 1)
      .filter((other) => claim.range.first <= other.range.last && other.range.first <= claim.range.last)
      .map((other): [OrdinalClaim, OrdinalClaim] => [claim, other]),
  );
}

/** The claims that one stack file makes; entries that are not ranges are left to that stack's own checks. */
export function claimsOfStackFile(stack: string, text: string): OrdinalClaim[] {
  const document = parse(text) as { config?: Record<string, unknown> } | null;
  const fleets = document?.config?.['skyfleet:fleets'];
  if (!Array.isArray(fleets)) return [];
  return fleets.flatMap((fleet: unknown, index) => {
    const range = ordinalRange.safeParse((fleet as { ordinals?: unknown } | null)?.ordinals);
    return range.success ? [{ stack, key: `skyfleet:fleets[${index}].ordinals`, range: range.data }] : [];
  });
}

/**
 * Refuses ordinals that another fleet or another stack of this project claims too: two sensors would
 * carry one identity.
 *
 * @param projectDir folder with the `Pulumi.<stack>.yaml` files.
 * @throws ConfigError naming both claims.
 */
export function refuseSharedOrdinals(
  projectDir: string,
  stack: string,
  fleets: readonly { ordinals: OrdinalRange }[],
): void {
  const own = fleets.map((fleet, index) => ({
    stack,
    key: `skyfleet:fleets[${index}].ordinals`,
    range: fleet.ordinals,
  }));
  const others = fs.readdirSync(projectDir).flatMap((file) => {
    const name = /^Pulumi\.(.+)\.ya?ml$/.exec(file)?.[1];
    return name === undefined || name === stack
      ? []
      : claimsOfStackFile(name, fs.readFileSync(path.join(projectDir, file), 'utf8'));
  });
  const clashes = overlappingClaims([...own, ...others]).filter(([claim]) => claim.stack === stack);
  if (clashes.length > 0) {
    throw new ConfigError(
      clashes.map(([claim, other]) => ({
        key: claim.key,
        value: claim.range,
        message: `overlaps ${other.key} of stack ${other.stack} (${other.range.first}–${other.range.last}); give each its own range`,
      })),
    );
  }
}
