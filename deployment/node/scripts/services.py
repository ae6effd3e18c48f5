#!/usr/bin/env python3
"""The two services of a node, by the names of their containers; run as a program, it prints those that run."""

from __future__ import annotations

import sys
from typing import Any, Dict, List

import docker_api

COMPUTE = "bacalhau_compute"
SENSOR = "sensor"


def running() -> List[str]:
    """Which of them run, be it paused."""
    found = {name: docker_api.inspect(name) for name in (COMPUTE, SENSOR)}
    return [name for name, container in found.items() if container and is_alive(container["State"])]


def is_alive(state: Dict[str, Any]) -> bool:
    """Whether a container has processes: podman does not count a paused one as running."""
    return bool(state["Running"] or state.get("Paused"))


def main() -> int:
    try:
        print(" ".join(running()))
    except docker_api.DockerError as error:
        print(f"services: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
