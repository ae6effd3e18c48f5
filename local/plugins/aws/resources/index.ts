/**
 * Every type that this stand-in serves. A new one is an entry here and its definition in the file of its service:
 * its inputs (what is not listed is refused), its outputs, and how AWS creates, reads, updates and deletes it.
 */
import type { ResourceTable } from '../provider';
import * as ec2 from './ec2';
import * as iam from './iam';
import * as s3 from './s3';
import * as groups from './security-groups';

export const resources: ResourceTable = {
  'aws:ec2/defaultSecurityGroup:DefaultSecurityGroup': groups.defaultSecurityGroup,
  'aws:ec2/internetGateway:InternetGateway': ec2.internetGateway,
  'aws:ec2/route:Route': ec2.route,
  'aws:ec2/routeTable:RouteTable': ec2.routeTable,
  'aws:ec2/routeTableAssociation:RouteTableAssociation': ec2.routeTableAssociation,
  'aws:ec2/securityGroup:SecurityGroup': groups.securityGroup,
  'aws:ec2/subnet:Subnet': ec2.subnet,
  'aws:ec2/vpc:Vpc': ec2.vpc,
  'aws:ec2/vpcEndpoint:VpcEndpoint': ec2.vpcEndpoint,
  'aws:iam/instanceProfile:InstanceProfile': iam.instanceProfile,
  'aws:iam/role:Role': iam.role,
  'aws:iam/rolePolicy:RolePolicy': iam.rolePolicy,
  'aws:iam/rolePolicyAttachment:RolePolicyAttachment': iam.rolePolicyAttachment,
  'aws:s3/bucket:Bucket': s3.bucket,
  'aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration': s3.bucketLifecycleConfiguration,
  'aws:s3/bucketOwnershipControls:BucketOwnershipControls': s3.bucketOwnershipControls,
  'aws:s3/bucketPolicy:BucketPolicy': s3.bucketPolicy,
  'aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock': s3.bucketPublicAccessBlock,
  'aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration':
    s3.bucketServerSideEncryptionConfiguration,
  'aws:s3/bucketVersioning:BucketVersioning': s3.bucketVersioning,
  'aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule': groups.securityGroupEgressRule,
  'aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule': groups.securityGroupIngressRule,
};
