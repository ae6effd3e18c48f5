import * as path from 'node:path';
import { bundleFile, type RunCommand } from '../deployment/operator/bundles';

/** The command line of a program of the operator's room, relative to the Pulumi project so that it is the same everywhere. */
export function operatorProgram(command: RunCommand): string {
  return `node ${path.relative(process.cwd(), bundleFile(command))}`;
}
