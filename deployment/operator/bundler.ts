import * as path from 'node:path';
import { buildSync } from 'esbuild';
import { commands } from './bundles';

/**
 * The programs of the stack's commands, each as one text. All of them at once, because the bundler takes longer to start
 * than to build.
 *
 * @param root folder to which the paths of the sources are relative.
 * @returns the paths of all sources, and the texts by file name.
 */
export function bundle(root: string): { sources: string[]; bundles: Map<string, string> } {
  const { outputFiles, metafile } = buildSync({
    entryPoints: commands.map((command) => path.join(__dirname, 'commands', `${command}.ts`)),
    // Nothing is written; the names of the outputs are made from it.
    outdir: root,
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
