import * as aws from '@pulumi/aws';
import * as pulumi from '@pulumi/pulumi';

export interface BucketsArgs {
  /** Empty the bucket when it is deleted. Default false: a bucket that holds objects is not deleted. */
  forceDestroy?: boolean;
  /** Tags of every resource made here. */
  tags?: pulumi.Input<Record<string, pulumi.Input<string>>>;
}

/**
 * The data bucket of a stack: what sensors and health checks write, and which node holds which identity. Encrypted,
 * and closed to the public whatever a policy or an object's permissions say.
 */
export class Buckets extends pulumi.ComponentResource {
  readonly dataBucketName: pulumi.Output<string>;
  readonly dataBucketArn: pulumi.Output<string>;

  constructor(name: string, args: BucketsArgs, opts?: pulumi.ComponentResourceOptions) {
    super('skyfleet:storage:Buckets', name, {}, opts);
    const child = { parent: this };
    const data = new aws.s3.Bucket(
      `${name}-data`,
      { forceDestroy: args.forceDestroy ?? false, ...(args.tags === undefined ? {} : { tags: args.tags }) },
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

    // The name waits for the protection, so that nobody writes before it is there.
    const ready = pulumi.all([closed.id, encryption.id]);
    this.dataBucketName = pulumi.all([data.bucket, ready]).apply(([bucket]) => bucket);
    this.dataBucketArn = data.arn;
    this.registerOutputs({ dataBucketName: this.dataBucketName, dataBucketArn: this.dataBucketArn });
  }
}
