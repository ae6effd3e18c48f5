import { brotliCompressSync } from 'node:zlib';
import { bundleText } from './bundles';

const commands = new Map<string, string>();

/**
 * A command line that carries its whole program, so that it still runs where there is no checkout, such as the delete
 * command that Pulumi keeps in its state. The program is handed to node on standard input, not as an argument.
 *
 * It is compressed: every place carries it, and Pulumi keeps it twice and hands it from process to process at each step.
 */
export function storedProgram(command: 'delete' | 'release'): string {
  const known = commands.get(command);
  if (known !== undefined) return known;
  const packed = brotliCompressSync(bundleText(command)).toString('base64');
  const program = `eval(require('zlib').brotliDecompressSync(Buffer.from('${packed}','base64'))+'')`;
  const line = `node - <<'SKYFLEET_PROGRAM'\n${program}\nSKYFLEET_PROGRAM\n`;
  commands.set(command, line);
  return line;
}
