import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../command';
import { inputsHash } from '../tools/cache';

/** The machine image of the emulated account's instances, in the storage that buildInstanceImage makes. */
export const INSTANCE_IMAGE = 'localhost/skyfleet/instance:latest';
/** A small Debian with Python, its YAML module and certificates, in the same storage: a base for images of nodes. */
export const PYTHON_BASE = 'localhost/skyfleet/debian:python';

const INSTANCE_BASE = 'localhost/skyfleet/debian:instance';
/** SkyPilot's runtime wants a Python that ray 2.9.3 was built for; bookworm's 3.11 is the newest of them. */
const DEBIAN = 'bookworm';
const PYTHON_BASE_PACKAGES = ['ca-certificates', 'python3', 'python3-yaml', 'tzdata'];
const SOURCES = join(__dirname, 'instance');

/** An image that nodes find in their engine, because no registry can be reached from there. */
export interface NodeImage {
  /** Repository and tag, as compose files and jobs name it. */
  name: string;
  containerfile: string;
  context: string;
  buildArgs?: Record<string, string>;
  /** The files that it is made of, for the cache. */
  inputs: readonly string[];
}

/** Bacalhau's image: the static program, at its usual place under its usual name. */
export function bacalhauImage(program: string, version: string): NodeImage {
  const containerfile = join(__dirname, 'bacalhau', 'Containerfile');
  return {
    name: `ghcr.io/bacalhau-project/bacalhau:v${version}`,
    containerfile,
    context: dirname(program),
    inputs: [containerfile],
  };
}

/** Names what buildInstanceImage makes; `pythonEnvironment` is told apart by its path. */
export function instanceImageKey(pythonEnvironment: string): string {
  const sources = readdirSync(SOURCES).sort();
  return `instance-${inputsHash(
    [__filename, ...sources.map((name) => join(SOURCES, name))],
    pythonEnvironment,
  )}`;
}

/** Names what buildEngineSeed makes. A program in an image's context is told apart by the context's path. */
export function engineSeedKey(instanceImageKey: string, images: readonly NodeImage[]): string {
  const described = images.map(({ name, context, buildArgs }) => JSON.stringify([name, context, buildArgs]));
  return `engine-${inputsHash(
    images.flatMap(({ inputs }) => [...inputs]),
    instanceImageKey,
    ...described,
  )}`;
}

