from __future__ import annotations

import shutil
import subprocess
import unittest
from typing import Any

from account import ASSEMBLY, HOSTS, Network, client, control, eventually
from botocore.exceptions import ClientError
from moto.ec2.models.security_groups import SecurityGroup, SecurityGroupRule
from skyfleet_aws.firewall import Inbound, inbound, match, restore_input

ANYWHERE = "0.0.0.0/0"
SSH = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}


class Backend:
    account_id = "123456789012"
    region_name = "us-west-2"
    vpcs: dict[str, Any] = {}
    tags: dict[str, Any] = {}


def group(*rules: SecurityGroupRule) -> SecurityGroup:
    made = SecurityGroup(Backend(), "sg-own", "nodes", "nodes")
    made.ingress_rules = list(rules)
    return made


def rule(
    protocol: str, first: str | None = None, last: str | None = None, **source: Any
) -> SecurityGroupRule:
    source_group = source.get("group")
    ip_range = None if source_group else {"CidrIp": source.get("cidr", ANYWHERE)}
    named = {"GroupId": source_group} if source_group else None
    return SecurityGroupRule(Backend(), protocol, "sg-own", first, last, ip_range, named)


class Rules(unittest.TestCase):
    """The pure part: rules and members to what the packet filter is made of."""

    def test_a_range_of_addresses_may_reach_a_range_of_ports(self) -> None:
        allowed = inbound([group(rule("tcp", "22", "23", cidr="192.0.2.0/24"))], {})
        self.assertEqual(allowed, [Inbound("192.0.2.0/24", "tcp", (22, 23))])
        self.assertEqual(match(allowed[0]), "-s 192.0.2.0/24 -p tcp --dport 22:23")

    def test_a_referenced_group_stands_for_the_addresses_of_its_members(self) -> None:
        members = {"sg-peers": ["10.0.0.4/32", "54.214.0.2/32"], "sg-others": ["10.0.0.9/32"]}
        allowed = inbound([group(rule("-1", group="sg-peers"))], members)
        self.assertEqual([match(one) for one in allowed], ["-s 10.0.0.4/32", "-s 54.214.0.2/32"])

    def test_a_referenced_group_without_members_allows_nothing(self) -> None:
        self.assertEqual(inbound([group(rule("-1", group="sg-empty"))], {}), [])

    def test_the_groups_of_an_instance_add_up(self) -> None:
        groups = [group(rule("tcp", "22", "22")), group(rule("tcp", "22", "22"), rule("udp", "53", "53"))]
        self.assertEqual(
            [match(one) for one in inbound(groups, {})],
            [f"-s {ANYWHERE} -p tcp --dport 22:22", f"-s {ANYWHERE} -p udp --dport 53:53"],
        )

    def test_icmp_has_types_and_codes_for_ports(self) -> None:
        said = {
            ("-1", "-1"): f"-s {ANYWHERE} -p icmp",
            ("8", "-1"): f"-s {ANYWHERE} -p icmp --icmp-type 8",
            ("3", "4"): f"-s {ANYWHERE} -p icmp --icmp-type 3/4",
        }
        for (kind, code), expected in said.items():
            [allowed] = inbound([group(rule("icmp", kind, code))], {})
            self.assertEqual(match(allowed), expected)

    def test_other_protocols_are_named_by_their_number(self) -> None:
        [allowed] = inbound([group(rule("50", "-1", "-1"))], {})
        self.assertEqual(match(allowed), f"-s {ANYWHERE} -p 50")

    def test_ipv6_ranges_and_prefix_lists_allow_nothing(self) -> None:
        six = SecurityGroupRule(Backend(), "-1", "sg-own", None, None, {"CidrIpv6": "::/0"})
        listed = SecurityGroupRule(
            Backend(), "-1", "sg-own", None, None, None, None, {"PrefixListId": "pl-1"}
        )
        self.assertEqual(inbound([group(six, listed)], {}), [])

    def test_the_metadata_service_and_replies_pass_first_and_the_rest_is_dropped_last(self) -> None:
        lines = restore_input([Inbound("192.0.2.0/24", "tcp", (22, 22))], hook=True).splitlines()
        self.assertEqual(lines[0], "*mangle")
        self.assertIn("-I PREROUTING 1 -i eth0 -j SKYFLEET-GROUPS", lines)
        chain = [line for line in lines if line.startswith("-A SKYFLEET-GROUPS")]
        self.assertEqual(chain[0], "-A SKYFLEET-GROUPS -s 169.254.169.254/32 -j RETURN")
        self.assertIn("--ctstate RELATED,ESTABLISHED -j RETURN", chain[1])
        self.assertEqual(chain[-1], "-A SKYFLEET-GROUPS -j DROP")
        self.assertEqual(lines[-1], "COMMIT")

    def test_a_chain_that_hangs_already_is_not_hung_again(self) -> None:
        self.assertNotIn("-I PREROUTING", restore_input([], hook=False))

    @unittest.skipUnless(shutil.which("iptables-restore"), "needs iptables")
    def test_iptables_takes_what_is_made(self) -> None:
        every = group(
            rule("-1", cidr="10.0.0.0/8"),
            rule("tcp", "0", "65535"),
            rule("udp", "53", "53"),
            rule("icmp", "-1", "-1"),
            rule("icmp", "8", "-1"),
            rule("icmp", "3", "4"),
            rule("50", "-1", "-1"),
        )
        text = restore_input(inbound([every], {}), hook=True)
        command = ["iptables-restore", "--noflush", "--test"]
        result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


