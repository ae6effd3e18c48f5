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
    def remove(self, instance_ids: list[str]) -> None: ...


@dataclass
class Machine:
    instance: Instance
    # Held while podman works on this machine, so that a termination waits for a boot under way.
    work: threading.Lock = field(default_factory=threading.Lock)
    interruption_time: datetime.datetime | None = None


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

    def stop(self, instance: Instance, stopped: Callable[[], Any]) -> None:
        set_state(instance, "stopping")
        self._spawn(self._stop, self._machines[instance.id], stopped)

    def terminate(self, instance: Instance, terminated: Callable[[], Any]) -> None:
        """`terminated` releases what EC2 keeps until the very end: interfaces, volumes, the profile."""
        set_state(instance, "shutting-down")
        deadline = time.monotonic() + self.termination_seconds
        self._spawn(self._terminate, self._machines[instance.id], deadline, terminated)

    def preempt(self, instance_id: str, notice_seconds: float) -> None:
        """Takes a spot machine back, after the notice that the metadata service shows meanwhile."""
        machine = self._machines[instance_id]
        now = datetime.datetime.now(datetime.UTC)
        machine.interruption_time = now + datetime.timedelta(seconds=notice_seconds)
        self._spawn(self._preempt, machine, notice_seconds)

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
        self._running(machine.instance)

    def _running(self, instance: Instance) -> None:
        with self.api:
            if instance.state == "pending":
                set_state(instance, "running")
        log.info("%s runs: %s %s", instance.id, instance.private_ip, instance.public_ip)

    def _stop(self, machine: Machine, stopped: Callable[[], Any]) -> None:
        with machine.work:
            self.hosts.stop(machine.instance.id)
        with self.api:
            if machine.instance.state == "stopping":
                stopped()

    def _terminate(self, machine: Machine, deadline: float, terminated: Callable[[], Any]) -> None:
        with machine.work:
            self.hosts.remove([machine.instance.id])
        time.sleep(max(0.0, deadline - time.monotonic()))
        with self.api:
            terminated()
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
