import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from '../command';
import { reportStep } from './progress';

/** Something that the rig needs on the host, and Debian's package that has it. */
export interface HostRequirement {
  name: string;
  package: string;
  present: () => boolean | Promise<boolean>;
}

const command = (name: string, debianPackage: string): HostRequirement => ({
  name,
  package: debianPackage,
  present: () => findCommand(name) !== undefined,
});

export const HOST_REQUIREMENTS: readonly HostRequirement[] = [
  command('podman', 'podman'),
  command('runc', 'runc'),
  command('conmon', 'conmon'),
  command('/usr/lib/podman/netavark', 'netavark'),
  command('iptables', 'iptables'),
  command('mmdebstrap', 'mmdebstrap'),
  command('ip', 'iproute2'),
  command('nsenter', 'util-linux'),
  command('unshare', 'util-linux'),
  command('flock', 'util-linux'),
  command('mount', 'mount'),
  command('curl', 'curl'),
  command('rsync', 'rsync'),
  command('ssh', 'openssh-client'),
];

/** The directories of PATH, and those that hold the system's own commands where PATH leaves them out. */
export function searchPath(env: NodeJS.ProcessEnv = process.env): string[] {
  const given = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '');
  return [...new Set([...given, '/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/bin', '/bin'])];
}

/** Where a command (or an absolute path) is found, or undefined. */
export function findCommand(name: string, env: NodeJS.ProcessEnv = process.env): string | undefined {
  const candidates = name.startsWith('/') ? [name] : searchPath(env).map((folder) => join(folder, name));
  return candidates.find((file) => {
    try {
      accessSync(file, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

async function whatIsMissing(requirements: readonly HostRequirement[]): Promise<HostRequirement[]> {
  const missing: HostRequirement[] = [];
  for (const requirement of requirements) {
    if (!(await requirement.present())) missing.push(requirement);
  }
  return missing;
}

const namesOf = (requirements: readonly HostRequirement[]) => requirements.map(({ name }) => name).join(', ');

/** Installs with apt what the host lacks; where that cannot be done here, says what is missing. */
export async function ensureOnHost(requirements: readonly HostRequirement[]): Promise<void> {
  const missing = await whatIsMissing(requirements);
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((requirement) => requirement.package))];
  if (process.getuid?.() !== 0 || findCommand('apt-get') === undefined) {
    throw new Error(
      `the embedded default needs what is not here: ${namesOf(missing)}. As root on Debian it is installed for ` +
        `you; otherwise install it (Debian's packages: ${packages.join(' ')}) and run this again`,
    );
  }
  await reportStep(`installing ${packages.join(' ')}`, async () => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    await run(['apt-get', 'update', '-qq'], { env });
    await run(['apt-get', 'install', '-qq', '--yes', '--no-install-recommends', ...packages], { env });
  });
  const stillMissing = await whatIsMissing(missing);
  if (stillMissing.length > 0) {
    throw new Error(`after installing ${packages.join(' ')} there is still no ${namesOf(stillMissing)}`);
  }
}
