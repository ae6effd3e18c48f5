import { interrupted } from '../cli/exit-codes';
import { startRig, stopRig, type Rig } from './rig';

/**
 * Works on a rig of its own, which goes whatever happens: also where the work fails, or the program is interrupted.
 *
 * @param work what it finds once `interrupted` is aborted is of a rig that is being stopped.
 */
export async function withOwnRig<T>(
  name: string,
  work: (rig: Rig, interrupted: AbortSignal) => Promise<T>,
): Promise<T> {
  const interruption = new AbortController();
  const ends = Object.entries(interrupted).map(([signal, code]) => {
    const end = (): void => {
      interruption.abort();
      process.stderr.write(`${signal}: stopping rig ${name} …\n`);
      void stopRig({ name }).finally(() => process.exit(code));
    };
    process.once(signal, end);
    return () => process.off(signal, end);
  });
  try {
    return await work(await startRig({ name }), interruption.signal);
  } finally {
    await stopRig({ name });
    ends.forEach((off) => off());
  }
}
