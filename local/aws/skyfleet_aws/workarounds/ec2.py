"""EC2: addresses, what launched instances report, their life cycle, and what their existence holds in place."""

from __future__ import annotations

import copy
from typing import Any

from moto.ec2 import models
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError
from moto.ec2.models import (
    elastic_network_interfaces,
    iam_instance_profile,
    instance_types,
    instances,
    subnets,
)
from moto.ec2.responses import instances as instance_responses

from ..hosts import can_carry
from ..machines import Machines
from ..settings import INSTANCE_NETWORK

# Their methods are replaced, which their types do not foresee.
EC2Backend: Any = models.EC2Backend
IamInstanceProfileAssociation: Any = iam_instance_profile.IamInstanceProfileAssociation
Instance: Any = instances.Instance
InstanceResponse: Any = instance_responses.InstanceResponse
Subnet: Any = subnets.Subnet
interfaces: Any = elastic_network_interfaces


def apply(machines: Machines, regions: tuple[str, ...]) -> None:
    only_enabled_regions_are_listed(regions)
    architectures_must_match()
    addresses_are_unique(machines)
    parts_made_by_run_instances_end_with_the_instance()
    every_instance_of_a_reservation_gets_the_profile()
    instances_are_machines(machines)
    instances_hold_their_network(machines)


def only_enabled_regions_are_listed(regions: tuple[str, ...]) -> None:
    """moto lists every region of AWS as enabled, and SkyPilot then asks each for its zones; in this account the others
    are not enabled, and refuse (server.py).
    No longer needed when moto can be told the regions of an account."""
    original = EC2Backend.describe_regions

    def describe_regions(self: Any, region_names: list[str] | None = None) -> list[Any]:
        return [region for region in original(self, region_names) if region.name in regions]

    EC2Backend.describe_regions = describe_regions


def architectures_must_match() -> None:
    """EC2 runs no machine image of another architecture than the instance type's; moto does, and an arm64 node would
    come up on the only image there is, which is of x86_64.
    No longer needed when RunInstances with a t4g.small and an x86_64 image answers InvalidParameterValue."""
    original = EC2Backend.run_instances

    def run_instances(self: Any, image_id: str, *args: Any, **kwargs: Any) -> Any:
        known = instance_types.INSTANCE_TYPES.get(kwargs["instance_type"])
        for image in self.describe_images(filters={"image-id": [image_id]}):
            supported = known["ProcessorInfo"]["SupportedArchitectures"] if known else [image.architecture]
            if image.architecture not in supported:
                raise EC2ClientError(
                    "InvalidParameterValue",
                    f"The architecture '{','.join(supported)}' of the specified instance type does not match the "
                    f"architecture '{image.architecture}' of the specified AMI.",
                )
        return original(self, image_id, *args, **kwargs)

    EC2Backend.run_instances = run_instances


def addresses_are_unique(machines: Machines) -> None:
    """moto draws public addresses at random, so two instances can share one, and counts private ones per subnet, so
    two VPCs of one range share them; here all instances hang on one bridge.
    Needed as long as moto's instances have no network of their own, which is to say always."""
    interfaces.random_public_ip = machines.next_public_ip
    original = Subnet.get_available_subnet_ip

    def get_available_subnet_ip(self: Any, instance: Any) -> str:
        while True:
            try:
                address = str(original(self, instance))
            except StopIteration:
                raise EC2ClientError(
                    "InsufficientFreeAddressesInSubnet", f"The subnet {self.id} has no free address."
                ) from None
            if not can_carry(address):
                raise EC2ClientError(
                    "Unsupported",
                    f"The emulated network carries subnets of {INSTANCE_NETWORK}; {self.id} has {self.cidr_block}",
                )
            if not machines.address_taken(address):
                return address

    Subnet.get_available_subnet_ip = get_available_subnet_ip


def parts_made_by_run_instances_end_with_the_instance() -> None:
    """EC2 deletes the primary interface and the root volume with the instance unless told otherwise; moto keeps them,
    and a subnet would stay in use for ever.
    No longer needed when a RunInstances without DeleteOnTermination leaves no interface and no volume behind."""
    original_nics = Instance.prep_nics

    def prep_nics(self: Any, nic_spec: list[dict[str, Any]], **rest: Any) -> None:
        original_nics(self, nic_spec, **rest)
        for nic in self.nics.values():
            asked = next((n for n in nic_spec if int(n.get("DeviceIndex", 0)) == nic.device_index), {})
            if "NetworkInterfaceId" not in asked:
                nic.delete_on_termination = asked.get("DeleteOnTermination") is not False

    Instance.prep_nics = prep_nics
    original_mapping = InstanceResponse._parse_block_device_mapping

    def parse_block_device_mapping(self: Any) -> list[dict[str, Any]]:
        mappings: list[dict[str, Any]] = original_mapping(self)
        for asked, mapping in zip(self._get_param("BlockDeviceMappings", []), mappings, strict=True):
            mapping["Ebs"]["DeleteOnTermination"] = (
                asked.get("Ebs", {}).get("DeleteOnTermination") is not False
            )
        return mappings

    InstanceResponse._parse_block_device_mapping = parse_block_device_mapping


