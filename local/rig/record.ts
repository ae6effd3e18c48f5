import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const schema = z.object({
  /** The services that were started, by name; each leads a process group of its own. */
  services: z.record(z.string(), z.object({ pid: z.number(), startTime: z.number(), bootId: z.string() })),
});

/** What rig.json holds: which processes the rig has started. */
export type RigRecord = z.infer<typeof schema>;

export function readRecord(file: string): RigRecord {
  if (!existsSync(file)) return { services: {} };
  return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

export function writeRecord(file: string, record: RigRecord): void {
  // Renamed into place, so that a run that is killed while it writes leaves the old record.
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
