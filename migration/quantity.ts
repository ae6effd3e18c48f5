/** An amount as SkyPilot writes it: `4`, `"4+"` (at least) or, of memory and disks, `"16GB"`. */
export interface Quantity {
  /** The least whole number that is enough; memory and disks in GiB. */
  value: number;
  /** Whether more will do as well. */
  atLeast: boolean;
}

/**
 * Reads an amount (`cpus`, `memory` and `disk_size` in https://docs.skypilot.co/en/latest/reference/yaml-spec.html);
 * undefined where it is none. SkyPilot counts in GiB where it writes GB.
 */
export function parseQuantity(text: string | number): Quantity | undefined {
  const [, number, unit = '', plus] = /^(\d+(?:\.\d+)?)\s*([GT]i?B?)?(\+)?$/i.exec(String(text)) ?? [];
  if (number === undefined) return undefined;
  const value = Math.ceil(Number(number) * (unit.toUpperCase().startsWith('T') ? 1024 : 1));
  return value > 0 ? { value, atLeast: plus !== undefined } : undefined;
}

/** An accelerator as SkyPilot writes it: `T4`, `T4:2` or `{ T4: 2 }`; undefined where it is none, or several. */
export function parseAccelerator(
  written: string | Readonly<Record<string, number | null>>,
): Record<string, number> | undefined {
  if (typeof written === 'string') {
    const [, name, count = '1'] = /^([A-Za-z][\w.-]*)(?::(\d+))?$/.exec(written) ?? [];
    return name === undefined ? undefined : { [name]: Number(count) };
  }
  const [first, ...others] = Object.entries(written);
  return first === undefined || others.length > 0 ? undefined : { [first[0]]: first[1] ?? 1 };
}
