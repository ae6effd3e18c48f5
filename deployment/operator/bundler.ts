import * as path from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { buildSync } from 'esbuild';
import { bundleName, commands, isStored, type OperatorCommand } from './bundles';

/**
 * The programs of the stack's commands, each as one text. All of them at once, because the bundler takes longer to start
 * than to build. Those that Pulumi is to store are packed here, once for all previews.
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
    bundles: new Map(
      outputFiles.map((output) => {
        const command = path.basename(output.path, '.js') as OperatorCommand;
        const text = output.text.trimEnd();
        return [bundleName(command), isStored(command) ? pack(text) : text];
      }),
    ),
  };
}

/** A text in a form that is small and can stand in any other. */
const pack = (text: string): string => brotliCompressSync(text).toString('base64');