class Enforcement(unittest.TestCase):
    """What the hosts of the account are told to let in."""

    def setUp(self) -> None:
        HOSTS.failure = None
        HOSTS.may_boot.set()
        control("DELETE", "fail")
        control("POST", "termination", {"seconds": 0.1})

    def running(self, network: Network, **more: Any) -> str:
        [instance] = network.run(**more)
        network.wait_for(instance, "running")
        return instance

    def allowed(self, instance: str) -> list[str]:
        lines = HOSTS.admitted[instance].splitlines()
        chain = [line.removeprefix("-A SKYFLEET-GROUPS ") for line in lines if line.startswith("-A SKYFLEET")]
        return [line.removesuffix(" -j RETURN") for line in chain[2:-1]]

    def own(self, network: Network, *instances: str) -> list[str]:
        described = [network.instance(instance) for instance in instances]
        addresses = [one[key] for one in described for key in ("PrivateIpAddress", "PublicIpAddress")]
        return sorted(f"-s {address}/32" for address in addresses)

    def test_an_instance_is_held_to_its_groups_before_it_runs(self) -> None:
        network = Network("10.70.0.0/16")
        instance = self.running(network)
        self.assertEqual(self.allowed(instance), self.own(network, instance))
        self.assertIn("-I PREROUTING", HOSTS.admitted[instance])

    def test_a_rule_holds_from_the_answer_on_and_until_it_is_revoked(self) -> None:
        network = Network("10.71.0.0/16")
        instance = self.running(network)
        ssh = {**SSH, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
        given = network.ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[ssh])
        self.assertIn("-s 192.0.2.0/24 -p tcp --dport 22:22", self.allowed(instance))
        self.assertNotIn("-I PREROUTING", HOSTS.admitted[instance])
        rule_id = given["SecurityGroupRules"][0]["SecurityGroupRuleId"]
        changed = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv4": "198.51.100.0/24"}
        network.ec2.modify_security_group_rules(
            GroupId=network.group,
            SecurityGroupRules=[{"SecurityGroupRuleId": rule_id, "SecurityGroupRule": changed}],
        )
        self.assertIn("-s 198.51.100.0/24 -p tcp --dport 22:22", self.allowed(instance))
        self.assertNotIn("-s 192.0.2.0/24 -p tcp --dport 22:22", self.allowed(instance))
        network.ec2.revoke_security_group_ingress(GroupId=network.group, SecurityGroupRuleIds=[rule_id])
        self.assertEqual(self.allowed(instance), self.own(network, instance))

    def test_members_come_and_go(self) -> None:
        network = Network("10.72.0.0/16")
        first = self.running(network)
        second = self.running(network)
        both = self.own(network, first, second)
        self.assertEqual(sorted(self.allowed(first)), both)
        self.assertEqual(sorted(self.allowed(second)), both)
        own = self.own(network, first)
        network.ec2.terminate_instances(InstanceIds=[second])
        network.wait_for(second, "terminated")
        eventually(lambda: self.allowed(first) == own)

    def test_groups_of_one_vpc_and_another_do_not_mix(self) -> None:
        here, there = Network("10.73.0.0/16"), Network("10.74.0.0/16", "us-east-1")
        first, other = self.running(here), self.running(there)
        self.assertEqual(self.allowed(first), self.own(here, first))
        self.assertEqual(self.allowed(other), self.own(there, other))

    def test_another_group_replaces_the_former(self) -> None:
        network = Network("10.75.0.0/16")
        instance = self.running(network)
        group = network.ec2.create_security_group(GroupName="other", Description="other", VpcId=network.vpc)
        other = group["GroupId"]
        network.ec2.modify_instance_attribute(InstanceId=instance, Groups=[other])
        self.assertEqual(self.allowed(instance), [])
        [interface] = network.instance(instance)["NetworkInterfaces"]
        self.assertEqual([one["GroupId"] for one in interface["Groups"]], [other])
        network.ec2.modify_network_interface_attribute(
            NetworkInterfaceId=interface["NetworkInterfaceId"], Groups=[network.group]
        )
        described = network.instance(instance)
        self.assertEqual([one["GroupId"] for one in described["SecurityGroups"]], [network.group])
        self.assertEqual(self.allowed(instance), self.own(network, instance))

    def test_a_host_that_is_started_again_gets_all_of_it_again(self) -> None:
        network = Network("10.76.0.0/16")
        instance = self.running(network)
        network.ec2.stop_instances(InstanceIds=[instance])
        network.wait_for(instance, "stopped")
        HOSTS.admitted.pop(instance)
        ssh = {**SSH, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
        network.ec2.authorize_security_group_ingress(GroupId=network.group, IpPermissions=[ssh])
        self.assertNotIn(instance, HOSTS.admitted)
        network.ec2.start_instances(InstanceIds=[instance])
        network.wait_for(instance, "running")
        self.assertIn("-I PREROUTING", HOSTS.admitted[instance])
        self.assertIn("-s 192.0.2.0/24 -p tcp --dport 22:22", self.allowed(instance))

    def test_a_host_that_reboots_gets_all_of_it_again(self) -> None:
        network = Network("10.79.0.0/16")
        instance = self.running(network)
        before = network.instance(instance)
        HOSTS.admitted.pop(instance)
        network.ec2.reboot_instances(InstanceIds=[instance])
        eventually(lambda: "-I PREROUTING" in HOSTS.admitted.get(instance, ""))
        calls = [call for call, one in HOSTS.calls if one == instance]
        self.assertEqual(calls, ["create", "stop", "start"])
        after = network.instance(instance)
        self.assertEqual(after["PublicIpAddress"], before["PublicIpAddress"])
        self.assertEqual(after["State"]["Name"], "running")

    def test_the_control_api_tells_what_is_let_in(self) -> None:
        network = Network("10.80.0.0/16")
        instance = self.running(network)
        [listed] = [one for one in control("GET", "instances") if one["id"] == instance]
        self.assertEqual(listed["inbound"], self.own(network, instance))

    def test_an_instance_without_groups_of_its_own_has_the_default_group(self) -> None:
        network = Network("10.77.0.0/16")
        interface = {"DeviceIndex": 0, "SubnetId": network.subnet, "AssociatePublicIpAddress": True}
        [instance] = network.ec2.run_instances(
            ImageId="ami-0e1ac0de5ca1ab1e0", MinCount=1, MaxCount=1, NetworkInterfaces=[interface]
        )["Instances"]
        network.wait_for(instance["InstanceId"], "running")
        [group] = network.instance(instance["InstanceId"])["SecurityGroups"]
        self.assertEqual(group["GroupName"], "default")

    def test_a_group_that_does_not_exist_is_refused(self) -> None:
        network = Network("10.78.0.0/16")
        instance = self.running(network)
        [interface] = network.instance(instance)["NetworkInterfaces"]
        unknown = "sg-00000000000000000"
        ec2: Any = client("ec2")
        calls: list[tuple[Any, dict[str, Any]]] = [
            (ec2.modify_instance_attribute, {"InstanceId": instance}),
            (
                ec2.modify_network_interface_attribute,
                {"NetworkInterfaceId": interface["NetworkInterfaceId"]},
            ),
        ]
        for call, of in calls:
            with self.assertRaises(ClientError) as raised:
                call(**of, Groups=[unknown])
            self.assertEqual(raised.exception.response["Error"]["Code"], "InvalidGroup.NotFound")
        network.group = unknown
        with self.assertRaises(ClientError) as raised:
            network.run()
        self.assertEqual(raised.exception.response["Error"]["Code"], "InvalidGroup.NotFound")


def tearDownModule() -> None:
    ASSEMBLY.machines.close()


if __name__ == "__main__":
    unittest.main()
