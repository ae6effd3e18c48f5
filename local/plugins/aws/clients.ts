/** AWS SDK clients, loaded when first used: a preview without changes loads none. */
import type { EC2 } from '@aws-sdk/client-ec2';
import type { IAM } from '@aws-sdk/client-iam';
import type { S3 } from '@aws-sdk/client-s3';
import type { STS } from '@aws-sdk/client-sts';
import type { Configuration, Service } from './configuration';

export interface Clients {
  ec2(region: string): Promise<EC2>;
  iam(): Promise<IAM>;
  s3(region: string): Promise<S3>;
  sts(): Promise<STS>;
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
    s3: (region) =>
      once(`s3/${region}`, async () => {
        const { S3 } = await import('@aws-sdk/client-s3');
        return new S3({ ...settings('s3', region), forcePathStyle: configuration.s3UsePathStyle });
      }),
    sts: () =>
      once(
        'sts',
        async () => new (await import('@aws-sdk/client-sts')).STS(settings('sts', configuration.region)),
      ),
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
