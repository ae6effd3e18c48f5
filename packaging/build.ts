import { spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { bundle } from '../deployment/operator/bundler';
import { keepBundles } from '../deployment/operator/bundles';

/**
 * Makes `dist/`, what is published: the compiled components and commands, and beside them what they read while they run,
 * where they look for it. `npm pack` runs this before it packs.
 */

const checkout = path.join(__dirname, '..');
const dist = path.join(checkout, 'dist');

/** What is read at run time, by paths relative to the compiled files. */
const readAtRunTime = ['deployment/node', 'review/cost/prices.yaml'];

function compile(): void {
  const tsc = [require.resolve('typescript/bin/tsc'), '--project', 'tsconfig.package.json'];
  const { status } = spawnSync(process.execPath, tsc, { cwd: checkout, stdio: 'inherit' });
  if (status !== 0) throw new Error('the components do not compile; see above');
}

fs.rmSync(dist, { recursive: true, force: true });
compile();
for (const part of readAtRunTime) {
  fs.cpSync(path.join(checkout, part), path.join(dist, part), {
    recursive: true,
    filter: (file) => !file.includes('__pycache__'),
  });
}
// A package does not change, so there are no sources to hold its bundles to.
keepBundles(path.join(dist, 'deployment', 'bundles'), {}, bundle(checkout).bundles);
