"""The life cycle of instances: what happens behind the EC2 API after it has answered."""

from __future__ import annotations

import datetime
import itertools
import logging
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from . import firewall
from .hosts import Host
from .settings import PUBLIC_NETWORK, TERMINATED_VISIBLE_SECONDS

log = logging.getLogger(__name__)

# moto's Instance; moto ships no types.
Instance = Any

STATE_CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}


class HostProvider(Protocol):
    def create(self, host: Host) -> None: ...
    def start(self, instance_id: str) -> None: ...
    def stop(self, instance_id: str) -> None: ...
    def admit(self, instance_id: str, restore_input: str) -> None: ...
    def remove(self, instance_ids: list[str]) -> None: ...


@dataclass
class Machine:
    instance: Instance
    # Held while podman works on this machine, so that a termination waits for a boot under way.
    work: threading.Lock = field(default_factory=threading.Lock)
    # When EC2 takes a spot machine back, and when it recommended to leave it; None as long as it did neither.
    interruption_time: datetime.datetime | None = None
    rebalance_time: datetime.datetime | None = None
    # What the host's packet filter lets in; None while it has none. `filtered` is set where it has one.
    admitted: list[firewall.Inbound] | None = None
    filtered: threading.Event = field(default_factory=threading.Event)


def groups_of(instance: Instance) -> list[Any]:
    """The security groups of an instance, which are those of its primary interface; none once it is terminated."""
    return [] if instance.state == "terminated" else list(instance.nics[0].group_set)


def set_state(instance: Instance, name: str) -> None:
    instance._state.name = name
    instance._state.code = STATE_CODES[name]


