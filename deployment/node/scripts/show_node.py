#!/usr/bin/env python3
"""Prints who this node is, as the one line that Skyfleet reads from the run part, or a part of what it is to be."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any, Dict, Sequence

import imds
import node_paths
import node_settings
import work_gate

FIELDS = ("instanceId", "zone", "region", "privateIp", "publicIp", "nodeName", "ordinal")


def standby() -> str:
    """The line of a node that has no place yet, or need not have one: only the machine."""
    instance = imds.Session().instance()
    shown = {
        "instanceId": instance.instance_id,
        "zone": instance.zone,
        "region": instance.region,
        "privateIp": instance.private_ip,
        "publicIp": instance.public_ip,
    }
    return line("SKYFLEET_STANDBY", shown)


def line(mark: str, shown: Dict[str, Any]) -> str:
    return f"{mark} " + json.dumps(shown, separators=(",", ":"))


def node() -> str:
    member = json.loads(node_paths.MEMBER.read_text(encoding="utf-8"))
    identity = json.loads(node_paths.SENSOR_IDENTITY.read_text(encoding="utf-8"))
    return line("SKYFLEET_NODE", {**{field: member[field] for field in FIELDS}, "sensorId": identity["sensor_id"]})


def part(options: argparse.Namespace) -> str:
    """What was asked for of node.json and member.json."""
    settings = node_settings.load(node_paths.SETTINGS)
    if options.images:
        return "\n".join((settings["bacalhau"]["image"], settings["sensor"]["image"]))
    member = json.loads(node_paths.MEMBER.read_text(encoding="utf-8"))
    if options.gate:
        return "yes" if work_gate.wanted(settings, member) else "no"
    return str(member[options.field])


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--field", help="print this field of member.json only")
    parser.add_argument("--images", action="store_true", help="print the images of the services only")
    parser.add_argument("--gate", action="store_true", help="print only whether the compute node asks before it takes work")
    parser.add_argument("--standby", action="store_true", help="print the line of a node that stands by")
    options = parser.parse_args(arguments)
    try:
        if options.standby:
            print(standby())
        elif options.field or options.images or options.gate:
            print(part(options))
        else:
            print(node())
    except (OSError, ValueError, KeyError, imds.ImdsError) as error:
        print(f"show_node: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
