/** AWS SDK clients, loaded when first used: a preview without changes loads none. */
import type { CloudWatchLogs } from '@aws-sdk/client-cloudwatch-logs';
import type { EC2 } from '@aws-sdk/client-ec2';
import type { IAM } from '@aws-sdk/client-iam';
import type { S3 } from '@aws-sdk/client-s3';
import type { STS } from '@aws-sdk/client-sts';
import type { Configuration, Service } from './configuration';

export interface Clients {
  ec2(region: string): Promise<EC2>;
  iam(): Promise<IAM>;
  logs(region: string): Promise<CloudWatchLogs>;
  s3(region: string): Promise<S3>;
  sts(): Promise<STS>;
  /** The number of the account that the credentials are of, asked for once. */
  account(): Promise<string>;
}

export function clientsFor(configuration: Configuration): Clients {
  const clients = new Map<string, Promise<unknown>>();
  const once = <C>(key: string, load: () => Promise<C>): Promise<C> => {
    const known = clients.get(key) as Promise<C> | undefined;
    const client = known ?? load();
    clients.set(key, client);
    return client;
  };
  const settings = (service: Service, region: string) => ({
    region,
    credentials: configuration.credentials,
    maxAttempts: configuration.maxAttempts,
    ...(configuration.endpoints[service] === undefined ? {} : { endpoint: configuration.endpoints[service] }),
  });
  const sts = () =>
    once(
      'sts',
      async () => new (await import('@aws-sdk/client-sts')).STS(settings('sts', configuration.region)),
    );
  return {
    ec2: (region) =>
      once(
        `ec2/${region}`,
        async () => new (await import('@aws-sdk/client-ec2')).EC2(settings('ec2', region)),
      ),
    iam: () =>
      once(
        'iam',
        async () => new (await import('@aws-sdk/client-iam')).IAM(settings('iam', configuration.region)),
      ),
    logs: (region) =>
      once(`logs/${region}`, async () => {
        const { CloudWatchLogs } = await import('@aws-sdk/client-cloudwatch-logs');
        return new CloudWatchLogs(settings('logs', region));
      }),
    s3: (region) =>
      once(`s3/${region}`, async () => {
        const { S3 } = await import('@aws-sdk/client-s3');
        return new S3({ ...settings('s3', region), forcePathStyle: configuration.s3UsePathStyle });
      }),
    sts,
    account: () => once('account', async () => (await (await sts()).getCallerIdentity({})).Account ?? ''),
  };
}

/** The result, or undefined where AWS says with one of `codes` that the thing is not there. */
export async function unlessAbsent<T>(codes: readonly string[], request: Promise<T>): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (error instanceof Error && codes.includes(error.name)) return undefined;
    throw error;
  }
}