def every_instance_of_a_reservation_gets_the_profile() -> None:
    """moto associates the profile of a RunInstances with its first instance only, and after the launch; and it reports
    the association's id as the profile's.
    No longer needed when RunInstances with MinCount 2 reports the profile's own id for both instances."""
    original_run = EC2Backend.run_instances

    def run_instances(self: Any, *args: Any, **kwargs: Any) -> Any:
        reservation = original_run(self, *args, **kwargs)
        name, arn = kwargs.get("iam_instance_profile_name"), kwargs.get("iam_instance_profile_arn")
        if name or arn:
            for instance in reservation.instances[1:]:
                self.associate_iam_instance_profile(
                    instance_id=instance.id, iam_instance_profile_name=name, iam_instance_profile_arn=arn
                )
        return reservation

    EC2Backend.run_instances = run_instances
    original_init = IamInstanceProfileAssociation.__init__

    def init(self: Any, *args: Any, **kwargs: Any) -> None:
        original_init(self, *args, **kwargs)
        profile = self.iam_instance_profile
        self.instance.iam_instance_profile = {"Arn": profile.arn, "Id": profile.id}

    IamInstanceProfileAssociation.__init__ = init


def instances_are_machines(machines: Machines) -> None:
    """moto's instances change state at once and are nothing but records; here each state change is made true on a
    host, and takes its time as on EC2. Always needed."""
    original_run = EC2Backend.run_instances

    def run_instances(self: Any, *args: Any, **kwargs: Any) -> Any:
        reservation = original_run(self, *args, **kwargs)
        for instance in reservation.instances:
            machines.launch(instance)
        return reservation

    EC2Backend.run_instances = run_instances
    original_start, original_stop, original_terminate = Instance.start, Instance.stop, Instance.terminate

    def start(self: Any) -> Any:
        if self.state != "stopped":
            if self.state in ("running", "pending"):
                return copy.copy(self._state)
            raise incorrect_state(self, "started")
        previous = original_start(self)
        machines.start(self)
        return previous

    def reboot(self: Any) -> None:
        if self.state != "running":
            raise incorrect_state(self, "rebooted")
        machines.reboot(self)

    def stop(self: Any) -> Any:
        previous = copy.copy(self._state)
        if self.state in ("stopping", "stopped"):
            return previous
        if self.state != "running":
            raise incorrect_state(self, "stopped")
        machines.stop(self, lambda: original_stop(self))
        return previous

    def terminate(self: Any) -> Any:
        previous = copy.copy(self._state)
        if self.state not in ("shutting-down", "terminated"):
            machines.terminate(self, lambda: finish_termination(self))
        return previous

    def finish_termination(instance: Any) -> None:
        reason = copy.copy(instance.state_reason)
        original_terminate(instance)
        if reason.code:  # a preemption or a failed boot has left its own
            instance.state_reason = reason

    Instance.start, Instance.reboot, Instance.stop, Instance.terminate = start, reboot, stop, terminate


def incorrect_state(instance: Any, done: str) -> EC2ClientError:
    return EC2ClientError(
        "IncorrectInstanceState",
        f"The instance '{instance.id}' is not in a state from which it can be {done}: {instance.state}",
    )


def instances_hold_their_network(machines: Machines) -> None:
    """EC2 refuses to delete a subnet, a group, a gateway's attachment or a VPC that something still uses; moto lets
    most of them go.
    No longer needed when DeleteSubnet under a running instance answers DependencyViolation, and so do DeleteSecurityGroup
    for its group, DetachInternetGateway for its VPC's gateway, and DeleteVpc while a gateway or a group is left."""

    def living(backend: Any) -> list[Any]:
        existing = [machine.instance for machine in machines.all()]
        return [one for one in existing if one.ec2_backend is backend and one.state != "terminated"]

    original_subnet = EC2Backend.delete_subnet
    original_group = EC2Backend.delete_security_group
    original_detach = EC2Backend.detach_internet_gateway
    original_vpc = EC2Backend.delete_vpc

    def delete_subnet(self: Any, subnet_id: str) -> Any:
        if any(nic.subnet.id == subnet_id for nic in self.enis.values()):
            raise DependencyViolationError(
                f"The subnet '{subnet_id}' has dependencies and cannot be deleted."
            )
        return original_subnet(self, subnet_id)

    def delete_security_group(self: Any, name: str | None = None, group_id: str | None = None) -> None:
        group = self.get_security_group_from_id(group_id) if group_id else None
        if group is not None:
            used = any(group in nic.group_set for nic in self.enis.values())
            named = any(
                rule.source_group.get("GroupId") == group.id
                for other in self.describe_security_groups()
                if other is not group
                for rule in [*other.ingress_rules, *other.egress_rules]
            )
            if used or named:
                raise DependencyViolationError(f"resource {group.id} has a dependent object")
        original_group(self, name=name, group_id=group_id)

    def detach_internet_gateway(self: Any, internet_gateway_id: str, vpc_id: str) -> None:
        if any(one.vpc_id == vpc_id and one.public_ip for one in living(self)):
            raise DependencyViolationError(
                f"Network {vpc_id} has some mapped public address(es). "
                "Please unmap those public address(es) before detaching the gateway."
            )
        original_detach(self, internet_gateway_id, vpc_id)

    def delete_vpc(self: Any, vpc_id: str) -> Any:
        attached = any(
            gateway.vpc and gateway.vpc.id == vpc_id for gateway in self.internet_gateways.values()
        )
        groups = any(group.name != "default" for group in self.groups.get(vpc_id, {}).values())
        if attached or groups:
            raise DependencyViolationError(f"The vpc '{vpc_id}' has dependencies and cannot be deleted.")
        return original_vpc(self, vpc_id)

    EC2Backend.delete_subnet = delete_subnet
    EC2Backend.delete_security_group = delete_security_group
    EC2Backend.detach_internet_gateway = detach_internet_gateway
    EC2Backend.delete_vpc = delete_vpc
