"""EC2's security groups: which of them an instance has, and what their rules say."""

from __future__ import annotations

from typing import Any

from moto.ec2 import models
from moto.ec2.exceptions import InvalidSecurityGroupNotFoundError
from moto.ec2.models import instances, security_groups

# Their methods are replaced, which their types do not foresee.
EC2Backend: Any = models.EC2Backend
Instance: Any = instances.Instance
SecurityGroup: Any = security_groups.SecurityGroup
SecurityGroupRule: Any = security_groups.SecurityGroupRule


def apply() -> None:
    security_groups_of_interfaces_are_reported()
    other_groups_replace_the_former()
    unknown_groups_are_refused()
    rules_between_groups_keep_their_description()
    default_groups_admit_their_members()


def security_groups_of_interfaces_are_reported() -> None:
    """DescribeInstances lists only groups given at the top level of RunInstances, not those of its interfaces, which
    is how SkyPilot names them.
    No longer needed when an instance run with NetworkInterfaces[0].Groups lists them as SecurityGroups."""

    original = Instance.prep_nics

    def prep_nics(self: Any, *args: Any, **kwargs: Any) -> None:
        original(self, *args, **kwargs)
        self.security_groups = self.security_groups or list(self.nics[0].group_set)

    Instance.prep_nics = prep_nics


def rules_between_groups_keep_their_description() -> None:
    """DescribeSecurityGroupRules gives the description of rules for address ranges only, and a program that set one
    for a group would find it changed each time.
    No longer needed when a rule whose source is a group comes back with the description that it was made with."""
    original = SecurityGroupRule.description

    def description(self: Any) -> str | None:
        of_range: str | None = original.fget(self)
        return of_range or self.source_group.get("Description")

    SecurityGroupRule.description = property(description)


def other_groups_replace_the_former() -> None:
    """An instance's groups are those of its primary interface, so a change of one is a change of the other. moto
    changes one of the two, and gives the instance the groups of both.
    No longer needed when ModifyInstanceAttribute with another group leaves the interface with that group alone, and
    ModifyNetworkInterfaceAttribute the instance."""
    original_instance = EC2Backend.modify_instance_security_groups
    original_interface = EC2Backend.modify_network_interface_attribute

    def modify_instance_security_groups(self: Any, instance_id: str, new_group_id_list: list[str]) -> Any:
        instance = original_instance(self, instance_id, new_group_id_list)
        instance.nics[0]._group_set = list(instance.security_groups)
        return instance

    def modify_network_interface_attribute(
        self: Any, eni_id: str, group_ids: list[str], *args: Any, **kwargs: Any
    ) -> None:
        original_interface(self, eni_id, group_ids, *args, **kwargs)
        interface = self.get_network_interface(eni_id)
        if group_ids and interface.instance and interface.device_index == 0:
            interface.instance.security_groups = list(interface._group_set)

    EC2Backend.modify_instance_security_groups = modify_instance_security_groups
    EC2Backend.modify_network_interface_attribute = modify_network_interface_attribute


def unknown_groups_are_refused() -> None:
    """moto makes a group that an interface names and that is not there, and gives an instance none in its stead.
    No longer needed when RunInstances with a group id that does not exist in NetworkInterfaces[0].Groups answers
    InvalidGroup.NotFound, and so do ModifyInstanceAttribute and ModifyNetworkInterfaceAttribute."""

    def check(backend: Any, group_ids: list[str] | None) -> None:
        for group_id in group_ids or []:
            if backend.get_security_group_from_id(group_id) is None:
                raise InvalidSecurityGroupNotFoundError(group_id)

    original_instance = EC2Backend.modify_instance_security_groups
    original_interface = EC2Backend.modify_network_interface_attribute
    original_run = EC2Backend.run_instances

    def run_instances(self: Any, *args: Any, **kwargs: Any) -> Any:
        # Before moto has recorded a reservation.
        for interface in kwargs.get("nics") or []:
            check(self, interface.get("Groups"))
        return original_run(self, *args, **kwargs)

    def modify_instance_security_groups(self: Any, instance_id: str, new_group_id_list: list[str]) -> Any:
        check(self, new_group_id_list)
        return original_instance(self, instance_id, new_group_id_list)

    def modify_network_interface_attribute(
        self: Any, eni_id: str, group_ids: list[str], *args: Any, **kwargs: Any
    ) -> None:
        check(self, group_ids)
        original_interface(self, eni_id, group_ids, *args, **kwargs)

    EC2Backend.run_instances = run_instances
    EC2Backend.modify_instance_security_groups = modify_instance_security_groups
    EC2Backend.modify_network_interface_attribute = modify_network_interface_attribute


def default_groups_admit_their_members() -> None:
    """A VPC's default group lets its members in; moto's lets in nothing, so that emptying it would look done.
    No longer needed when the default group of a new VPC has an inbound rule for all traffic from itself."""
    original = SecurityGroup.__init__

    def init(self: Any, ec2_backend: Any, group_id: str, *args: Any, **kwargs: Any) -> None:
        original(self, ec2_backend, group_id, *args, **kwargs)
        if self.is_default:
            account = ec2_backend.account_id
            itself = {"GroupId": group_id, "OwnerId": account, "UserId": account}
            rule = SecurityGroupRule(
                ec2_backend, "-1", group_id, None, None, None, source_group=itself, is_egress=False
            )
            self.ingress_rules.append(rule)

    SecurityGroup.__init__ = init
