import * as fs from 'node:fs';
import * as path from 'node:path';
import { buildSync } from 'esbuild';

/** The programs of `commands/` that the stack's commands run. */
const commands = ['claim', 'files', 'submit', 'wait', 'delete', 'release'] as const;
export type OperatorCommand = (typeof commands)[number];

/** Beside this folder and not below it, so that `..` means the same in a bundle as in its sources. */
const folder = path.join(__dirname, '..', 'bundles');

let texts: ReadonlyMap<string, string> | undefined;

/** The whole program of a command, as one text that needs no other source. */
export function bundleText(command: OperatorCommand): string {
  texts ??= build();
  const text = texts.get(`${command}.js`);
  if (text === undefined) throw new Error(`esbuild made no ${command}.js`);
  return text;
}

const files = new Map<OperatorCommand, string>();

/**
 * The file that holds the whole program of a command, brought up to date with its sources. Node starts it in a fifth of
 * the time that it takes to compile the sources, and a stack runs two such programs for each place.
 */
export function bundleFile(command: OperatorCommand): string {
  const known = files.get(command);
  if (known !== undefined) return known;
  const file = path.join(folder, `${command}.js`);
  ensureText(file, bundleText(command));
  files.set(command, file);
  return file;
}

/** Makes a file hold a text, and leaves one alone that does. */
export function ensureText(file: string, text: string): void {
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  // Renamed into place: another stack of this checkout may be starting the program just now.
  const aside = `${file}.${process.pid}`;
  fs.writeFileSync(aside, text);
  fs.renameSync(aside, file);
}

/** All of them at once, because the bundler takes longer to start than to build. */
function build(): ReadonlyMap<string, string> {
  const { outputFiles } = buildSync({
    entryPoints: commands.map((command) => path.join(__dirname, 'commands', `${command}.ts`)),
    outdir: folder,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    // Libraries' ES modules, of which esbuild keeps only the parts in use.
    mainFields: ['module', 'main'],
    write: false,
  });
  return new Map(outputFiles.map((output) => [path.basename(output.path), output.text.trimEnd()]));
}
