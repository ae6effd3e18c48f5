import { bundleText } from './bundles';

/**
 * A command line that carries its whole program, so that it still runs where there is no checkout, such as the delete
 * command that Pulumi keeps in its state. The program is handed to node on standard input, not as an argument.
 */
export function storedProgram(command: 'delete' | 'release'): string {
  return `node - <<'SKYFLEET_PROGRAM'\n${bundleText(command)}\nSKYFLEET_PROGRAM\n`;
}
