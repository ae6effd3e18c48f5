import * as path from 'node:path';

/** The command line of a program of the operator's room, relative to the Pulumi project so that it is the same everywhere. */
export function operatorProgram(command: 'claim' | 'files' | 'submit' | 'wait'): string {
  const file = path.join(__dirname, '..', 'deployment', 'operator', 'commands', `${command}.ts`);
  return `node --import tsx ${path.relative(process.cwd(), file)}`;
}
