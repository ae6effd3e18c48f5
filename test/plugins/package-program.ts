/** The package as `npm pack` makes it, in the `node_modules` of a program outside of the repository. */
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const checkout = path.resolve(__dirname, '../..');

/** What `npm pack` needs of the checkout; a build beside the sources would be in the way of whoever works there. */
const packed = [
  ...['bin', 'cli', 'components', 'config', 'deployment', 'docs', 'examples', 'migration'],
  ...['packaging', 'review'],
  ...['package.json', 'tsconfig.json', 'tsconfig.package.json', '.npmrc'],
  ...['README.md', 'LICENSE', 'CHANGELOG.md'],
];

interface Manifest {
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
}

/** A package that has been packed. */
export interface Package {
  /** Paths of the files in it. */
  files: string[];
  tarball: string;
  remove(): Promise<void>;
}

/** Packs a copy of the checkout, by `npm pack` and nothing else. */
export async function pack(): Promise<Package> {
  const folder = await mkdtemp(path.join(tmpdir(), 'skyfleet-package-'));
  const copy = path.join(folder, 'checkout');
  for (const part of packed) {
    await cp(path.join(checkout, part), path.join(copy, part), { recursive: true });
  }
  await symlink(path.join(checkout, 'node_modules'), path.join(copy, 'node_modules'));
  const env = {
    ...process.env,
    npm_config_update_notifier: 'false',
    npm_config_cache: path.join(folder, 'cache'),
  };
  const { stdout } = await run('npm', ['pack', '--pack-destination', folder], { cwd: copy, env });
  const tarball = path.join(folder, stdout.trim().split('\n').at(-1) ?? '');
  const listed = await run('tar', ['--list', '--file', tarball]);
  return {
    files: listed.stdout
      .trim()
      .split('\n')
      .map((file) => file.replace(/^package\//, ''))
      .sort(),
    tarball,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/**
 * Puts an example's program into a folder outside of the repository, as somebody would who has run `npm install` there:
 * the package, what it says that it depends on, and what the program itself needs.
 */
export async function programOf(example: string, { tarball }: Package): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), `skyfleet-${example}-`));
  await cp(path.join(checkout, 'examples', example), folder, { recursive: true });
  const modules = path.join(folder, 'node_modules');
  const installed = path.join(modules, 'skyfleet');
  await mkdir(installed, { recursive: true });
  await run('tar', ['--extract', '--file', tarball, '--directory', installed, '--strip-components', '1']);
  const manifest = JSON.parse(await readFile(path.join(installed, 'package.json'), 'utf8')) as Manifest;
  const needed = [
    ...Object.keys(manifest.dependencies),
    ...Object.keys(manifest.peerDependencies),
    ...['typescript', 'tsx', '@types/node'],
  ];
  for (const name of needed) {
    const link = path.join(modules, name);
    await mkdir(path.dirname(link), { recursive: true });
    await symlink(path.join(checkout, 'node_modules', name), link);
  }
  await mkdir(path.join(modules, '.bin'));
  await symlink('../skyfleet/bin/skyfleet.mjs', path.join(modules, '.bin', 'skyfleet'));
  await writeFile(path.join(folder, 'package.json'), JSON.stringify({ name: example, private: true }));
  return folder;
}