/** Runs podman with a storage of its own; ends by leaving no mount and no file outside `graphRoot`. */
async function withPodman<T>(
  graphRoot: string,
  imageStores: readonly string[],
  work: (podman: (...args: string[]) => Promise<string>) => Promise<T>,
): Promise<T> {
  // podman refuses a run root of more than 50 characters.
  const runtime = mkdtempSync('/run/skyfleet-build-');
  const containersConf = join(runtime, 'containers.conf');
  const storageConf = join(runtime, 'storage.conf');
  writeFileSync(
    containersConf,
    `[containers]
# Root without CAP_SYS_RESOURCE cannot raise the limits that podman asks for by default.
default_ulimits = ["nofile=1024:1024", "nproc=4096:4096"]

[engine]
cgroup_manager = "cgroupfs"
runtime = "runc"
events_logger = "none"
lock_type = "file"
tmp_dir = "${runtime}/libpod"

[network]
network_backend = "netavark"
network_config_dir = "${runtime}/networks"
`,
  );
  writeFileSync(
    storageConf,
    `[storage]
driver = "overlay"
graphroot = "${graphRoot}"
runroot = "${runtime}/containers"

[storage.options]
additionalimagestores = [${imageStores.map((store) => `"${store}"`).join(', ')}]

[storage.options.overlay]
# Otherwise podman binds the storage onto itself, and the mount stays.
skip_mount_home = "true"
`,
  );
  const env = { ...process.env, CONTAINERS_CONF: containersConf, CONTAINERS_STORAGE_CONF: storageConf };
  try {
    return await work((...args) => run(['podman', ...args], { env }));
  } finally {
    // A container that ends just now may still be writing its last file there.
    rmSync(runtime, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

/** Package sources and certificates of the machine that builds, for the packages that go into the image. */
async function writeBuildEnvironment(inputs: string, python: string): Promise<void> {
  const names = /^(https?_proxy|no_proxy|all_proxy|PIP_.*|UV_.*)$/i;
  // Folders and files of the builder do not exist in the chroot of the build.
  const local = /^(PIP_CERT|PIP_FIND_LINKS|PIP_CACHE_DIR|PIP_CONFIG_FILE|UV_CACHE_DIR|UV_PYTHON.*)$/;
  const variables = Object.entries(process.env).filter(([name]) => names.test(name) && !local.test(name));
  const index = await run([python, '-m', 'pip', 'config', 'get', 'global.index-url']).catch(() => '');
  const mirror = process.env.PIP_INDEX_URL ?? index.trim();
  if (mirror) variables.push(['PIP_INDEX_URL', mirror], ['UV_DEFAULT_INDEX', mirror]);
  const certificates = [
    process.env.SSL_CERT_FILE,
    process.env.PIP_CERT,
    '/etc/ssl/certs/ca-certificates.crt',
  ].find((file) => file !== undefined && existsSync(file));
  if (certificates !== undefined) {
    copyFileSync(certificates, join(inputs, 'certificates.pem'));
    for (const name of ['SSL_CERT_FILE', 'PIP_CERT']) variables.push([name, '/inputs/certificates.pem']);
  }
  const quote = (value: string) => `'${value.replaceAll("'", `'\\''`)}'`;
  const lines = variables.map(([name, value]) => `export ${name}=${quote(value ?? '')}\n`);
  writeFileSync(join(inputs, 'environment'), lines.join(''));
}

/**
 * SkyPilot's server installs on a node the wheel that it makes of itself, unless the node has one of the same hash.
 * It is made once, here, for both: the server would need a package index to make it, and would get another hash.
 */
async function buildSkyPilotWheel(python: string, home: string): Promise<string> {
  const program = 'from sky.backends import wheel_utils; print(wheel_utils.build_sky_wheel()[0])';
  const env = { ...process.env, HOME: home };
  const printed = await run([python, '-c', program], { env });
  // Besides the one in its home, it leaves a copy in the temporary folder for the caller.
  rmSync(printed.trim().split('\n').at(-1) ?? '', { recursive: true });
  return join(home, '.sky', 'wheels');
}

/** Makes a Debian root of the given packages; the archive's keys and the mirror are mmdebstrap's own defaults. */
async function debianRoot(variant: string, packages: readonly string[], archive: string): Promise<void> {
  const without = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/locale/*'];
  await run(
    [
      'mmdebstrap',
      `--variant=${variant}`,
      `--include=${packages.join(',')}`,
      ...without.map((path) => `--dpkgopt=path-exclude=${path}`),
      DEBIAN,
      archive,
    ],
    // Its scratch folder stays behind where it is killed: below the build's own folder it goes with that.
    { env: { ...process.env, TMPDIR: dirname(archive) } },
  );
}

const instancePackages = () =>
  readFileSync(join(SOURCES, 'packages.txt'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

export interface InstanceImageBuild {
  /** An empty folder. Afterwards it holds `store` (podman's storage, for use as an additional image store) and `wheels`
   * (SkyPilot's wheel by its hash, for the `.sky/wheels` of the server's home). */
  folder: string;
  /** Python of the environment that SkyPilot's server is run from. */
  python: string;
}

/** Makes the instances' machine image, from Debian's archive and a Python package index alone. */
export async function buildInstanceImage({ folder, python }: InstanceImageBuild): Promise<void> {
  const work = join(folder, 'work');
  const inputs = join(work, 'inputs');
  mkdirSync(inputs, { recursive: true });
  const archives = { instance: join(work, 'instance.tar'), python: join(work, 'python.tar') };
  const [wheels] = await Promise.all([
    buildSkyPilotWheel(python, join(work, 'home')),
    writeBuildEnvironment(inputs, python),
    debianRoot('minbase', instancePackages(), archives.instance),
    debianRoot('essential', PYTHON_BASE_PACKAGES, archives.python),
  ]);
  cpSync(wheels, join(folder, 'wheels'), { recursive: true });
  cpSync(wheels, join(inputs, 'wheel'), { recursive: true });
  for (const file of ['install-skypilot.sh', 'uv.lock', 'skypilot-runtime.lock']) {
    copyFileSync(join(SOURCES, file), join(inputs, file));
  }
  await withPodman(join(folder, 'store'), [], async (podman) => {
    await podman('import', '--quiet', archives.python, PYTHON_BASE);
    await podman('import', '--quiet', archives.instance, INSTANCE_BASE);
    const build = ['build', '--quiet', '--isolation', 'chroot', '--layers=false', '--format', 'docker'];
    await podman(...build, '--volume', `${inputs}:/inputs:ro`, '--tag', INSTANCE_IMAGE, SOURCES);
  });
  rmSync(work, { recursive: true });
}

export interface EngineSeedBuild {
  /** An empty folder. Afterwards it holds what a node's engine starts with: the emulator's `--engine-seed`. */
  folder: string;
  /** `store` of buildInstanceImage. */
  imageStore: string;
  images: readonly NodeImage[];
}

/** Makes the images of nodes and puts them into the storage of an engine, with the digests that a pull would leave. */
export async function buildEngineSeed({ folder, imageStore, images }: EngineSeedBuild): Promise<void> {
  const work = `${folder}.work`;
  const archives = join(work, 'archives');
  mkdirSync(archives, { recursive: true });
  await withPodman(join(work, 'storage'), [imageStore], async (podman) => {
    const digests: string[] = [];
    for (const [index, image] of images.entries()) {
      const buildArgs = Object.entries(image.buildArgs ?? {}).flatMap(([name, value]) => [
        '--build-arg',
        `${name}=${value}`,
      ]);
      await podman(
        ...[
          'build',
          '--quiet',
          '--isolation',
          'chroot',
          '--layers=false',
          '--format',
          'docker',
          ...buildArgs,
        ],
        ...['--file', image.containerfile, '--tag', image.name, image.context],
      );
      const archive = join(archives, `${index}.tar`);
      await podman('save', '--quiet', '--format', 'docker-archive', '--output', archive, image.name);
      const digest = await podman('image', 'inspect', '--format', '{{.Digest}}', image.name);
      const [repository = '', tag = ''] = image.name.split(/:(?=[^/]*$)/);
      digests.push(`${repository} ${tag} ${digest.trim()}\n`);
    }
    writeFileSync(join(work, 'digests'), digests.join(''));
    await podman(
      ...['run', '--rm', '--privileged', '--network', 'none', '--tmpfs', '/run', '--log-driver', 'none'],
      ...['--volume', `${work}:/seed:ro`, '--volume', `${folder}:/var/lib/docker`],
      ...['--volume', `${SOURCES}:/sources:ro`, '--entrypoint', '/usr/bin/tini', INSTANCE_IMAGE],
      ...['--', 'sh', '/sources/seed-engine.sh', '/seed/archives', '/seed/digests'],
    );
  });
  rmSync(work, { recursive: true });
}
