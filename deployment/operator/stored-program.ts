import * as path from 'node:path';
import { buildSync } from 'esbuild';

const texts = new Map<string, string>();

/**
 * A command line that carries its whole program, so that it still runs where there is no checkout, such as the delete
 * command that Pulumi keeps in its state. The program is handed to node on standard input, not as an argument.
 */
export function storedProgram(command: 'delete' | 'release'): string {
  const known = texts.get(command);
  if (known !== undefined) return known;
  const built = buildSync({
    entryPoints: [path.join(__dirname, 'commands', `${command}.ts`)],
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    // Libraries' ES modules, of which esbuild keeps only the parts in use.
    mainFields: ['module', 'main'],
    write: false,
  });
  const program = built.outputFiles[0]?.text.trimEnd() ?? '';
  const text = `node - <<'SKYFLEET_PROGRAM'\n${program}\nSKYFLEET_PROGRAM\n`;
  texts.set(command, text);
  return text;
}
