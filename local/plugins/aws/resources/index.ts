/**
 * Every type that this stand-in serves. A new one is an entry here and its definition in the file of its service:
 * its inputs (what is not listed is refused), its outputs, and how AWS creates, reads, updates and deletes it.
 */
import type { ResourceTable } from '../provider';
import { flowLog } from './flow-log';
import * as iam from './iam';
import { logGroup } from './log-group';
import { eip, natGateway } from './nat-gateway';
import * as routes from './routes';
import * as s3 from './s3';
import { bucketLifecycleConfiguration } from './s3-lifecycle';
import { bucketObject } from './s3-object';
import * as groups from './security-groups';
import * as network from './vpc';
import { vpcEndpoint } from './vpc-endpoint';

export const resources: ResourceTable = {
  'aws:cloudwatch/logGroup:LogGroup': logGroup,
  'aws:ec2/defaultSecurityGroup:DefaultSecurityGroup': groups.defaultSecurityGroup,
  'aws:ec2/eip:Eip': eip,
  'aws:ec2/flowLog:FlowLog': flowLog,
  'aws:ec2/internetGateway:InternetGateway': network.internetGateway,
  'aws:ec2/natGateway:NatGateway': natGateway,
  'aws:ec2/route:Route': routes.route,
  'aws:ec2/routeTable:RouteTable': routes.routeTable,
  'aws:ec2/routeTableAssociation:RouteTableAssociation': routes.routeTableAssociation,
  'aws:ec2/securityGroup:SecurityGroup': groups.securityGroup,
  'aws:ec2/subnet:Subnet': network.subnet,
  'aws:ec2/vpc:Vpc': network.vpc,
  'aws:ec2/vpcEndpoint:VpcEndpoint': vpcEndpoint,
  'aws:iam/instanceProfile:InstanceProfile': iam.instanceProfile,
  'aws:iam/role:Role': iam.role,
  'aws:iam/rolePolicy:RolePolicy': iam.rolePolicy,
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment': iam.rolePolicyAttachment,
  'aws:s3/bucket:Bucket': s3.bucket,
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': bucketLifecycleConfiguration,
  'aws:s3/bucketObjectv2:BucketObjectv2': bucketObject,
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': s3.bucketOwnershipControls,
  'aws:s3/bucketPolicy:BucketPolicy': s3.bucketPolicy,
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': s3.bucketPublicAccessBlock,
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration':
    s3.bucketServerSideEncryptionConfiguration,
  'aws:s3/bucketVersioning:BucketVersioning': s3.bucketVersioning,
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule': groups.securityGroupEgressRule,
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule': groups.securityGroupIngressRule,
};
