import { interrupted } from '../cli/exit-codes';
import { startRig, stopRig, type Rig } from './rig';

/** Works on a rig of its own, which goes whatever happens: also where the work fails, or the program is interrupted. */
export async function withOwnRig<T>(name: string, work: (rig: Rig) => Promise<T>): Promise<T> {
  const ends = Object.entries(interrupted).map(([signal, code]) => {
    const end = (): void => {
      process.stderr.write(`${signal}: stopping rig ${name} …\n`);
      void stopRig({ name }).finally(() => process.exit(code));
    };
    process.once(signal, end);
    return () => process.off(signal, end);
  });
  try {
    return await work(await startRig({ name }));
  } finally {
    await stopRig({ name });
    ends.forEach((off) => off());
  }
}
