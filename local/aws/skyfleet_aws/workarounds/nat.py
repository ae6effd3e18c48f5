"""EC2's NAT gateways and the elastic addresses that they hold. None forwards a packet: the network has no way out."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from moto.ec2 import models
from moto.ec2.exceptions import DependencyViolationError, EC2ClientError, ResourceAlreadyAssociatedError
from moto.ec2.models import elastic_ip_addresses, nat_gateways

from ..machines import Machines
from ..settings import NAT_GATEWAY_SECONDS

# Their methods are replaced, which their types do not foresee.
EC2Backend: Any = models.EC2Backend
addresses: Any = elastic_ip_addresses
gateways: Any = nat_gateways


def apply(machines: Machines) -> None:
    elastic_addresses_are_unique(machines)
    elastic_addresses_in_use_stay()
    nat_gateways_have_an_address_of_their_subnet()
    nat_gateways_take_their_time(machines)
    unknown_nat_gateways_are_not_found()


def elastic_addresses_are_unique(machines: Machines) -> None:
    """moto draws elastic addresses at random, from the loopback network.
    Needed as long as the instances' public addresses come from elsewhere than moto, which is to say always."""
    addresses.random_ip = machines.next_public_ip


def elastic_addresses_in_use_stay() -> None:
    """EC2 releases no address that something has, and lets no gateway go whose VPC has addresses mapped; moto does.
    No longer needed when ReleaseAddress of a NAT gateway's address answers InvalidIPAddress.InUse, and
    DetachInternetGateway of its VPC DependencyViolation."""
    original_release = EC2Backend.release_address
    original_detach = EC2Backend.detach_internet_gateway

    def release_address(self: Any, address: str | None = None, allocation_id: str | None = None) -> None:
        found = self.address_by_ip([address]) if address else self.address_by_allocation([allocation_id])
        if found[0].association_id:
            raise EC2ClientError("InvalidIPAddress.InUse", f"Address {found[0].public_ip} is in use.")
        original_release(self, address=address, allocation_id=allocation_id)

    def detach_internet_gateway(self: Any, internet_gateway_id: str, vpc_id: str) -> None:
        if any(one.eni and one.eni.subnet.vpc_id == vpc_id for one in self.addresses):
            raise DependencyViolationError(
                f"Network {vpc_id} has some mapped public address(es). "
                "Please unmap those public address(es) before detaching the gateway."
            )
        original_detach(self, internet_gateway_id, vpc_id)

    EC2Backend.release_address = release_address
    EC2Backend.detach_internet_gateway = detach_internet_gateway


def nat_gateways_have_an_address_of_their_subnet() -> None:
    """moto gives a NAT gateway any private address at all.
    No longer needed when the PrivateIp of a new NAT gateway lies in its subnet."""

    def of_the_subnet() -> None:
        """Without an address, an interface gets the next one of its subnet."""

    gateways.random_private_ip = of_the_subnet


def nat_gateways_take_their_time(machines: Machines) -> None:
    """A NAT gateway is pending first, fails where its network has no internet gateway, and gives its address and
    interface back when it is deleted; in moto it is available at once, and keeps both for ever.
    No longer needed when CreateNatGateway answers the state pending, a VPC without an internet gateway makes it fail
    with Gateway.NotAttached, and its subnet can be deleted once it is deleted."""
    original_create = EC2Backend.create_nat_gateway

    def later(change: Callable[[], None]) -> None:
        def locked() -> None:
            with machines.api:
                change()

        timer = threading.Timer(NAT_GATEWAY_SECONDS, locked)
        timer.daemon = True
        timer.start()

    def create_nat_gateway(self: Any, subnet_id: str, allocation_id: str, *args: Any, **kwargs: Any) -> Any:
        # Before moto has made an interface for it.
        for address in self.address_by_allocation([allocation_id]) if allocation_id else []:
            if address.association_id:
                raise ResourceAlreadyAssociatedError(address.public_ip)
        gateway = original_create(self, subnet_id, allocation_id, *args, **kwargs)
        gateway.state = "pending"
        later(lambda: begin(self, gateway))
        return gateway

    def begin(backend: Any, gateway: Any) -> None:
        if gateway.state != "pending":
            return
        connected = any(
            one.vpc and one.vpc.id == gateway.vpc_id for one in backend.internet_gateways.values()
        )
        if connected or gateway.connectivity_type == "private":
            gateway.state = "available"
            return
        gateway.state = "failed"
        gateway.failure_code = "Gateway.NotAttached"
        gateway.failure_message = f"Network {gateway.vpc_id} has no Internet gateway attached"
        give_back(backend, gateway)

    def delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
        gateway = self.nat_gateways[nat_gateway_id]
        if gateway.state not in ("deleting", "deleted"):
            gateway.state = "deleting"
            later(lambda: end(self, gateway))
        return gateway

    def end(backend: Any, gateway: Any) -> None:
        gateway.state = "deleted"
        give_back(backend, gateway)

    def give_back(backend: Any, gateway: Any) -> None:
        for address in backend.addresses:
            if address.eni is gateway._eni:
                backend.disassociate_address(address=address.public_ip)
        if gateway._eni.id in backend.enis:
            gateway._eni.delete()

    EC2Backend.create_nat_gateway = create_nat_gateway
    EC2Backend.delete_nat_gateway = delete_nat_gateway


def unknown_nat_gateways_are_not_found() -> None:
    """moto leaves unknown ones out of what it describes, and fails to delete them.
    No longer needed when DescribeNatGateways and DeleteNatGateway of an id that was never given answer
    NatGatewayNotFound."""
    original_describe = EC2Backend.describe_nat_gateways
    original_delete = EC2Backend.delete_nat_gateway

    def check(backend: Any, nat_gateway_ids: list[str]) -> None:
        for one in nat_gateway_ids:
            if one not in backend.nat_gateways:
                raise EC2ClientError("NatGatewayNotFound", f"The Nat Gateway {one} was not found")

    def describe_nat_gateways(self: Any, filters: Any, nat_gateway_ids: list[str] | None) -> Any:
        check(self, nat_gateway_ids or [])
        return original_describe(self, filters, nat_gateway_ids)

    def delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
        check(self, [nat_gateway_id])
        return original_delete(self, nat_gateway_id)

    EC2Backend.describe_nat_gateways = describe_nat_gateways
    EC2Backend.delete_nat_gateway = delete_nat_gateway
