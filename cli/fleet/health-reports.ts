import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { z } from 'zod';
import type { AwsCli } from '../../deployment/operator/aws-cli';

/** A node's report of its own health, as `deployment/node/scripts/health_check.py` writes it, as far as it is read here. */
const healthReportSchema = z.object({
  healthy: z.boolean(),
  /** When it was made, in ISO 8601. */
  time: z.string(),
  place: z.string(),
  nodeName: z.string(),
  instanceId: z.string(),
  sensorId: z.string(),
  /** The spot notice that stood then. */
  interruption: z.object({ action: z.string(), time: z.string() }).nullable(),
  checks: z.array(z.object({ name: z.string(), ok: z.boolean(), detail: z.string() })),
});

export type HealthReport = z.infer<typeof healthReportSchema>;

/**
 * Reads a report.
 *
 * @param where it was found, for the message.
 * @throws Error where it is none.
 */
export function parseHealthReport(text: string, where: string): HealthReport {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new Error(`${where} is no JSON: ${(error as Error).message}`, { cause: error });
  }
  const { success, data, error } = healthReportSchema.safeParse(value);
  if (!success) throw new Error(`${where} is no health report: ${z.prettifyError(error)}`);
  return data;
}

/** The checks of a report that failed, in words. */
export const failingChecks = ({ checks }: HealthReport): string[] =>
  checks.filter(({ ok }) => !ok).map(({ name, detail }) => `${name}: ${detail}`);

/** The newest report of every node that ever made one, by node name: those of nodes that are gone stay in the bucket. */
export async function healthReports(
  aws: AwsCli,
  bucket: string,
  folders: readonly string[],
): Promise<HealthReport[]> {
  const copy = fs.mkdtempSync(path.join(os.tmpdir(), 'skyfleet-health-'));
  try {
    // One call for all the reports of a fleet. What stands in folders below them are markers and answers to orders.
    for (const [index, folder] of folders.entries()) {
      const from = `s3://${bucket}/${folder}health/`;
      const args = ['s3', 'cp', from, path.join(copy, String(index)), '--recursive', '--exclude', '*/*'];
      await aws.tell([...args, '--only-show-errors']);
    }
    return fs
      .readdirSync(copy, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) =>
        parseHealthReport(
          fs.readFileSync(path.join(parentPath, name), 'utf8'),
          `s3://${bucket}/…/health/${name}`,
        ),
      )
      .sort((a, b) => (a.nodeName < b.nodeName ? -1 : 1));
  } finally {
    fs.rmSync(copy, { recursive: true });
  }
}
