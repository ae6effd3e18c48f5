const numeric = new Intl.Collator('en', { numeric: true });

/** The numbers of a version as a program prints it: `3.250.0` of `v3.250.0`; undefined where it names none. */
export const versionIn = (text: string): string | undefined => /\d+(\.\d+)+/.exec(text)?.[0];

/** Whether a version such as `3.250.0` is another one, or newer. */
export const atLeast = (version: string, least: string): boolean => numeric.compare(version, least) >= 0;
