import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Tools } from '../setup';

const tools: z.ZodType<Tools> = z.object({
  pulumi: z.string(),
  pulumiLanguageNodejs: z.string(),
  bacalhau: z.string(),
  venv: z.string(),
  python: z.string(),
  images: z.object({ instance: z.string(), store: z.string(), wheels: z.string(), engineSeed: z.string() }),
});

const schema = z.object({
  /** The services that were started, by name; each leads a process group of its own. */
  services: z.record(z.string(), z.object({ pid: z.number(), startTime: z.number(), bootId: z.string() })),
  /** What they were started with. */
  tools: tools.optional(),
});

/** What rig.json holds. */
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
