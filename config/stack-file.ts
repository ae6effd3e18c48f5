import * as fs from 'node:fs';

/** The stack that a file is the stack file of, by its name; undefined where it is none. */
export const stackOfFile = (file: string): string | undefined => /^Pulumi\.(.+)\.ya?ml$/.exec(file)?.[1];

/** The stacks that a folder has files of, by name. */
export const stacksWithFiles = (folder: string): string[] =>
  fs
    .readdirSync(folder)
    .flatMap((file) => stackOfFile(file) ?? [])
    .sort();
