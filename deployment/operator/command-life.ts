import { endChildren } from './child-process';
import { employersOf, isAlive, seeProcess } from './processes';
import { recordRunning, type RunningCommand } from './running';

/** Milliseconds between two looks at whether the command still has somebody to run for. */
const lookEvery = 500;

/**
 * Makes this process live as a command of Pulumi. Pulumi ends no more than the shell that it started, by an interrupt or
 * at a time limit, and nothing at all where it is killed itself. So the command looks after itself: it ends when one of
 * those that it runs for has ended, when its time is over, or when it is told to, and takes the programs that it has
 * started with it. While it lives, it is recorded on this machine.
 *
 * What SkyPilot was asked to do goes on there; the next run finds it.
 *
 * @param minutes time limit.
 * @param complain is told why the command ends before it is done.
 */
export function liveAsCommand(
  work: Omit<RunningCommand, 'pid' | 'started'>,
  minutes: number,
  complain: (reason: string) => void,
): void {
  const employers = employersOf(process.ppid);
  const self = seeProcess(process.pid);
  if (self === undefined) throw new Error(`process ${process.pid} cannot see itself; is /proc mounted?`);
  const forget = recordRunning({ ...work, pid: self.pid, started: self.started });
  process.on('exit', () => {
    endChildren();
    forget();
  });

  const end = (reason: string): void => {
    complain(reason);
    process.exit(1);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => end(`${work.command} was ended by ${signal}; run pulumi again`));
  }
  // Whoever would read this may be gone, which is no reason to end in another way.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => process.exit(1));
  setInterval(() => {
    const gone = employers.length === 0 || !employers.every(isAlive);
    if (gone)
      end(`${work.command} ended with the Pulumi that it ran for; run: npx skyfleet recover --stack <stack>`);
  }, lookEvery).unref();
  setTimeout(() => {
    end(
      `${work.command} took longer than the ${minutes} minutes that its steps may take together (skyfleet:timeouts)`,
    );
  }, minutes * 60_000).unref();
}
