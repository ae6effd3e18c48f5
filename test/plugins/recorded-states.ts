import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

/** The states that released versions have recorded (`recorded-states/README.md`). */

const folder = path.join(__dirname, 'recorded-states');

/** What a version has recorded of a stack. */
export interface RecordedStateFile {
  /** Version of the package. */
  version: string;
  /** Name of the stack. */
  stack: string;
  /** What `pulumi stack export --show-secrets` printed, without what encrypts secrets. */
  state: string;
  /** The stack file that it was made from, without the secrets. */
  stackFile: string;
}

/** All of them. */
export function recordedStates(): RecordedStateFile[] {
  const versions = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return versions.flatMap(({ name: version }) =>
    readdirSync(path.join(folder, version))
      .filter((file) => file.endsWith('.json'))
      .map((file) => {
        const stack = path.basename(file, '.json');
        const text = (name: string): string => readFileSync(path.join(folder, version, name), 'utf8');
        return { version, stack, state: text(file), stackFile: text(`Pulumi.${stack}.yaml`) };
      }),
  );
}
