import { setTimeout as sleep } from 'node:timers/promises';
import type { Clients } from './clients';
import { partitionOf } from './configuration';
import type { Aws } from './resource-type';

/** AWS for one operation: in `region`, for so many seconds, until `signal` says that it is cancelled. */
export function awsUnder(signal: AbortSignal, seconds: number, region: string, clients: Clients): Aws {
  const started = Date.now();
  const deadline = started + seconds * 1000;
  const ending = (): string => {
    const elapsed = Math.round((Date.now() - started) / 1000);
    return signal.aborted && Date.now() < deadline
      ? `when it was cancelled after ${elapsed} s`
      : `after ${elapsed} s`;
  };
  const retry = async <T>(ask: () => Promise<T | undefined>, outOfTime: () => Error): Promise<T> => {
    for (let delay = 100; ; delay = Math.min(delay * 2, 5000)) {
      const answer = await ask();
      if (answer !== undefined) return answer;
      if (Date.now() + delay > deadline) throw outOfTime();
      await sleep(delay, undefined, { signal }).catch(() => {
        throw outOfTime();
      });
    }
  };
  return {
    region,
    partition: partitionOf(region),
    ec2: () => clients.ec2(region),
    iam: () => clients.iam(),
    logs: () => clients.logs(region),
    s3: () => clients.s3(region),
    account: () => clients.account(),
    until: (what, ask) => retry(ask, () => new Error(`${what}: not so ${ending()}`)),
    whileRefused: async (codes, request) => {
      let refusal: unknown;
      const { result } = await retry(
        async () => {
          try {
            return { result: await request() };
          } catch (error) {
            if (!(error instanceof Error) || !codes.includes(error.name)) throw error;
            refusal = error;
            return undefined;
          }
        },
        () => new Error(`still refused ${ending()}: ${messageOf(refusal)}`),
      );
      return result;
    },
  };
}

export function messageOf(error: unknown): string {
  return error instanceof Error
    ? `${error.name === 'Error' ? '' : `${error.name}: `}${error.message}`
    : String(error);
}
