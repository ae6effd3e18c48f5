from __future__ import annotations

import re
import unittest
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from account import (
    ASSEMBLY,
    ENDPOINT,
    HOSTS,
    Network,
    client,
    control,
    eventually,
    make_profile,
    requests_logged,
)
from botocore.exceptions import ClientError


class Lifecycle(unittest.TestCase):
    def refused(self, code: str, call: Any, **arguments: Any) -> None:
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)

    def setUp(self) -> None:
        HOSTS.failure = None
        HOSTS.may_boot.set()
        control("DELETE", "fail")
        control("POST", "termination", {"seconds": 0.3})

    def test_an_instance_is_pending_until_its_host_is_up(self) -> None:
        network = Network()
        HOSTS.may_boot.clear()
        [instance] = network.run()
        self.assertEqual(network.state(instance), "pending")
        HOSTS.may_boot.set()
        network.wait_for(instance, "running")
        self.assertIn(instance, HOSTS.present)

    def test_what_was_asked_for_is_what_is_described(self) -> None:
        network = Network()
        make_profile("described", [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}])
        tags = [
            {"ResourceType": "instance", "Tags": [{"Key": "place", "Value": "local-0"}]},
            {"ResourceType": "volume", "Tags": [{"Key": "place", "Value": "local-0"}]},
        ]
        instances = network.run(2, IamInstanceProfile={"Name": "described"}, TagSpecifications=tags)
        for instance_id in instances:
            instance = network.instance(instance_id)
            self.assertEqual(instance["InstanceLifecycle"], "spot")
            self.assertEqual(instance["VpcId"], network.vpc)
            self.assertEqual(instance["SubnetId"], network.subnet)
            self.assertEqual([group["GroupId"] for group in instance["SecurityGroups"]], [network.group])
            self.assertTrue(instance["IamInstanceProfile"]["Arn"].endswith(":instance-profile/described"))
            self.assertEqual(instance["Tags"], [{"Key": "place", "Value": "local-0"}])
            self.assertEqual(instance["MetadataOptions"]["HttpTokens"], "required")
            self.assertEqual(instance["MetadataOptions"]["HttpPutResponseHopLimit"], 1)
            [mapping] = instance["BlockDeviceMappings"]
            self.assertTrue(mapping["Ebs"]["DeleteOnTermination"])
            [volume] = network.ec2.describe_volumes(VolumeIds=[mapping["Ebs"]["VolumeId"]])["Volumes"]
            self.assertEqual((volume["Size"], volume["Encrypted"]), (30, True))
            self.assertEqual(volume["Tags"], [{"Key": "place", "Value": "local-0"}])

    def test_the_log_has_the_parameters_of_a_launch_without_the_user_data(self) -> None:
        network = Network()
        network.run(UserData="#cloud-config\nplanted: secret\n")
        entry = [entry for entry in requests_logged() if entry["action"] == "RunInstances"][-1]
        self.assertEqual(entry["params"]["NetworkInterface.1.SubnetId"], network.subnet)
        self.assertEqual(entry["params"]["BlockDeviceMapping.1.Ebs.Encrypted"], "true")
        self.assertNotIn("UserData", entry["params"])
        self.assertEqual((entry["service"], entry["region"], entry["status"]), ("ec2", "us-west-2", 200))

    def test_the_network_of_an_instance_cannot_be_deleted_before_it_is_terminated(self) -> None:
        network = Network("10.43.0.0/16")
        [instance] = network.run()
        network.wait_for(instance, "running")
        control("POST", "termination", {"seconds": 3})
        network.ec2.terminate_instances(InstanceIds=[instance])
        self.assertEqual(network.state(instance), "shutting-down")
        ec2 = network.ec2
        self.refused("DependencyViolation", ec2.delete_subnet, SubnetId=network.subnet)
        self.refused("DependencyViolation", ec2.delete_security_group, GroupId=network.group)
        self.refused(
            "DependencyViolation",
            ec2.detach_internet_gateway,
            InternetGatewayId=network.gateway,
            VpcId=network.vpc,
        )
        self.refused("DependencyViolation", ec2.delete_vpc, VpcId=network.vpc)
        network.wait_for(instance, "terminated")
        ec2.delete_subnet(SubnetId=network.subnet)
        self.refused("DependencyViolation", ec2.delete_vpc, VpcId=network.vpc)
        ec2.detach_internet_gateway(InternetGatewayId=network.gateway, VpcId=network.vpc)
        self.refused("DependencyViolation", ec2.delete_vpc, VpcId=network.vpc)
        ec2.delete_security_group(GroupId=network.group)
        ec2.delete_vpc(VpcId=network.vpc)
        self.assertEqual(network.state(instance), "terminated")

    def test_a_rule_between_groups_keeps_its_description(self) -> None:
        network = Network("10.46.0.0/16")
        pair = {"GroupId": network.group, "Description": "among themselves"}
        network.ec2.authorize_security_group_ingress(
            GroupId=network.group, IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [pair]}]
        )
        filters = [{"Name": "group-id", "Values": [network.group]}]
        rules = network.ec2.describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        described = [rule.get("Description") for rule in rules if not rule["IsEgress"]]
        self.assertIn("among themselves", described)

    def test_a_group_named_in_another_groups_rule_cannot_be_deleted(self) -> None:
        network = Network("10.44.0.0/16")
        other = network.ec2.create_security_group(GroupName="other", Description="other", VpcId=network.vpc)
        from_nodes = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": network.group}]}
        network.ec2.authorize_security_group_ingress(GroupId=other["GroupId"], IpPermissions=[from_nodes])
        self.refused("DependencyViolation", network.ec2.delete_security_group, GroupId=network.group)

    def test_termination_takes_its_time_and_leaves_no_volume_and_no_interface(self) -> None:
        network = Network("10.45.0.0/16")
        control("POST", "termination", {"seconds": 3})
        [instance] = network.run()
        network.wait_for(instance, "running")
        [volume] = [m["Ebs"]["VolumeId"] for m in network.instance(instance)["BlockDeviceMappings"]]
        network.ec2.terminate_instances(InstanceIds=[instance])
        eventually(lambda: instance not in HOSTS.present)
        self.assertEqual(network.state(instance), "shutting-down")
        network.wait_for(instance, "terminated")
        self.refused("InvalidVolume.NotFound", network.ec2.describe_volumes, VolumeIds=[volume])
        in_subnet = [{"Name": "subnet-id", "Values": [network.subnet]}]
        self.assertEqual(network.ec2.describe_network_interfaces(Filters=in_subnet)["NetworkInterfaces"], [])

    def test_a_termination_waits_for_the_boot_under_way(self) -> None:
        network = Network("10.46.0.0/16")
        HOSTS.may_boot.clear()
        [instance] = network.run()
        network.ec2.terminate_instances(InstanceIds=[instance])
        HOSTS.may_boot.set()
        network.wait_for(instance, "terminated")
        self.assertNotIn(instance, HOSTS.present)

    def test_a_host_that_does_not_come_up_ends_the_instance_with_the_reason(self) -> None:
        network = Network("10.47.0.0/16")
        HOSTS.failure = "no space left"
        [instance] = network.run()
        network.wait_for(instance, "terminated")
        self.assertEqual(network.instance(instance)["StateReason"]["Code"], "Server.InternalError")

    def test_stopping_and_starting_keeps_the_host_and_changes_the_public_address(self) -> None:
        network = Network("10.48.0.0/16")
        [instance] = network.run()
        network.wait_for(instance, "running")
        before = network.instance(instance)
        network.ec2.stop_instances(InstanceIds=[instance])
        network.wait_for(instance, "stopped")
        network.ec2.start_instances(InstanceIds=[instance])
        network.wait_for(instance, "running")
        after = network.instance(instance)
        self.assertEqual(before["PrivateIpAddress"], after["PrivateIpAddress"])
        self.assertNotEqual(before["PublicIpAddress"], after["PublicIpAddress"])
        self.assertEqual([call for call, one in HOSTS.calls if one == instance], ["create", "stop", "start"])

    def test_a_preemption_comes_after_its_notice_and_says_why(self) -> None:
        network = Network("10.49.0.0/16")
        [instance] = network.run()
        network.wait_for(instance, "running")
        control("POST", f"preempt/{instance}", {"noticeSeconds": 2})
        self.assertEqual(network.state(instance), "running")
        network.wait_for(instance, "terminated")
        self.assertEqual(network.instance(instance)["StateReason"]["Code"], "Server.SpotInstanceTermination")

    def test_a_capacity_error_is_given_as_often_as_ordered_and_only_where_ordered(self) -> None:
        network = Network("10.50.0.0/16")
        order = {"op": "RunInstances", "code": "InsufficientInstanceCapacity", "message": "none", "count": 1}
        control("POST", "fail", {**order, "zone": "us-west-2b"})
        network.run()
        control("POST", "fail", {**order, "zone": "us-west-2a", "instanceType": "t3.medium"})
        self.refused("InsufficientInstanceCapacity", network.run)
        network.run()
        self.assertEqual([fault["zone"] for fault in control("GET", "fail")], ["us-west-2b"])

    def test_capacity_can_lack_in_one_market_alone(self) -> None:
        network = Network("10.54.0.0/16")
        order = {"op": "RunInstances", "code": "InsufficientInstanceCapacity", "message": "none", "count": 9}
        control("POST", "fail", {**order, "market": "spot"})
        self.refused("InsufficientInstanceCapacity", network.run)
        [instance] = network.run(spot=False)
        self.assertNotIn("InstanceLifecycle", network.instance(instance))
        control("DELETE", "fail")
        control("POST", "fail", {**order, "market": "on-demand"})
        network.run()
        self.refused("InsufficientInstanceCapacity", network.run, spot=False)

    def test_a_market_that_ec2_does_not_have_is_no_order(self) -> None:
        with self.assertRaises(urllib.error.HTTPError) as raised:
            control("POST", "fail", {"op": "RunInstances", "code": "Any", "market": "reserved"})
        self.assertEqual(raised.exception.code, 400)
        self.assertIn("reserved", raised.exception.read().decode())
        self.assertEqual(control("GET", "fail"), [])

    def test_only_spot_machines_are_taken_back(self) -> None:
        network = Network("10.55.0.0/16")
        [instance] = network.run(spot=False)
        network.wait_for(instance, "running")
        for event in ("preempt", "rebalance"):
            with self.assertRaises(urllib.error.HTTPError) as raised:
                control("POST", f"{event}/{instance}", {})
            self.assertEqual(raised.exception.code, 400)
        self.assertEqual(network.state(instance), "running")

    def test_addresses_are_unique_across_vpcs_of_one_range(self) -> None:
        one, other = Network("10.51.0.0/16"), Network("10.51.0.0/16", "us-east-1")
        machines = [one.instance(one.run()[0]), other.instance(other.run()[0])]
        self.assertEqual(len({machine["PrivateIpAddress"] for machine in machines}), 2)
        self.assertEqual(len({machine["PublicIpAddress"] for machine in machines}), 2)

    def test_a_subnet_that_the_bridge_does_not_carry_is_refused(self) -> None:
        self.refused("Unsupported", Network("172.20.0.0/16").run)

    def test_a_full_subnet_is_refused(self) -> None:
        network = Network("10.53.0.0/16")
        small = network.ec2.create_subnet(
            VpcId=network.vpc, CidrBlock="10.53.2.0/28", AvailabilityZone="us-west-2a"
        )
        network.subnet = small["Subnet"]["SubnetId"]
        network.run(11)
        self.refused("InsufficientFreeAddressesInSubnet", network.run)

    def test_a_region_that_is_not_enabled_is_refused(self) -> None:
        self.refused("AuthFailure", client("ec2", "ap-south-1").describe_vpcs)
        listed = client("ec2").describe_regions()["Regions"]
        self.assertEqual({region["RegionName"] for region in listed}, {"us-west-2", "us-east-1", "eu-west-1"})

    def test_zones_have_the_ids_that_the_catalog_names_them_by(self) -> None:
        catalog = Path(__file__).resolve().parents[3] / "local" / "tools" / "catalog.ts"
        named = re.findall(r"^  '([a-z0-9-]+)': \[(.*)\],$", catalog.read_text(), re.MULTILINE)
        self.assertEqual([region for region, _ in named], ["us-west-2", "us-east-1", "eu-west-1"])
        for region, ids in named:
            zones = client("ec2", region).describe_availability_zones()["AvailabilityZones"]
            in_order = [zone["ZoneId"] for zone in sorted(zones, key=lambda zone: str(zone["ZoneName"]))]
            self.assertEqual(in_order, re.findall(r"'([^']+)'", ids))

    def test_the_machine_image_is_known_in_all_regions(self) -> None:
        for region in ("us-west-2", "us-east-1", "eu-west-1"):
            [image] = client("ec2", region).describe_images(ImageIds=["ami-0e1ac0de5ca1ab1e0"])["Images"]
            self.assertEqual((image["Architecture"], image["RootDeviceName"]), ("x86_64", "/dev/sda1"))

    def test_a_machine_of_another_architecture_than_the_image_is_refused(self) -> None:
        network = Network("10.56.0.0/16")
        self.refused("InvalidParameterValue", network.run, instance_type="t4g.small")
        network.run(instance_type="g4dn.xlarge")

    def test_the_control_api_lists_instances_and_refuses_what_it_does_not_serve(self) -> None:
        network = Network("10.52.0.0/16")
        [instance] = network.run()
        [listed] = [one for one in control("GET", "instances") if one["id"] == instance]
        self.assertEqual((listed["lifecycle"], listed["zone"]), ("spot", "us-west-2a"))
        for path, status in (("nothing", 404), ("preempt/i-none", 404), ("fail", 400)):
            with self.assertRaises(urllib.error.HTTPError) as raised:
                control("POST", path, {"unknown": 1})
            self.assertEqual(raised.exception.code, status)

    def test_motos_own_control_api_is_not_served(self) -> None:
        with self.assertRaises(urllib.error.HTTPError) as raised:
            urllib.request.urlopen(f"{ENDPOINT}/moto-api/reset", data=b"")
        self.assertEqual(raised.exception.code, 404)


def tearDownModule() -> None:
    ASSEMBLY.machines.close()


if __name__ == "__main__":
    unittest.main()
