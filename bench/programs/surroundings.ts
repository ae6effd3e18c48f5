/** What a measured program is told by its environment. */
export function given(name: 'BENCH_COUNT' | 'BENCH_ENDPOINT' | 'BENCH_SCRIPT'): string {
  const value = process.env[name];
  if (value === undefined) throw new Error(`${name} is missing in the environment of the program`);
  return value;
}
