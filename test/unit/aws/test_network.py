from __future__ import annotations

import unittest
from typing import Any

from account import ASSEMBLY, HOSTS, Network, client, control, eventually, make_profile
from botocore.exceptions import ClientError


class NetworkTest(unittest.TestCase):
    def refused(self, code: str, call: Any, **arguments: Any) -> None:
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)


class Gateway:
    """A NAT gateway with an address, in a network of its own."""

    def __init__(self, cidr: str):
        self.network = Network(cidr)
        self.ec2 = self.network.ec2
        self.allocation = self.ec2.allocate_address(Domain="vpc")["AllocationId"]

    def make(self) -> str:
        made = self.ec2.create_nat_gateway(SubnetId=self.network.subnet, AllocationId=self.allocation)
        self.id = str(made["NatGateway"]["NatGatewayId"])
        return str(made["NatGateway"]["State"])

    @property
    def described(self) -> dict[str, Any]:
        return dict(self.ec2.describe_nat_gateways(NatGatewayIds=[self.id])["NatGateways"][0])

    def wait_for(self, state: str) -> None:
        eventually(lambda: self.described["State"] == state)


class NatGateways(NetworkTest):
    def test_a_gateway_comes_and_goes_and_holds_what_it_has_until_it_is_gone(self) -> None:
        nat = Gateway("10.90.0.0/16")
        self.assertEqual(nat.make(), "pending")
        nat.wait_for("available")
        [address] = nat.described["NatGatewayAddresses"]
        self.assertTrue(address["PrivateIp"].startswith("10.90.1."), address)
        self.assertTrue(address["PublicIp"].startswith("54.214."), address)
        ec2, network = nat.ec2, nat.network
        self.refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=nat.allocation)
        detach = {"InternetGatewayId": network.gateway, "VpcId": network.vpc}
        self.refused("DependencyViolation", ec2.detach_internet_gateway, **detach)
        ec2.delete_nat_gateway(NatGatewayId=nat.id)
        self.assertEqual(nat.described["State"], "deleting")
        self.refused("DependencyViolation", ec2.delete_subnet, SubnetId=network.subnet)
        self.refused("InvalidIPAddress.InUse", ec2.release_address, AllocationId=nat.allocation)
        nat.wait_for("deleted")
        ec2.release_address(AllocationId=nat.allocation)
        ec2.delete_subnet(SubnetId=network.subnet)
        ec2.detach_internet_gateway(**detach)

    def test_a_gateway_in_a_network_without_an_internet_gateway_fails(self) -> None:
        nat = Gateway("10.91.0.0/16")
        network = nat.network
        nat.ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=network.vpc)
        nat.make()
        nat.wait_for("failed")
        self.assertEqual(nat.described["FailureCode"], "Gateway.NotAttached")
        nat.ec2.release_address(AllocationId=nat.allocation)
        nat.ec2.delete_subnet(SubnetId=network.subnet)

    def test_an_address_serves_one_gateway(self) -> None:
        nat = Gateway("10.92.0.0/16")
        nat.make()
        self.refused(
            "Resource.AlreadyAssociated",
            nat.ec2.create_nat_gateway,
            SubnetId=nat.network.subnet,
            AllocationId=nat.allocation,
        )
        listed = nat.ec2.describe_network_interfaces(
            Filters=[{"Name": "subnet-id", "Values": [nat.network.subnet]}]
        )
        self.assertEqual(len(listed["NetworkInterfaces"]), 1)

    def test_a_gateway_that_does_not_exist_is_not_found(self) -> None:
        ec2 = client("ec2")
        self.refused("NatGatewayNotFound", ec2.describe_nat_gateways, NatGatewayIds=["nat-0123"])
        self.refused("NatGatewayNotFound", ec2.delete_nat_gateway, NatGatewayId="nat-0123")

    def test_elastic_addresses_are_none_of_the_instances(self) -> None:
        HOSTS.failure = None
        nat = Gateway("10.93.0.0/16")
        [instance] = nat.network.run()
        [address] = nat.ec2.describe_addresses(AllocationIds=[nat.allocation])["Addresses"]
        self.assertNotEqual(address["PublicIp"], nat.network.instance(instance)["PublicIpAddress"])


