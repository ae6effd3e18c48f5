/** The provider's configuration, which Pulumi passes with everything but strings encoded as JSON. */
import type { CheckFailure } from '../plugin';
import { UNKNOWN, type Properties, type Value, isObject } from '../properties';
import type { Tags } from './inputs';

export const SERVICES = ['ec2', 'iam', 'logs', 's3', 'sts'] as const;
export type Service = (typeof SERVICES)[number];
/** Other names under which the real provider takes the endpoint of a service. */
const ALIASES: Readonly<Record<string, Service>> = { cloudwatchlog: 'logs', cloudwatchlogs: 'logs' };

export interface Configuration {
  readonly region: string;
  readonly credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string };
  readonly endpoints: Partial<Record<Service, string>>;
  readonly s3UsePathStyle: boolean;
  readonly maxAttempts: number;
  readonly defaultTags: Tags;
  readonly allowedAccountIds: readonly string[] | undefined;
  readonly forbiddenAccountIds: readonly string[];
  readonly validateCredentials: boolean;
}

const TEXT_KEYS = ['region', 'accessKey', 'secretKey', 'token'];
const JSON_KEYS = [
  'allowedAccountIds',
  'defaultTags',
  'endpoints',
  'forbiddenAccountIds',
  'maxRetries',
  's3UsePathStyle',
  'skipCredentialsValidation',
  // Nothing to skip: credentials come from the configuration or the environment alone.
  'skipMetadataApiCheck',
  'skipRegionValidation',
  // Nothing to skip: the account's id is asked for only where something needs it.
  'skipRequestingAccountId',
];
/** Put there by the engine, not by the user. */
const ENGINE_KEYS = ['version', 'pluginDownloadURL', '__internal', '__pulumi-go-provider-infer'];

export function checkConfiguration(news: Properties): CheckFailure[] {
  const known = [...TEXT_KEYS, ...JSON_KEYS, ...ENGINE_KEYS];
  const unknownKeys = Object.keys(news).filter((key) => news[key] !== undefined && !known.includes(key));
  const failures = unknownKeys.map((key) => ({
    property: key,
    reason: `aws:${key} is not applied by this stand-in for @pulumi/aws; it applies ${[...TEXT_KEYS, ...JSON_KEYS].join(', ')}`,
  }));
  for (const endpoint of endpointMaps(decode(news['endpoints']))) {
    for (const service of Object.keys(endpoint).filter((name) => serviceOf(name) === undefined)) {
      failures.push({
        property: 'endpoints',
        reason: `aws:endpoints names "${service}"; this stand-in talks to ${SERVICES.join(', ')} only`,
      });
    }
  }
  return failures;
}

export function parseConfiguration(args: Properties, env: NodeJS.ProcessEnv): Configuration {
  const string = (key: string, ...variables: string[]): string | undefined => {
    const value =
      args[key] ?? variables.map((name) => env[name]).find((given) => given !== undefined && given !== '');
    return typeof value === 'string' && value !== '' && value !== UNKNOWN ? value : undefined;
  };
  const region = string('region', 'AWS_REGION', 'AWS_DEFAULT_REGION');
  if (region === undefined) throw new Error('aws:region is not set: give it, or set AWS_REGION');
  if (decode(args['skipRegionValidation']) === false && !/^[a-z]{2}(-[a-z]+)+-\d+$/.test(region)) {
    throw new Error(`aws:region is "${region}", which is no AWS region`);
  }
  const accessKeyId = string('accessKey', 'AWS_ACCESS_KEY_ID');
  const secretAccessKey = string('secretKey', 'AWS_SECRET_ACCESS_KEY');
  if (accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error(
      'no AWS credentials: give aws:accessKey and aws:secretKey, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
    );
  }
  const sessionToken = string('token', 'AWS_SESSION_TOKEN');
  const defaultTags = decode(args['defaultTags']);
  const maxRetries = decode(args['maxRetries']);
  return {
    region,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    endpoints: Object.assign({}, ...endpointMaps(decode(args['endpoints']))) as Configuration['endpoints'],
    s3UsePathStyle: decode(args['s3UsePathStyle']) === true,
    maxAttempts: typeof maxRetries === 'number' ? maxRetries + 1 : 4,
    defaultTags: isObject(defaultTags) && isObject(defaultTags['tags']) ? (defaultTags['tags'] as Tags) : {},
    allowedAccountIds: accountIds(decode(args['allowedAccountIds'])),
    forbiddenAccountIds: accountIds(decode(args['forbiddenAccountIds'])) ?? [],
    validateCredentials: decode(args['skipCredentialsValidation']) !== true,
  };
}

function decode(value: Value): Value {
  if (typeof value !== 'string' || value === UNKNOWN || value === '') return value;
  try {
    return JSON.parse(value) as Value;
  } catch {
    return value;
  }
}

function endpointMaps(value: Value): Record<string, string>[] {
  const maps = Array.isArray(value) ? value : [value];
  return maps.filter(isObject).map(
    (map) =>
      Object.fromEntries(
        Object.entries(map)
          .filter(([, url]) => typeof url === 'string' && url !== '')
          .map(([name, url]) => [serviceOf(name) ?? name, url]),
      ) as Record<string, string>,
  );
}

function serviceOf(name: string): Service | undefined {
  return ALIASES[name] ?? SERVICES.find((service) => service === name);
}

function accountIds(value: Value): string[] | undefined {
  return Array.isArray(value) ? value.map(String) : undefined;
}

export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn';
  return region.startsWith('us-gov-') ? 'aws-us-gov' : 'aws';
}