class Machines:
    """Machines by instance id. `api` is the lock that every request to moto holds."""

    def __init__(self, hosts: HostProvider, api: threading.RLock, termination_seconds: float):
        self.hosts = hosts
        self.api = api
        self.termination_seconds = termination_seconds
        self._machines: dict[str, Machine] = {}
        # The network's own first address is the bridge's.
        self._public: Iterator[str] = map(str, itertools.islice(PUBLIC_NETWORK.hosts(), 1, None))
        self._closing = False

    def all(self) -> list[Machine]:
        with self.api:
            return list(self._machines.values())

    def get(self, instance_id: str) -> Machine | None:
        with self.api:
            return self._machines.get(instance_id)

    def at(self, private_ip: str) -> Machine | None:
        with self.api:
            for machine in self._machines.values():
                if machine.instance.private_ip == private_ip and machine.instance.state != "terminated":
                    return machine
        return None

    def address_taken(self, private_ip: str) -> bool:
        return self.at(private_ip) is not None

    def next_public_ip(self) -> str:
        return next(self._public)

    def launch(self, instance: Instance) -> None:
        """Called with the API lock held; the host boots after the answer has gone out, as on EC2."""
        machine = Machine(instance)
        self._machines[instance.id] = machine
        set_state(instance, "pending")
        self._spawn(self._boot, machine)

    def start(self, instance: Instance) -> None:
        set_state(instance, "pending")
        self._spawn(self._start, self._machines[instance.id])

    def reboot(self, instance: Instance) -> None:
        """The instance stays running for EC2, and keeps its addresses."""
        self._spawn(self._reboot, self._machines[instance.id])

    def stop(self, instance: Instance, stopped: Callable[[], Any]) -> None:
        set_state(instance, "stopping")
        self._spawn(self._stop, self._machines[instance.id], stopped)

    def terminate(self, instance: Instance, terminated: Callable[[], Any]) -> None:
        """`terminated` releases what EC2 keeps until the very end: interfaces, volumes, the profile."""
        set_state(instance, "shutting-down")
        deadline = time.monotonic() + self.termination_seconds
        self._spawn(self._terminate, self._machines[instance.id], deadline, terminated)

    def recommend_rebalance(self, machine: Machine) -> None:
        """Says that a spot machine is at risk, which commits EC2 to nothing."""
        if machine.rebalance_time is None:
            machine.rebalance_time = datetime.datetime.now(datetime.UTC)

    def preempt(self, machine: Machine, notice_seconds: float) -> None:
        """Takes a spot machine back, after the notice that the metadata service shows meanwhile. As on EC2, the
        recommendation to leave it comes along with the notice at the latest."""
        self.recommend_rebalance(machine)
        now = datetime.datetime.now(datetime.UTC)
        machine.interruption_time = now + datetime.timedelta(seconds=notice_seconds)
        self._spawn(self._preempt, machine, notice_seconds)

    def enforce_groups(self) -> None:
        """Makes every host that runs let in what the security groups of its instance allow by now."""
        with self.api:
            for machine in self.all():
                if machine.admitted is not None:
                    try:
                        self._admit(machine)
                    except Exception:
                        log.exception("the security groups of %s are not enforced", machine.instance.id)

    def _admit(self, machine: Machine) -> None:
        allowed = firewall.inbound(groups_of(machine.instance), self._members())
        if allowed != machine.admitted:
            rules = firewall.restore_input(allowed, hook=machine.admitted is None)
            self.hosts.admit(machine.instance.id, rules)
            machine.admitted = allowed
            machine.filtered.set()

    def _unfiltered(self, machine: Machine) -> None:
        """The host is about to end, and its packet filter with it."""
        with self.api:
            machine.admitted = None
            machine.filtered.clear()

    def _members(self) -> dict[str, list[str]]:
        """The addresses of the instances of each group. Group ids are unique among regions."""
        members: dict[str, list[str]] = {}
        for machine in self.all():
            instance = machine.instance
            addresses = [address for address in (instance.private_ip, instance.public_ip) if address]
            for group in groups_of(instance):
                members.setdefault(group.id, []).extend(f"{address}/32" for address in addresses)
        return members

    def close(self) -> None:
        """Ends every host; from then on no boot starts one."""
        self._closing = True
        for machine in self.all():
            with machine.work:
                pass
        self.hosts.remove([machine.instance.id for machine in self.all()])

    def _spawn(self, work: Callable[..., None], machine: Machine, *rest: Any) -> None:
        def guarded() -> None:
            try:
                work(machine, *rest)
            except Exception:
                log.exception("%s of %s failed", work.__name__, machine.instance.id)

        threading.Thread(target=guarded, name=f"{machine.instance.id}{work.__name__}", daemon=True).start()

    def _boot(self, machine: Machine) -> None:
        instance = machine.instance
        with machine.work:
            if self._closing or instance.state != "pending":
                return
            try:
                self.hosts.create(Host(instance.id, instance.private_ip))
                with self.api:
                    self._admit(machine)
            except Exception as error:
                log.error("%s does not boot: %s", instance.id, error)
                with self.api:
                    instance.terminate()
                    instance.state_reason.code = "Server.InternalError"
                    instance.state_reason.message = f"Server.InternalError: {error}"
                return
        self._running(instance)

    def _start(self, machine: Machine) -> None:
        with machine.work:
            if self._closing or machine.instance.state != "pending":
                return
            self.hosts.start(machine.instance.id)
            with self.api:
                self._admit(machine)
        self._running(machine.instance)

    def _reboot(self, machine: Machine) -> None:
        with machine.work:
            if self._closing or machine.instance.state != "running":
                return
            self._unfiltered(machine)
            self.hosts.stop(machine.instance.id)
            self.hosts.start(machine.instance.id)
            with self.api:
                self._admit(machine)

    def _running(self, instance: Instance) -> None:
        with self.api:
            if instance.state == "pending":
                set_state(instance, "running")
        log.info("%s runs: %s %s", instance.id, instance.private_ip, instance.public_ip)

    def _stop(self, machine: Machine, stopped: Callable[[], Any]) -> None:
        with machine.work:
            self._unfiltered(machine)
            self.hosts.stop(machine.instance.id)
        with self.api:
            if machine.instance.state == "stopping":
                stopped()
                self.enforce_groups()

    def _terminate(self, machine: Machine, deadline: float, terminated: Callable[[], Any]) -> None:
        with machine.work:
            self._unfiltered(machine)
            self.hosts.remove([machine.instance.id])
        time.sleep(max(0.0, deadline - time.monotonic()))
        with self.api:
            terminated()
            self.enforce_groups()
        log.info("%s terminated", machine.instance.id)
        time.sleep(TERMINATED_VISIBLE_SECONDS)
        with self.api:
            self._forget(machine.instance)

    def _preempt(self, machine: Machine, notice_seconds: float) -> None:
        time.sleep(notice_seconds)
        with self.api:
            if machine.instance.state in ("shutting-down", "terminated"):
                return
            machine.instance.terminate()
            reason = machine.instance.state_reason
            reason.code = "Server.SpotInstanceTermination"
            reason.message = "Server.SpotInstanceTermination: Spot instance termination"

    def _forget(self, instance: Instance) -> None:
        self._machines.pop(instance.id, None)
        reservations = instance.ec2_backend.reservations
        for reservation_id, reservation in list(reservations.items()):
            reservation.instances = [one for one in reservation.instances if one is not instance]
            if not reservation.instances:
                del reservations[reservation_id]
