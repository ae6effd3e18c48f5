import * as fs from 'node:fs';
import * as path from 'node:path';
import { buildSync } from 'esbuild';
import { fingerprint } from './shipped-files';

/** The programs of `commands/` that the stack's commands run. */
const commands = ['claim', 'files', 'submit', 'wait', 'delete', 'release'] as const;
export type OperatorCommand = (typeof commands)[number];

const checkout = path.join(__dirname, '..', '..');

/** Beside this folder and not below it, so that `..` means the same in a bundle as in its sources. */
const folder = path.join(__dirname, '..', 'bundles');

let texts: ReadonlyMap<string, string> | undefined;

/** The whole program of a command, as one text that needs no other source. */
export function bundleText(command: OperatorCommand): string {
  texts ??= bundlesOf(checkout, folder);
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

/** What bundles were made from and what came of it: fingerprints by path, and by name. */
interface BundleRecord {
  sources: Record<string, string>;
  bundles: Record<string, string>;
}

const recordFile = 'sources.json';

/**
 * The text of every bundle by its file name. Those that are there already are taken where none of their sources has changed,
 * because the bundler takes longer to start than all of that.
 *
 * @param root folder to which the paths of the sources are relative.
 * @param kept folder in which bundles are kept.
 */
export function bundlesOf(root: string, kept: string): ReadonlyMap<string, string> {
  const known = keptBundles(root, kept);
  if (known !== undefined) return known;
  const { sources, bundles } = build(root);
  for (const [name, text] of bundles) ensureText(path.join(kept, name), text);
  const record: BundleRecord = {
    sources: Object.fromEntries(sources.map((file) => [file, fingerprintOf(path.join(root, file))])),
    bundles: Object.fromEntries([...bundles].map(([name, text]) => [name, fingerprint(text)])),
  };
  ensureText(path.join(kept, recordFile), JSON.stringify(record));
  return bundles;
}

const fingerprintOf = (file: string): string => fingerprint(fs.readFileSync(file, 'utf8'));

/** The bundles of an earlier run, as long as they and their sources are what they were; undefined where they are not. */
function keptBundles(root: string, kept: string): ReadonlyMap<string, string> | undefined {
  const file = path.join(kept, recordFile);
  if (!fs.existsSync(file)) return undefined;
  const { sources, bundles } = JSON.parse(fs.readFileSync(file, 'utf8')) as BundleRecord;
  const isSame = (at: string, print: string): boolean => fs.existsSync(at) && fingerprintOf(at) === print;
  const unchanged =
    Object.entries(sources).every(([source, print]) => isSame(path.join(root, source), print)) &&
    Object.entries(bundles).every(([name, print]) => isSame(path.join(kept, name), print)) &&
    commands.every((command) => `${command}.js` in bundles);
  if (!unchanged) return undefined;
  return new Map(
    Object.keys(bundles).map((name) => [name, fs.readFileSync(path.join(kept, name), 'utf8')] as const),
  );
}

/** All of them at once, because the bundler takes longer to start than to build. */
function build(root: string): { sources: string[]; bundles: Map<string, string> } {
  const { outputFiles, metafile } = buildSync({
    entryPoints: commands.map((command) => path.join(__dirname, 'commands', `${command}.ts`)),
    outdir: folder,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node20',
    // Libraries' ES modules, of which esbuild keeps only the parts in use.
    mainFields: ['module', 'main'],
    write: false,
    metafile: true,
    absWorkingDir: root,
  });
  return {
    sources: Object.keys(metafile.inputs),
    bundles: new Map(outputFiles.map((output) => [path.basename(output.path), output.text.trimEnd()])),
  };
}
