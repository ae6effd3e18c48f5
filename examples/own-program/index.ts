import * as aws from '@pulumi/aws';
import { declareStack, loadConfig } from 'skyfleet';

/** All that the stack file asks for, and a role with which functions read what the sensors wrote. */
export = async () => {
  const { buckets, outputs } = await declareStack(await loadConfig(__dirname));

  const reader = new aws.iam.Role('sensor-reader', {
    assumeRolePolicy: JSON.stringify(
      aws.iam.assumeRolePolicyForPrincipal({ Service: 'lambda.amazonaws.com' }),
    ),
  });
  new aws.iam.RolePolicy('sensor-reader', {
    role: reader.id,
    policy: buckets.dataBucketArn.apply((arn) =>
      JSON.stringify({
        Version: '2012-10-17',
        Statement: [{ Effect: 'Allow', Action: 's3:GetObject', Resource: `${arn}/fleets/*/sensor/*` }],
      }),
    ),
  });
  return { ...outputs, sensorReader: reader.arn };
};
