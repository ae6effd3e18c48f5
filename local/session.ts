import * as fs from 'node:fs';
import * as path from 'node:path';
import { localStack } from './job/rig-stack';
import { OperatorShell } from './operator-shell';
import { withOwnRig } from './own-rig';
import { CHECKOUT } from './rig/paths';

/*
 * Records the terminal session of the README anew, on a rig of its own: what the commands print is what stands there.
 */

const name = 'session';
const commands = [
  'npx skyfleet create --yes',
  'npx skyfleet nodes',
  'npx skyfleet logs --of sensor --lines 1',
  'npx skyfleet destroy --confirm local',
];
const [begin, end] = ['<!-- session: made by `make session` -->', '<!-- end of session -->'];

/** A README with another session in it. */
function withSession(readme: string, session: string): string {
  const [from, to] = [readme.indexOf(begin), readme.indexOf(end)];
  if (from === -1 || to < from) throw new Error(`the README has no ${begin} … ${end}`);
  return `${readme.slice(0, from)}${begin}\n\n\`\`\`text\n${session}\n\`\`\`\n\n${readme.slice(to)}`;
}

async function main(): Promise<void> {
  await withOwnRig(name, async (rig) => {
    const stack = localStack(rig);
    await stack.prepare();
    const shell = new OperatorShell(rig, stack);
    await shell.enter();
    const parts: string[] = [];
    for (const command of commands) {
      process.stderr.write(`$ ${command}\n`);
      parts.push(`$ ${command}\n${(await shell.require(command)).trimEnd()}`);
    }
    const file = path.join(CHECKOUT, 'README.md');
    fs.writeFileSync(file, withSession(fs.readFileSync(file, 'utf8'), parts.join('\n\n')));
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
