import { stripVTControlCharacters } from 'node:util';
import { jobOfIncarnation } from '../../deployment/operator/managed-jobs';
import type { SkyPilot } from '../../deployment/operator/skypilot';

/** Whose logs there are. */
export const logSources = ['compute', 'sensor', 'health', 'setup'] as const;
export type LogSource = (typeof logSources)[number];

/** Containers of a node, by whose log it is (the compose files of `deployment/node/`). */
const containers = { compute: 'bacalhau_compute', sensor: 'sensor' } as const;

/** Newest report of a node's health, as text (`deployment/node/scripts/node_paths.py`). */
const healthText = '/var/lib/skyfleet/health.txt';

/**
 * The shell command that shows a log on a node; both of a container's streams are its log.
 *
 * @param lines how many of the last lines, before what is followed.
 */
export function logCommand(
  source: Exclude<LogSource, 'setup'>,
  { follow, lines }: { follow: boolean; lines: number },
): string {
  if (source === 'health') {
    // Replaced whole with each report, which `-F` notices.
    return follow ? `sudo tail -n +1 -F ${healthText} 2>/dev/null` : `sudo cat ${healthText}`;
  }
  return `sudo docker logs --tail ${lines}${follow ? ' --follow' : ''} ${containers[source]} 2>&1`;
}

/** Cuts a text into lines as its pieces come; gives back what ends it. */
export function byLine(onLine: (line: string) => void): { push: (text: string) => void; end: () => void } {
  let rest = '';
  return {
    push: (text) => {
      const lines = `${rest}${text}`.split(/\r?\n/);
      rest = lines.pop() ?? '';
      lines.forEach(onLine);
    },
    end: () => {
      if (rest !== '') onLine(rest);
    },
  };
}

/**
 * Shows what SkyPilot has printed of bringing up what stands in a place: setup and run part of the newest job, or of a
 * managed job what its controller says.
 *
 * @throws Error where SkyPilot has no such log.
 */
export async function showSetupLog(
  sky: SkyPilot,
  { incarnation, managed, stack }: { incarnation: string; managed: boolean; stack: string },
  { follow, lines }: { follow: boolean; lines: number },
  onLine: (line: string) => void,
): Promise<void> {
  const plain = (line: string): void => onLine(stripVTControlCharacters(line));
  const cut = byLine(plain);
  const show = (log: string): void => {
    log.trimEnd().split('\n').slice(-lines).forEach(plain);
  };
  if (managed) {
    const job = await jobOfIncarnation(sky, incarnation, stack);
    if (job === undefined) throw new Error(`SkyPilot has no managed job of ${incarnation}`);
    show(await sky.managedJobLog(job));
    return;
  }
  const job = await sky.newestJob(incarnation);
  if (job === undefined) throw new Error(`cluster ${incarnation} has had no job yet`);
  if (!follow) show(await sky.jobLog(incarnation, job));
  else {
    await sky.followJobLog(incarnation, job, cut.push);
    cut.end();
  }
}
