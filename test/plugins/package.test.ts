import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { findCommand } from '../../local/tools/host';
import { type Home, ourHome } from './binaries';
import { pack, programOf, type Package } from './package-program';

/** The package in programs outside of the repository, under the real Pulumi CLI. */

jest.setTimeout(600_000);

let home: Home | undefined;
let made: Package;
/** Folder of each example's program. */
const programs: Record<string, string> = {};
const examples = ['own-program', 'existing-vpc'];

/** What the programs and the CLI are run with: nothing of the checkout, and no net. */
function environment(folder: string): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PATH: `${path.join(folder, 'bin')}:${process.env['PATH'] ?? ''}`,
    PULUMI_HOME: home?.home,
    PULUMI_BACKEND_URL: `file://${path.join(folder, 'backend')}`,
    PULUMI_CONFIG_PASSPHRASE: 'test',
    PULUMI_SKIP_UPDATE_CHECK: 'true',
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: 'true',
    npm_config_offline: 'true',
    npm_config_update_notifier: 'false',
  };
}

function run(example: string, ...argv: [string, ...string[]]) {
  const folder = programs[example] ?? '';
  const [command, ...args] = argv;
  const options = { cwd: folder, env: environment(folder), encoding: 'utf8', maxBuffer: 2 ** 28 } as const;
  return spawnSync(command, args, options);
}

function succeed(example: string, ...argv: [string, ...string[]]): string {
  const { status, stdout, stderr } = run(example, ...argv);
  if (status !== 0) throw new Error(`${argv.join(' ')} ended with ${String(status)}:\n${stderr}\n${stdout}`);
  return stdout;
}

/** Makes a program's stack `dev`, as its reader would. */
function initStack(example: string): void {
  const folder = programs[example] ?? '';
  for (const part of ['bin', 'backend']) mkdirSync(path.join(folder, part));
  const host = findCommand('pulumi-language-nodejs');
  if (host === undefined) throw new Error('put pulumi and its Node language host on PATH');
  // An older host is handed no runtime options by the CLI, so it gets those of Pulumi.yaml as arguments.
  const launcher = `#!/bin/sh\nexec '${host}' -typescript=false '-nodeargs=--import tsx' "$@"\n`;
  writeFileSync(path.join(folder, 'bin', 'pulumi-language-nodejs'), launcher, { mode: 0o755 });
  succeed(example, 'pulumi', 'stack', 'init', 'dev', '--non-interactive');
  succeed(example, 'pulumi', 'config', 'set', '--secret', 'skyfleet:orchestratorToken', 'planted-token');
  for (const [key, value] of Object.entries({
    accessKey: 'a',
    secretKey: 's',
    skipCredentialsValidation: 'true',
  }))
    succeed(example, 'pulumi', 'config', 'set', `aws:${key}`, value);
}

beforeAll(async () => {
  home = await ourHome();
  made = await pack();
  for (const example of examples) {
    programs[example] = await programOf(example, made);
    initStack(example);
  }
});

afterAll(async () => {
  for (const folder of Object.values(programs)) rmSync(folder, { recursive: true, force: true });
  await made.remove();
  await home?.remove();
});

