import { execFileSync } from 'node:child_process';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { parseArgs } from 'node:util';
import { withOwnRig } from '../../local/own-rig';
import { Chaos, closingLine, parseRecord, type KillLine } from './driver';

const usage =
  'usage: chaos [--kills NUMBER] [--seed NUMBER] [--rig NAME] [--out FILE]\n' +
  'Kills Pulumi, SkyPilot and instances at random times on a rig of its own, and looks whether `recover` leads back.\n' +
  'Prints a JSON line for each kill and a closing line; --out writes them to a file too, and goes on where it was cut off.\n' +
  'Exit code 1 unless all came back.';

function wholeNumber(text: string, least: number): number {
  const number = Number(text);
  if (!Number.isInteger(number) || number < least) throw new Error(usage);
  return number;
}

const git = (...args: string[]): string => execFileSync('git', args, { encoding: 'utf8' }).trim();

/** The commit of the checkout. */
const commitOf = (): string => git('describe', '--always', '--abbrev=40', '--exclude=*', '--dirty');

/**
 * The lines of a run that was cut off.
 *
 * @throws Error where they are of another seed or commit.
 */
function earlierLines(file: string, seed: number, commit: string): KillLine[] {
  const lines = fs.existsSync(file) ? parseRecord(fs.readFileSync(file, 'utf8')) : [];
  const other = lines.find((line) => line.seed !== seed || line.commit !== commit);
  if (other !== undefined) {
    throw new Error(
      `${file} is of seed ${other.seed} and commit ${other.commit}, this is seed ${seed} and commit ${commit}: name another file, or delete it`,
    );
  }
  return lines;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      kills: { type: 'string', default: '3' },
      seed: { type: 'string', default: '1' },
      rig: { type: 'string', default: 'chaos' },
      out: { type: 'string' },
    },
  });
  const [kills, seed] = [wholeNumber(values.kills, 1), wholeNumber(values.seed, 0)];
  const { out } = values;
  const commit = commitOf();
  const before = out === undefined ? [] : earlierLines(out, seed, commit);
  if (out !== undefined) fs.mkdirSync(path.dirname(out), { recursive: true });
  await withOwnRig(values.rig, async (rig, interrupted) => {
    const write = (line: string): void => {
      // The kill under way is made again by the run that goes on.
      if (interrupted.aborted) return;
      process.stdout.write(`${line}\n`);
      if (out !== undefined) fs.appendFileSync(out, `${line}\n`);
    };
    const totals = await new Chaos(rig, {
      kills,
      seed,
      commit,
      before,
      show: (line) => process.stderr.write(`${line}\n`),
      record: (line) => write(JSON.stringify(line)),
    }).run();
    write(closingLine(totals));
    if (totals.converged < totals.kills) process.exitCode = 1;
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
});
