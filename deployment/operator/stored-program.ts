import { bundleText } from './bundles';
import { fingerprint } from './shipped-files';

/*
 * Pulumi runs a delete command maybe from another machine, from a checkout of another version, or from none. So the state
 * carries the whole program. Pulumi hands each input of a command from process to process several times at every step, and
 * what the command printed far less often: where there are many commands, the program stands in what they print.
 */

const unpack = (packed: string): string =>
  `eval(require('zlib').brotliDecompressSync(Buffer.from(${packed},'base64'))+'')`;

/** The delete command of the stack, which carries its program. Node is handed it on standard input, not as an argument. */
export function releaseCommand(): string {
  return `node - <<'SKYFLEET_PROGRAM'\n${unpack(`'${bundleText('release')}'`)}\nSKYFLEET_PROGRAM\n`;
}

/** The delete command of a place, which runs the program that its submit command has printed. */
export const deleteCommand = `node -e "${unpack('JSON.parse(process.env.PULUMI_COMMAND_STDOUT).program')}"`;

/**
 * Fingerprint of the program that a place is deleted by. The submit command is told it, so that Pulumi runs it again, and it
 * prints the program anew, when that is another one.
 */
export const deleteProgramFingerprint = (): string => fingerprint(bundleText('delete'));
