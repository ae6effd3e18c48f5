import { createHash } from 'node:crypto';

/** Fingerprint of a text, short enough to stand beside many others. */
export function fingerprint(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 12);
}

/** Fingerprint of each file by its path. */
export function fileFingerprints(files: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(files).map(([file, text]) => [file, fingerprint(text)]));
}

/** One fingerprint for all files together, whatever their order. */
export function filesFingerprint(files: Record<string, string>): string {
  const lines = Object.entries(fileFingerprints(files)).map(([file, print]) => `${print} ${file}\n`);
  return fingerprint(lines.sort().join(''));
}

/** The variable that shows a file's text in a preview. */
export function fileVariable(file: string): string {
  return `FILE_${file.replace(/[^A-Za-z0-9]/g, '_')}`;
}

/** The files whose text is not the one that a preview has shown. */
export function changedFiles(
  files: Record<string, string>,
  environment: Record<string, string | undefined>,
): string[] {
  return Object.keys(files).filter((file) => environment[fileVariable(file)] !== files[file]);
}
