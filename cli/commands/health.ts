import { exitCodes } from '../exit-codes';
import { readFleet } from '../fleet/fleet';
import { failingChecks, healthReports, type HealthReport } from '../fleet/health-reports';
import { instancesOf } from '../fleet/instances';
import { ageText, jsonText, tableText } from '../output';
import { concluded, sideBySide, valuesOf } from '../side-by-side';
import { whileSpinning } from '../spinner';
import { stacksOf, type StackChoice } from '../stacks';

export interface HealthOptions extends StackChoice {
  json: boolean;
  /** Shows every check, not only those that fail. */
  verbose: boolean;
}

/** A node's newest report. */
export interface NodeHealth extends HealthReport {
  /** Name of the stack. */
  stack: string;
  /** Whether the instance that made it is there no more. */
  gone: boolean;
}

/** The reports that names mean: of a place, a node, a sensor or an instance; all where there is no name. */
export function reportsNamed(reports: readonly NodeHealth[], names: readonly string[]): NodeHealth[] {
  const namesOf = (one: NodeHealth): string[] => [one.place, one.nodeName, one.sensorId, one.instanceId];
  const unknown = names.filter((name) => !reports.some((one) => namesOf(one).includes(name)));
  if (unknown.length > 0) {
    const known = reports.map(({ nodeName, sensorId }) => `  ${nodeName} · ${sensorId}`).join('\n');
    throw new Error(`there is no report of ${unknown.join(', ')}; there are reports of:\n${known}`);
  }
  return names.length === 0
    ? [...reports]
    : reports.filter((one) => namesOf(one).some((name) => names.includes(name)));
}

function stateText({ healthy, gone, interruption }: NodeHealth): string {
  const state = healthy ? 'healthy' : 'UNHEALTHY';
  const notice = interruption === null ? '' : `, AWS will ${interruption.action} it at ${interruption.time}`;
  return `${state}${notice}${gone ? ' (gone since)' : ''}`;
}

function healthText(reports: readonly NodeHealth[], verbose: boolean, now: number): string {
  if (reports.length === 0) return 'no reports\n';
  if (verbose) {
    return reports
      .map((report) => {
        const checks = report.checks.map(
          ({ name, ok, detail }) => `  ${ok ? 'ok  ' : 'FAIL'} ${name}: ${detail}\n`,
        );
        return `${report.nodeName} ${stateText(report)}, reported ${ageText(report.time, now)} ago\n${checks.join('')}`;
      })
      .join('\n');
  }
  const rows = reports.map((report) => [
    report.nodeName,
    report.sensorId,
    report.instanceId,
    `${ageText(report.time, now)} ago`,
    stateText(report),
    failingChecks(report).join('; '),
  ]);
  return tableText(['node', 'sensor', 'instance', 'reported', 'health', 'what is wrong'], rows);
}

/** Shows the newest report of each node, also of nodes that are gone. */
export async function health(names: readonly string[], options: HealthOptions): Promise<number> {
  const stacks = await stacksOf(options);
  const outcomes = await whileSpinning(`reading the reports of ${stacks.join(', ')}`, () =>
    sideBySide(stacks, async (stack) => {
      const fleet = await readFleet(stack);
      const [reports, instances] = await Promise.all([
        healthReports(fleet.aws, fleet.bucket, fleet.folders),
        instancesOf(fleet.aws, fleet.stack),
      ]);
      const there = new Set(
        instances.filter(({ state }) => state === 'running').map(({ instanceId }) => instanceId),
      );
      return reports.map((report): NodeHealth => ({ ...report, stack, gone: !there.has(report.instanceId) }));
    }),
  );
  const reports = reportsNamed(
    valuesOf(outcomes).flatMap(({ value }) => value),
    names,
  );
  process.stdout.write(options.json ? jsonText(reports) : healthText(reports, options.verbose, Date.now()));
  return concluded(outcomes, () =>
    reports.some(({ healthy, gone }) => !healthy && !gone) ? exitCodes.found : exitCodes.done,
  );
}
