/** Gives the tags of a resource: those of the stack, and its name. */
export type Tagged = (suffix: string) => Record<string, string>;

/** Tags of everything that a component makes, each with a `Name` of its own that begins with the component's. */
export function taggedAs(name: string, tags: Record<string, string> = {}): Tagged {
  return (suffix) => ({ ...tags, Name: `${name}-${suffix}` });
}
