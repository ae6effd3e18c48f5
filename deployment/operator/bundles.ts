import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import * as path from 'node:path';
import { fingerprint } from './shipped-files';

/** The programs of `commands/` that commands of the stack run from the checkout. */
const runCommands = ['claim', 'files', 'submit', 'wait'] as const;
export type RunCommand = (typeof runCommands)[number];

/** Those that run from Pulumi's state, where there may be no checkout (`stored-program.ts`). */
const storedCommands = ['delete', 'release'] as const;
export type StoredCommand = (typeof storedCommands)[number];

export const commands = [...runCommands, ...storedCommands] as const;
export type OperatorCommand = RunCommand | StoredCommand;

export const isStored = (command: OperatorCommand): command is StoredCommand =>
  (storedCommands as readonly string[]).includes(command);

/** Name of the file that holds the bundle of a command: a program for node, or a packed one. */
export const bundleName = (command: OperatorCommand): string =>
  `${command}.${isStored(command) ? 'packed' : 'js'}`;

const checkout = path.join(__dirname, '..', '..');

/** Beside this folder and not below it, so that `..` means the same in a bundle as in its sources. */
const folder = path.join(__dirname, '..', 'bundles');

let texts: ReadonlyMap<string, string> | undefined;

/** The whole program of a command, as one text that needs no other source; packed where it is to be stored. */
export function bundleText(command: OperatorCommand): string {
  texts ??= bundlesOf(checkout, folder);
  const text = texts.get(bundleName(command));
  if (text === undefined) throw new Error(`esbuild made no ${bundleName(command)}`);
  return text;
}

/** The same as it was last kept, for the programs that are bundles themselves: they take no look at the sources. */
export function keptBundle(command: OperatorCommand): string {
  return fs.readFileSync(path.join(folder, bundleName(command)), 'utf8');
}

const files = new Map<RunCommand, string>();

/**
 * The file that holds the whole program of a command, brought up to date with its sources. Node starts it in a fifth of
 * the time that it takes to compile the sources, and a stack runs two such programs for each place.
 */
export function bundleFile(command: RunCommand): string {
  const known = files.get(command);
  if (known !== undefined) return known;
  const file = path.join(folder, bundleName(command));
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
  /** None in the package, whose bundles were made from what is not in it. */
  sources: Record<string, string>;
  bundles: Record<string, string>;
}

const recordFile = 'sources.json';

/** The bundler, which is loaded where there is something to bundle, and is not in the package. */
const bundler = path.join(__dirname, 'bundler.ts');

/**
 * The text of every bundle by its file name. Those that are there already are taken where none of their sources has changed,
 * because the bundler takes longer to start than all of that.
 *
 * @param root folder to which the paths of the sources are relative.
 * @param kept folder in which bundles are kept.
 * @throws Error in a package where one of the bundles is missing or changed.
 */
export function bundlesOf(root: string, kept: string): ReadonlyMap<string, string> {
  const known = keptBundles(root, kept);
  if (known !== undefined) return known;
  if (!fs.existsSync(bundler)) {
    throw new Error(
      `${kept} is not as the package skyfleet was made; remove the package and install it again`,
    );
  }
  const { bundle } = createRequire(__filename)(bundler) as typeof import('./bundler');
  const { sources, bundles } = bundle(root);
  const prints = sources.map((file) => [file, fingerprintOf(path.join(root, file))]);
  keepBundles(kept, Object.fromEntries(prints) as BundleRecord['sources'], bundles);
  return bundles;
}

/** Writes bundles into a folder, with a record of what they were made from: fingerprints by path. */
export function keepBundles(
  kept: string,
  sources: BundleRecord['sources'],
  bundles: ReadonlyMap<string, string>,
): void {
  for (const [name, text] of bundles) ensureText(path.join(kept, name), text);
  const prints = [...bundles].map(([name, text]) => [name, fingerprint(text)]);
  const record: BundleRecord = { sources, bundles: Object.fromEntries(prints) as BundleRecord['bundles'] };
  ensureText(path.join(kept, recordFile), JSON.stringify(record));
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
    commands.every((command) => bundleName(command) in bundles);
  if (!unchanged) return undefined;
  return new Map(
    Object.keys(bundles).map((name) => [name, fs.readFileSync(path.join(kept, name), 'utf8')] as const),
  );
}
