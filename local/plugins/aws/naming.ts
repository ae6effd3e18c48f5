import { createHash, randomBytes } from 'node:crypto';
import type { Properties } from '../properties';
import { UNKNOWN } from '../properties';
import type { Autoname } from './resource-type';

/** Names the real provider's way: which inputs were defaulted stands beside them, and holds from check to check. */
const DEFAULTS = '__defaults';

export function isAutonamed(inputs: Properties, property: string): boolean {
  const defaults = inputs[DEFAULTS];
  return Array.isArray(defaults) && defaults.includes(property);
}

/**
 * Adds the name where the program gives none: the one that `olds` got, else the Pulumi name, a dash and seven hex
 * digits. These come from the engine's seed, so that the name of a saved plan is the name that is then made.
 */
export function withName(
  autoname: Autoname,
  pulumiName: string,
  olds: Properties,
  news: Properties,
  seed: Uint8Array,
): Properties {
  const { property, prefixProperty, maxLength, lowerCase } = autoname;
  const given = (value: unknown): boolean => value !== undefined && value !== null;
  if (given(news[property]) || given(news[prefixProperty])) return { ...news, [DEFAULTS]: [] };
  if (isAutonamed(olds, property)) return { ...news, [property]: olds[property], [DEFAULTS]: [property] };
  const base = lowerCase ? pulumiName.toLowerCase() : pulumiName;
  const name = `${base}-${hexDigits(seed, base)}`;
  if (name.length > maxLength) {
    throw new Error(
      `${property}: "${name}", made of the resource's name, is ${name.length} characters long, and ${maxLength} ` +
        `are allowed: give ${property} or a shorter resource name`,
    );
  }
  return { ...news, [property]: name, [DEFAULTS]: [property] };
}

function hexDigits(seed: Uint8Array, base: string): string {
  const source = seed.length > 0 ? createHash('sha256').update(seed).update(base).digest() : randomBytes(8);
  return source.toString('hex').slice(0, 7);
}

let made = 0;

/** `PREFIX`, the time and a count, 26 digits in all: unique and in the order of creation. */
export function prefixedName(prefix: string): string {
  const time = new Date().toISOString().replace(/\D/g, '').padEnd(18, '0');
  made += 1;
  return `${prefix}${time}${made.toString(16).padStart(8, '0')}`;
}

/**
 * Two things of one name cannot stand side by side, so a resource whose name the program fixed is deleted before
 * it is made anew.
 */
export function nameStands(autoname: Autoname | undefined, olds: Properties, news: Properties): boolean {
  if (autoname === undefined) return false;
  const name = news[autoname.property];
  return (
    typeof name === 'string' &&
    name !== UNKNOWN &&
    name === olds[autoname.property] &&
    !isAutonamed(news, autoname.property)
  );
}
