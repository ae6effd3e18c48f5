import { spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { reportStep } from '../tools/progress';
import { processPlaces } from './containers';
import { inNamespace } from './namespace';
import type { RigPaths } from './paths';
import {
  allEnded,
  endAll,
  identify,
  isAlive,
  processesOf,
  send,
  SERVICE_MARK,
  type ProcessId,
  type RigProcess,
} from './processes';
import { readRecord, writeRecord } from './record';
import type { Service, ServiceName } from './services';

export const logFile = (paths: RigPaths, name: ServiceName) => join(paths.logs, `${name}.log`);

/** The process that was started for a service, where it still runs. */
export function runningService(paths: RigPaths, name: ServiceName): ProcessId | undefined {
  const recorded = readRecord(paths.record).services[name];
  return recorded !== undefined && isAlive(recorded) ? recorded : undefined;
}

/** Starts a program that outlives this process, in a session of its own, and records it. */
function launch(paths: RigPaths, service: Service): ProcessId {
  const { argv, env } = service.prepare();
  const [file, ...args] = inNamespace(paths, argv) as [string, ...string[]];
  mkdirSync(paths.logs, { recursive: true });
  const log = openSync(logFile(paths, service.name), 'a', 0o600);
  try {
    const child = spawn(file, args, {
      cwd: paths.state,
      env: { ...env, [SERVICE_MARK]: service.name },
      detached: true,
      stdio: ['ignore', log, log],
    });
    // Without a listener an error (nsenter is not there) would end this process before it can say so.
    child.on('error', () => undefined);
    child.unref();
    const id = child.pid === undefined ? undefined : identify(child.pid);
    if (id === undefined) throw new Error(`${service.title} could not be started: ${file} did not run`);
    const record = readRecord(paths.record);
    writeRecord(paths.record, { ...record, services: { ...record.services, [service.name]: id } });
    return id;
  } finally {
    closeSync(log);
  }
}

function failed(paths: RigPaths, service: Service, what: string): Error {
  const log = logFile(paths, service.name);
  const end = readFileSync(log, 'utf8').trimEnd().split('\n').slice(-20).join('\n');
  return new Error(`${service.title} ${what}; the end of ${log}:\n${end}`);
}

/** Starts a service where it does not run, and waits until it serves. */
export async function startService(paths: RigPaths, service: Service): Promise<void> {
  let id = runningService(paths, service.name);
  if (id === undefined) {
    await endStragglers(paths, (process) => process.service === service.name);
    id = launch(paths, service);
  }
  const started = id;
  await reportStep(`starting ${service.title}`, async () => {
    const deadline = Date.now() + service.startTimeoutMs;
    while (!(await service.ready())) {
      if (!isAlive(started)) throw failed(paths, service, 'ended');
      if (Date.now() > deadline) {
        throw failed(paths, service, `did not answer within ${service.startTimeoutMs / 1000} s`);
      }
      await sleep(200);
    }
  });
}

/** Ends a service and what it started: asks first, and waits. */
export async function stopService(paths: RigPaths, name: ServiceName, timeoutMs: number): Promise<void> {
  const id = runningService(paths, name);
  if (id !== undefined) {
    send(id, 'SIGTERM', 'process');
    if (!(await allEnded([id], timeoutMs))) send(id, 'SIGKILL', 'group');
  }
}

/** Ends processes of the rig at once, also those that come to exist meanwhile. */
export async function endStragglers(paths: RigPaths, which: (process: RigProcess) => boolean): Promise<void> {
  await endAll(() => processesOf(processPlaces(paths)).filter(which));
}
