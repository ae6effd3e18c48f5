import { relative } from 'node:path';

/**
 * The command line that runs a program with a `/tmp` of its own, which is a folder of the caller's.
 *
 * @param folder what the program sees as `/tmp`.
 * @param kept folders that the program must still find under their own names, also where they are below `/tmp`.
 */
export function withPrivateTmp(folder: string, kept: readonly string[], argv: readonly string[]): string[] {
  const below = kept.map((path) => relative('/tmp', path)).filter((path) => !path.startsWith('..'));
  const script = [
    'set -e',
    'for kept in $1; do mkdir -p "$0/$kept"; mount --bind "/tmp/$kept" "$0/$kept"; done',
    'mount --rbind "$0" /tmp',
    'shift',
    'exec "$@"',
  ].join('\n');
  const spaced = below.find((path) => /\s/.test(path));
  if (spaced !== undefined)
    throw new Error(`/tmp/${spaced}: a path with white space cannot be kept below /tmp`);
  return [
    ...['unshare', '--mount', '--propagation', 'private', 'sh', '-c', script, folder],
    below.join(' '),
    ...argv,
  ];
}
