import { type Properties, isObject } from '../../../local/plugins/properties';

/** Documents by meaning, lists in an order of their own, absent members absent: what two answers are compared in. */
export function comparable(value: unknown, key = ''): unknown {
  if (typeof value === 'string' && (key.toLowerCase().endsWith('policy') || key === 'policy')) {
    return JSON.parse(value) as unknown;
  }
  if (Array.isArray(value)) {
    const items = value.map((item) => comparable(item));
    return items.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  }
  if (!isObject(value as Properties)) return value;
  const members = Object.entries(value as Properties).filter(
    ([, member]) => member !== undefined && member !== null,
  );
  return Object.fromEntries(members.map(([name, member]) => [name, comparable(member, name)]).sort());
}

export const without = (properties: Properties, keys: readonly string[] = []): Properties =>
  Object.fromEntries(
    Object.entries(properties).filter(([key, value]) => !keys.includes(key) && value !== undefined),
  );
