import * as aws from '@pulumi/aws';
import { local } from '@pulumi/command';
import * as pulumi from '@pulumi/pulumi';

/** What a data bucket is made from. */
export interface BucketsArgs {
  /** What happens to the bucket when the stack is destroyed: it is left where it is, or emptied and deleted. */
  onDestroy: 'keep' | 'delete';
  /** Key prefixes of the data that sensors and health checks write. */
  dataPrefixes: string[];
  /** How long the bucket keeps what is in it. */
  retention: {
    /** Days after which what nodes wrote is deleted; never where absent. */
    dataDays?: number;
    /** Days that overwritten and deleted versions are kept. */
    oldVersionDays: number;
    /** Days after which the parts of an upload that was never completed are deleted. */
    brokenUploadDays: number;
  };
  /** Tags of every resource made here. */
  tags?: Record<string, string>;
}

/**
 * The data bucket of a stack: what sensors and health checks write, and which node holds which identity. Versioned,
 * encrypted, reached by TLS only, its objects owned by the account, and closed to the public whatever a policy or an
 * object's permissions say.
 */
export class Buckets extends pulumi.ComponentResource {
  /** Name of the bucket, known once its protection is there. */
  readonly dataBucketName: pulumi.Output<string>;
  /** ARN of the bucket. */
  readonly dataBucketArn: pulumi.Output<string>;

  constructor(name: string, args: BucketsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:storage:Buckets', name, {}, opts);
    // A bucket that is kept keeps its protection too.
    const child = { parent: this, retainOnDelete: args.onDestroy === 'keep' };
    const data = new aws.s3.Bucket(
      `${name}-data`,
      {
        forceDestroy: args.onDestroy === 'delete',
        tags: args.tags,
      },
      child,
    );
    const closed = new aws.s3.BucketPublicAccessBlock(
      `${name}-data-closed`,
      {
        bucket: data.id,
        blockPublicAcls: true,
        blockPublicPolicy: true,
        ignorePublicAcls: true,
        restrictPublicBuckets: true,
      },
      child,
    );
    const encryption = new aws.s3.BucketServerSideEncryptionConfiguration(
      `${name}-data-encryption`,
      { bucket: data.id, rules: [{ applyServerSideEncryptionByDefault: { sseAlgorithm: 'AES256' } }] },
      child,
    );
    const ownership = new aws.s3.BucketOwnershipControls(
      `${name}-data-ownership`,
      { bucket: data.id, rule: { objectOwnership: 'BucketOwnerEnforced' } },
      child,
    );
    const policy = new aws.s3.BucketPolicy(
      `${name}-data-tls-only`,
      { bucket: data.id, policy: data.arn.apply((arn) => JSON.stringify(tlsOnly(arn))) },
      child,
    );
    const versioning = new aws.s3.BucketVersioning(
      `${name}-data-versions`,
      { bucket: data.id, versioningConfiguration: { status: 'Enabled' } },
      child,
    );
    const lifecycle = new aws.s3.BucketLifecycleConfiguration(
      `${name}-data-lifecycle`,
      { bucket: data.id, rules: lifecycleRules(args) },
      { ...child, dependsOn: [versioning] },
    );
    new local.Command(
      `${name}-data-kept`,
      {
        delete: sayWhatStays,
        environment: { BUCKET: data.bucket, ON_DESTROY: args.onDestroy },
        logging: local.Logging.Stdout,
      },
      { parent: this },
    );

    // The name waits for the protection, so that nobody writes before it is there.
    const ready = pulumi.all(
      [closed, encryption, ownership, policy, versioning, lifecycle].map(({ id }) => id),
    );
    this.dataBucketName = pulumi.all([data.bucket, ready]).apply(([bucket]) => bucket);
    this.dataBucketArn = data.arn;
    this.registerOutputs({ dataBucketName: this.dataBucketName, dataBucketArn: this.dataBucketArn });
  }
}

/** Runs when the stack is destroyed; what it prints is shown by Pulumi. */
const sayWhatStays = `if [ "$ON_DESTROY" = keep ]; then
  echo "Bucket $BUCKET stays, with its data and settings (skyfleet:buckets.onDestroy is keep). Delete it with: aws s3api delete-bucket --bucket $BUCKET, once it is empty"
fi
`;

function tlsOnly(arn: string): Record<string, unknown> {
  return {
    Version: '2012-10-17',
    Statement: [
      {
        Sid: 'TlsOnly',
        Effect: 'Deny',
        Principal: '*',
        Action: 's3:*',
        Resource: [arn, `${arn}/*`],
        Condition: { Bool: { 'aws:SecureTransport': 'false' } },
      },
    ],
  };
}

type LifecycleRule = aws.types.input.s3.BucketLifecycleConfigurationRule;

function lifecycleRules({ retention, dataPrefixes }: BucketsArgs): LifecycleRule[] {
  const { dataDays } = retention;
  const data =
    dataDays === undefined
      ? []
      : dataPrefixes.map((prefix) => ({
          id: `data-of-${prefix}`,
          status: 'Enabled',
          filter: { prefix },
          expiration: { days: dataDays },
        }));
  return [
    ...data,
    {
      id: 'broken-uploads',
      status: 'Enabled',
      filter: { prefix: '' },
      abortIncompleteMultipartUpload: { daysAfterInitiation: retention.brokenUploadDays },
    },
    {
      id: 'old-versions',
      status: 'Enabled',
      filter: { prefix: '' },
      noncurrentVersionExpiration: { noncurrentDays: retention.oldVersionDays },
      expiration: { expiredObjectDeleteMarker: true },
    },
  ];
}
