import * as fs from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import * as path from 'node:path';
import { version } from '../package.json';
import { localStack } from './job/rig-stack';
import { recordableStackFile, recordableState } from './recordable';
import { openRig } from './rig';
import { CHECKOUT } from './rig/paths';

/** Records the stack `local` of `make local` as a state of this version, for those of later versions to be held to. */
const folder = path.join(CHECKOUT, 'test', 'plugins', 'recorded-states', version);

async function main(): Promise<void> {
  if (fs.existsSync(folder)) {
    throw new Error(
      `${path.relative(CHECKOUT, folder)} is there already. What a released version has recorded stays; of a version that is not released yet, remove it first`,
    );
  }
  const rig = await openRig({ name: 'main' });
  const stack = localStack(rig);
  const command = ['pulumi', 'stack', 'export', '--show-secrets', '--stack', stack.name, '--non-interactive'];
  const { code, stdout, stderr } = await rig.exec(command, { cwd: CHECKOUT });
  if (code !== 0) throw new Error(stderr);
  const machine = [homedir(), tmpdir(), CHECKOUT, rig.paths.state, rig.paths.runtime];
  const state = recordableState(
    stdout,
    { orchestratorToken: rig.orchestratorToken },
    machine.map((name) => `${name}/`),
  );
  const stackFile = recordableStackFile(fs.readFileSync(stack.configFile, 'utf8'));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${stack.name}.json`), state);
  fs.writeFileSync(path.join(folder, `Pulumi.${stack.name}.yaml`), stackFile);
  console.log(`${path.relative(CHECKOUT, folder)} has what version ${version} records; look through it`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