describe('the package', () => {
  const matching = (pattern: RegExp): string[] => made.files.filter((file) => pattern.test(file));

  test('holds what is compiled, what that reads, and what there is to read, and nothing else', () => {
    const known =
      /^(dist|docs|examples)\/|^(bin\/skyfleet\.mjs|package\.json|README\.md|LICENSE|CHANGELOG\.md)$/;
    expect(made.files.filter((file) => !known.test(file))).toEqual([]);
    expect(made.files).toEqual(
      expect.arrayContaining([
        'dist/components/index.js',
        'dist/components/index.d.ts',
        'dist/cli/skyfleet.js',
        'dist/deployment/bundles/submit.js',
        'dist/deployment/node/scripts/run.sh',
        'dist/review/cost/prices.yaml',
        'docs/reference.md',
      ]),
    );
  });

  test('holds no sources, tests, stack files of the project or leavings', () => {
    expect(matching(/\.ts$/).filter((file) => !/\.d\.ts$|^examples\//.test(file))).toEqual([]);
    expect(matching(/(^|\/)(test|local|bench|packaging|node_modules|__pycache__)\//)).toEqual([]);
    expect(matching(/^Pulumi\.|\.(test|map|tgz)\b|(^|\/)\./)).toEqual([]);
  });

  test('points at files that are there, and leaves the SDK to the program', () => {
    const manifest = JSON.parse(
      readFileSync(path.join(programs['own-program'] ?? '', 'node_modules/skyfleet/package.json'), 'utf8'),
    ) as { main: string; types: string; dependencies: object; peerDependencies: object };
    expect(made.files).toEqual(expect.arrayContaining([manifest.main, manifest.types]));
    expect(Object.keys(manifest.peerDependencies)).toEqual([
      '@pulumi/aws',
      '@pulumi/command',
      '@pulumi/pulumi',
    ]);
    expect(Object.keys(manifest.dependencies).filter((name) => name.startsWith('@pulumi/'))).toEqual([]);
  });
});

/** What the compiler finds wrong with a program and with the declarations of the package. */
function typeErrors(example: string, moduleResolution: 'node16' | 'node10'): string[] {
  const folder = programs[example] ?? '';
  const { options, errors } = ts.convertCompilerOptionsFromJson(
    {
      target: 'ES2022',
      module: moduleResolution === 'node16' ? 'node16' : 'commonjs',
      moduleResolution,
      strict: true,
      noEmit: true,
      types: ['node'],
      preserveSymlinks: false,
    },
    folder,
  );
  const host = ts.createCompilerHost(options);
  host.getCurrentDirectory = () => folder;
  const program = ts.createProgram([path.join(folder, 'index.ts')], options, host);
  const own = program.getSourceFiles().filter(({ fileName }) => fileName.startsWith(folder));
  expect(own.length).toBeGreaterThan(10);
  // Of the files that are not the package's, the whole of the SDK above all, somebody else is the judge.
  const found = own.flatMap((file) => [
    ...program.getSyntacticDiagnostics(file),
    ...program.getSemanticDiagnostics(file),
  ]);
  return [...errors, ...program.getOptionsDiagnostics(), ...found].map(({ file, messageText }) =>
    [file?.fileName, ts.flattenDiagnosticMessageText(messageText, '\n')].join(': '),
  );
}

describe('a program of its own', () => {
  test.each(examples)('%s is of the right types, and so is the package', (example) => {
    expect(typeErrors(example, 'node16')).toEqual([]);
  });

  test("types are found by Pulumi's own template too, which does not know exports", () => {
    expect(typeErrors('own-program', 'node10')).toEqual([]);
  });

  test('names of the package can be imported from ES modules', () => {
    const module =
      "import { declareStack, Network } from 'skyfleet'; console.log(typeof declareStack, Network.name)";
    expect(succeed('own-program', process.execPath, '--input-type=module', '--eval', module)).toBe(
      'function Network\n',
    );
  });

  test('lists the commands of skyfleet', () => {
    expect(succeed('own-program', 'npx', 'skyfleet', '--help')).toContain('review');
  });

  test('that declares a whole stack is reviewed by the command of the package', () => {
    const { stdout, stderr } = run('own-program', 'npx', 'skyfleet', 'review', '--stack', 'dev', '--json');
    if (!stdout.startsWith('{')) throw new Error(stderr);
    const { stacks } = JSON.parse(stdout) as { stacks: { operations: object[] }[] };
    expect(stacks[0]?.operations).toEqual([
      expect.objectContaining({ kind: 'launch', places: ['sensors-0', 'sensors-1', 'sensors-2'] }),
    ]);
  });

  test('that uses components by themselves is previewed, and runs the commands of the package', () => {
    const preview = JSON.parse(
      succeed('existing-vpc', 'pulumi', 'preview', '--json', '--non-interactive', '--stack', 'dev'),
    ) as { steps: { newState?: { urn: string; type: string; inputs?: { create?: string } } }[] };
    const states = preview.steps.flatMap(({ newState }) => newState ?? []);
    expect(states.filter(({ type }) => type.startsWith('aws:ec2/'))).toEqual([]);
    const submit = states.find(({ urn }) => urn.endsWith('::plant-0-submit'))?.inputs?.create ?? '';
    expect(submit).toBe('node node_modules/skyfleet/dist/deployment/bundles/submit.js');
    expect(run('existing-vpc', '/bin/sh', '-c', submit)).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('is missing in the environment of the command') as string,
    });
  });

  test('is told where a file of the package was changed', () => {
    const bundle = path.join(
      programs['own-program'] ?? '',
      'node_modules/skyfleet/dist/deployment/bundles/wait.js',
    );
    expect(existsSync(bundle)).toBe(true);
    writeFileSync(bundle, 'of another hand');
    const use = "require('./node_modules/skyfleet/dist/deployment/operator/bundles.js').bundleText('wait')";
    expect(run('own-program', process.execPath, '--eval', use).stderr).toContain(
      'is not as the package skyfleet was made; remove the package and install it again',
    );
  });
});
