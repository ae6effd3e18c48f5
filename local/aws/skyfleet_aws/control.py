"""The control API, which AWS has no like of: what runs, and which failures come next."""

from __future__ import annotations

import json
from typing import Any

from . import firewall
from .faults import Faults
from .machines import Machine, Machines

Answer = tuple[str, Any]


def describe(machine: Machine) -> dict[str, Any]:
    instance = machine.instance
    return {
        "id": instance.id,
        "state": instance.state,
        "type": instance.instance_type,
        "region": instance.region_name,
        "zone": instance.placement.zone,
        "lifecycle": instance.lifecycle or "on-demand",
        "privateIp": instance.private_ip,
        "publicIp": instance.public_ip,
        "vpcId": instance.vpc_id,
        "subnetId": instance.subnet_id,
        # What the host's packet filter lets in; null while no host runs.
        "inbound": None if machine.admitted is None else [firewall.match(one) for one in machine.admitted],
        "tags": {tag["key"]: tag["value"] for tag in instance.get_tags()},
    }


class Control:
    def __init__(self, machines: Machines, faults: Faults):
        self.machines = machines
        self.faults = faults

    def answer(self, method: str, path: str, body: bytes) -> Answer:
        try:
            order = json.loads(body) if body else {}
            return self._route(method, path.removeprefix("/_emu/").split("/"), order)
        except (TypeError, ValueError, KeyError) as error:
            return "400 Bad Request", {"error": f"{method} {path}: {error}"}

    def _route(self, method: str, path: list[str], order: dict[str, Any]) -> Answer:
        match (method, *path):
            case ("GET", "instances"):
                with self.machines.api:
                    return "200 OK", [describe(machine) for machine in self.machines.all()]
            case ("GET", "fail"):
                return "200 OK", self.faults.pending()
            case ("POST", "fail"):
                return "200 OK", self.faults.order(order)
            case ("DELETE", "fail"):
                self.faults.clear()
                return "200 OK", []
            case ("POST", "preempt" | "rebalance" as event, instance_id):
                machine = self.machines.get(instance_id)
                if machine is None:
                    return "404 Not Found", {"error": f"no instance {instance_id}; see GET /_emu/instances"}
                if machine.instance.lifecycle != "spot":
                    raise ValueError(f"{instance_id} is an on-demand instance, which AWS does not take back")
                if event == "rebalance":
                    self.machines.recommend_rebalance(machine)
                    return "200 OK", {"recommended": instance_id}
                self.machines.preempt(machine, float(order.get("noticeSeconds", 0)))
                return "200 OK", {"preempted": instance_id}
            case ("POST", "termination"):
                self.machines.termination_seconds = float(order["seconds"])
                return "200 OK", {"seconds": self.machines.termination_seconds}
        return "404 Not Found", {"error": f"{method} /_emu/{'/'.join(path)} is not served"}
