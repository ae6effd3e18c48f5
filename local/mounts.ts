import { readFileSync } from 'node:fs';
import { run } from './command';

/** The kernel writes blanks and backslashes in a mount table as octal numbers. */
export function unescapeMount(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(parseInt(octal, 8)));
}

/** The mount points at or below the folders, the innermost first: the order to unmount them in. */
export function mountPointsBelow(mountinfo: string, folders: readonly string[]): string[] {
  return mountinfo
    .split('\n')
    .map((line) => unescapeMount(line.split(' ')[4] ?? ''))
    .filter((point) => folders.some((folder) => point === folder || point.startsWith(`${folder}/`)))
    .reverse();
}

export function mountsBelow(folders: readonly string[]): string[] {
  return mountPointsBelow(readFileSync('/proc/self/mountinfo', 'utf8'), folders);
}

/** Unmounts everything at or below the folders. */
export async function unmountBelow(folders: readonly string[]): Promise<void> {
  // A detached mount disappears with its last user, and the folder below it can be removed at once.
  for (const point of mountsBelow(folders)) await run(['umount', '--lazy', point]);
}
