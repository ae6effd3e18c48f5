/** Keys whose values another stack's outputs of the same name may give. */
export const sharedKeys = [
  'access',
  'orchestrator',
  'bacalhau',
  'sensor',
  'skypilot',
  'governance',
  'timeouts',
  'tags',
] as const;

const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A stack's own values, completed by the outputs of the stack that it shares. What is written in the stack file goes
 * before, property by property; of the ways of access there is one, so that one written here stands alone.
 */
export function withShared(
  own: Record<string, unknown>,
  outputs: Record<string, unknown>,
): Record<string, unknown> {
  const completed = sharedKeys.flatMap((key): [string, unknown][] => {
    const [written, given] = [own[key], outputs[key]];
    if (given === undefined) return [];
    if (written === undefined) return [[key, given]];
    if (!isMap(written) || !isMap(given)) return [];
    return [[key, key === 'access' && Object.keys(written).length > 0 ? written : { ...given, ...written }]];
  });
  return { ...own, ...Object.fromEntries(completed) };
}
