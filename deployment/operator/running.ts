import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { isAlive, type ProcessId } from './processes';

/** A command of a stack that runs on this machine. */
export interface RunningCommand extends ProcessId {
  /** Full name of the stack. */
  stack: string;
  /** What it works on; the stack as a whole where absent. */
  place?: string;
  /** Which command: submit, wait, delete, … */
  command: string;
}

/** Where this machine's own state of Skyfleet is kept. */
export function stateFolder(environment: Record<string, string | undefined> = process.env): string {
  const given = environment['XDG_STATE_HOME'] ?? '';
  const state = path.isAbsolute(given) ? given : path.join(os.homedir(), '.local', 'state');
  return path.join(state, 'skyfleet');
}

/** Where the commands that run on this machine are recorded, one file for each. */
export const runningFolder = (environment: Record<string, string | undefined> = process.env): string =>
  path.join(stateFolder(environment), 'running');

/** Records a command; what is given back takes the record away. */
export function recordRunning(command: RunningCommand, folder = runningFolder()): () => void {
  fs.mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = path.join(folder, `${command.pid}.json`);
  // Renamed into place, so that nobody reads half of it.
  fs.writeFileSync(`${file}.new`, JSON.stringify(command), { mode: 0o600 });
  fs.renameSync(`${file}.new`, file);
  return () => fs.rmSync(file, { force: true });
}

/** The commands that run; the records of those that were killed are taken away. */
export function listRunning(folder = runningFolder()): RunningCommand[] {
  if (!fs.existsSync(folder)) return [];
  return fs
    .readdirSync(folder)
    .filter((name) => name.endsWith('.json'))
    .flatMap((name) => {
      const file = path.join(folder, name);
      const text = fs.readFileSync(file, { encoding: 'utf8', flag: 'r' });
      const command = JSON.parse(text) as RunningCommand;
      if (isAlive(command)) return [command];
      fs.rmSync(file, { force: true });
      return [];
    });
}
