#!/usr/bin/env python3
"""Prints who this node is, as the one line that Skyfleet reads from the run part, or one field of member.json."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Sequence

import node_paths

FIELDS = ("instanceId", "zone", "region", "privateIp", "publicIp", "nodeName", "ordinal")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--field", help="print this field of member.json only")
    options = parser.parse_args(arguments)
    member = json.loads(node_paths.MEMBER.read_text(encoding="utf-8"))
    if options.field:
        print(member[options.field])
        return 0
    identity = json.loads(node_paths.SENSOR_IDENTITY.read_text(encoding="utf-8"))
    shown = {**{field: member[field] for field in FIELDS}, "sensorId": identity["sensor_id"]}
    print("SKYFLEET_NODE " + json.dumps(shown, separators=(",", ":")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
