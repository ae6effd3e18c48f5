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

/**
 * The record of a rig. One that cannot be read (the machine lost power while it was written) counts as none: what runs is
 * known without it, and a rig whose services are not recorded is stopped like any other.
 */
export function readRecord(file: string): RigRecord {
  if (!existsSync(file)) return { services: {} };
  try {
    return schema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof z.ZodError) return { services: {} };
    throw error;
  }
}

export function writeRecord(file: string, record: RigRecord): void {
  // Renamed into place, so that a run that is killed while it writes leaves the old record.
  writeFileSync(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${file}.new`, file);
}
