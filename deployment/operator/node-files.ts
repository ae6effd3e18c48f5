import * as fs from 'node:fs';
import * as path from 'node:path';

/** The room of everything that is shipped to a node. */
const nodeRoom = path.join(__dirname, '..', 'node');

/** Text of every file that is shipped to a node, by its path below `deployment/node/`, in the order of the paths. */
export function readNodeFiles(): Record<string, string> {
  const paths = fs
    .readdirSync(nodeRoom, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(nodeRoom, path.join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes('__pycache__'))
    .sort();
  return Object.fromEntries(paths.map((file) => [file, fs.readFileSync(path.join(nodeRoom, file), 'utf8')]));
}