class DefaultGroup(NetworkTest):
    def default_group(self, network: Network) -> dict[str, Any]:
        filters = [
            {"Name": "vpc-id", "Values": [network.vpc]},
            {"Name": "group-name", "Values": ["default"]},
        ]
        [group] = network.ec2.describe_security_groups(Filters=filters)["SecurityGroups"]
        return dict(group)

    def test_the_default_group_admits_its_members_until_it_is_emptied(self) -> None:
        network = Network("10.94.0.0/16")
        group = self.default_group(network)
        group_id = group["GroupId"]
        [within] = group["IpPermissions"]
        self.assertEqual(within["UserIdGroupPairs"][0]["GroupId"], group_id)
        network.ec2.revoke_security_group_ingress(GroupId=group_id, IpPermissions=[within])
        network.ec2.revoke_security_group_egress(GroupId=group_id, IpPermissions=group["IpPermissionsEgress"])
        emptied = self.default_group(network)
        self.assertEqual((emptied["IpPermissions"], emptied["IpPermissionsEgress"]), ([], []))

    def test_the_default_group_goes_with_its_vpc(self) -> None:
        network = Network("10.95.0.0/16")
        ec2 = network.ec2
        ec2.delete_subnet(SubnetId=network.subnet)
        ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=network.vpc)
        ec2.delete_security_group(GroupId=network.group)
        ec2.delete_vpc(VpcId=network.vpc)
        self.refused("InvalidVpcID.NotFound", ec2.describe_vpcs, VpcIds=[network.vpc])


class FlowLogs(NetworkTest):
    def test_a_flow_log_goes_to_the_group_that_its_destination_names(self) -> None:
        network, logs = Network("10.96.0.0/16"), client("logs")
        write = {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
        make_profile("flow-logs", [write], trusted="vpc-flow-logs.amazonaws.com")
        logs.create_log_group(logGroupName="/skyfleet/flows")
        [group] = logs.describe_log_groups(logGroupNamePrefix="/skyfleet/flows")["logGroups"]
        for destination, status in (
            (group["arn"].removesuffix(":*"), "SUCCESS"),
            (group["arn"].replace("/flows", "/none").removesuffix(":*"), "FAILED"),
        ):
            [made] = network.ec2.create_flow_logs(
                ResourceIds=[network.vpc],
                ResourceType="VPC",
                TrafficType="ALL",
                LogDestinationType="cloud-watch-logs",
                LogDestination=destination,
                DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/flow-logs",
            )["FlowLogIds"]
            [flow_log] = network.ec2.describe_flow_logs(FlowLogIds=[made])["FlowLogs"]
            self.assertEqual(flow_log["DeliverLogsStatus"], status)

    def test_logs_are_kept_for_a_time_that_aws_offers(self) -> None:
        logs = client("logs")
        logs.create_log_group(logGroupName="/skyfleet/kept")
        retention = {"logGroupName": "/skyfleet/kept"}
        self.refused("InvalidParameterException", logs.put_retention_policy, **retention, retentionInDays=15)
        logs.put_retention_policy(**retention, retentionInDays=14)
        [group] = logs.describe_log_groups(logGroupNamePrefix="/skyfleet/kept")["logGroups"]
        self.assertEqual(group["retentionInDays"], 14)


class VersionedBuckets(NetworkTest):
    def test_a_versioned_bucket_can_be_deleted_once_its_versions_and_markers_are(self) -> None:
        s3 = client("s3")
        bucket: dict[str, Any] = {"Bucket": "skyfleet-versioned"}
        s3.create_bucket(**bucket, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        s3.put_bucket_versioning(**bucket, VersioningConfiguration={"Status": "Enabled"})
        for number in range(5):
            s3.put_object(**bucket, Key=f"token-{number % 2}", Body=str(number).encode())
        s3.delete_object(**bucket, Key="token-0")
        s3.delete_object(**bucket, Key="token-1")
        self.assertEqual(s3.list_objects_v2(**bucket)["KeyCount"], 0)
        self.refused("BucketNotEmpty", s3.delete_bucket, **bucket)
        found: list[dict[str, str]] = []
        pages = s3.get_paginator("list_object_versions").paginate(**bucket, PaginationConfig={"PageSize": 2})
        for page in pages:
            listed = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            found.extend({"Key": one["Key"], "VersionId": one["VersionId"]} for one in listed)
        self.assertEqual(len({one["VersionId"] for one in found}), 7)
        s3.delete_objects(**bucket, Delete={"Objects": found})
        s3.delete_bucket(**bucket)


def setUpModule() -> None:
    control("DELETE", "fail")


def tearDownModule() -> None:
    ASSEMBLY.machines.close()


if __name__ == "__main__":
    unittest.main()
