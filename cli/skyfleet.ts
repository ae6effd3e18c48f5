import { createRequire } from 'node:module';

/** Loads a program when it is asked for, and no other. */
const load = createRequire(__filename);

/** The commands: what each does, and its program, which reads what stands behind the command's name. */
const commands: Record<string, { does: string; program: string }> = {
  review: { does: 'say what an up would do and cost', program: '../review/cli' },
  up: { does: 'review a stack, and apply just that', program: '../review/up' },
  recover: {
    does: 'make a stack ready after Pulumi was killed',
    program: '../deployment/operator/commands/recover',
  },
  render: {
    does: 'write the SkyPilot task of each cluster as files',
    program: '../deployment/operator/commands/render',
  },
};

const usage = [
  'usage: skyfleet COMMAND …',
  ...Object.entries(commands).map(([name, { does }]) => `  ${name.padEnd(9)}${does}`),
  'Each command says what it takes where it is called with nothing behind it.',
].join('\n');

const [name = ''] = process.argv.splice(2, 1);
const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
if (command !== undefined) load(command.program);
else if (name === '--help' || name === 'help') process.stdout.write(`${usage}\n`);
else {
  process.stderr.write(`${name === '' ? '' : `there is no command ${name}\n`}${usage}\n`);
  process.exitCode = 1;
}
