#!/usr/bin/env python3
"""Tells how many GPUs this node has for jobs; fails where the fleet declares more than there are.

Bacalhau 1.9 finds NVIDIA's GPUs by nvidia-smi, which the container engine puts into the compute node's container
together with the devices. A number in AllocatedCapacity.GPU would be claimed whether they are there or not, and every
job that wants one would fail; so the node claims what nvidia-smi shows there, and the health check compares.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

import node_paths
import node_settings

DEVICE = re.compile(r"nvidia[0-9]+")
# The program by which the engine hands GPUs to a container; it comes with NVIDIA's container toolkit.
HOOK = "nvidia-container-runtime-hook"
HOOK_FOLDERS = ("usr/bin", "usr/local/bin", "usr/sbin", "usr/local/sbin")


def devices() -> List[str]:
    """The GPUs that the driver shows, as paths on the node."""
    folder = node_paths.ROOT / "dev"
    found = (path.name for path in folder.glob("nvidia*") if DEVICE.fullmatch(path.name))
    return [f"/dev/{name}" for name in sorted(found, key=lambda name: int(name[len("nvidia") :]))]


def engine_hands_them_on() -> bool:
    return any((node_paths.ROOT / folder / HOOK).exists() for folder in HOOK_FOLDERS)


def usable() -> int:
    """How many GPUs jobs can have."""
    return len(devices()) if engine_hands_them_on() else 0


def found() -> str:
    """What is there, in words."""
    paths = devices()
    if not paths:
        return "no NVIDIA GPU: there is no /dev/nvidia[0-9]*"
    text = f"{len(paths)} NVIDIA GPU(s): {', '.join(paths)}"
    return text if engine_hands_them_on() else f"{text}; the container engine cannot hand them on: no {HOOK}"


def problem(accelerators: Optional[Dict[str, Any]]) -> str:
    """What is wrong where the node has fewer GPUs than its fleet declares; nothing where it has enough."""
    if accelerators is None or usable() >= accelerators["count"]:
        return ""
    declared = f"the fleet declares accelerators {accelerators['type']}: {accelerators['count']}"
    if len(devices()) < accelerators["count"]:
        remedy = (
            "Use an instance type that has them and an image with NVIDIA's driver (SkyPilot's own image for GPU "
            "instances has it), or take the accelerators out of the fleet; jobs can use NVIDIA's GPUs only"
        )
    else:
        remedy = "Install NVIDIA's container toolkit on the image and restart the container engine"
    return f"{declared}, and this node has {found()}. {remedy}"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="node.json")
    options = parser.parse_args(arguments)
    try:
        wrong = problem(node_settings.load(options.settings)["accelerators"])
    except (OSError, ValueError) as error:
        wrong = str(error)
    if wrong:
        print(f"gpus: {wrong}", file=sys.stderr)
        return 1
    print(found())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
