#!/usr/bin/env python3
"""Checks that some orchestrator accepts a connection from this node; whether it takes the token only joining tells."""

from __future__ import annotations

import argparse
import socket
import sys
import time
from pathlib import Path
from typing import Dict, List, Sequence
from urllib.parse import urlsplit

import node_settings

ATTEMPTS = 3
PAUSE_SECONDS = 2.0
CONNECT_SECONDS = 5.0


class NotReached(RuntimeError):
    """No orchestrator accepted a connection."""


def reached(orchestrators: List[str]) -> str:
    """The first address that accepts a connection."""
    problems: Dict[str, str] = {}
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(PAUSE_SECONDS)
        for address in orchestrators:
            url = urlsplit(address)
            try:
                socket.create_connection((url.hostname or "", url.port or 0), timeout=CONNECT_SECONDS).close()
            except OSError as error:
                problems[address] = str(error) or type(error).__name__
                continue
            return address
    raise NotReached(
        "no orchestrator accepts a connection: "
        + "; ".join(f"{address}: {problem}" for address, problem in problems.items())
        + ". Is one of them up, and does its firewall let this node in?"
    )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="node.json")
    options = parser.parse_args(arguments)
    try:
        address = reached(node_settings.load(options.settings)["bacalhau"]["orchestrators"])
    except (ValueError, NotReached) as error:
        print(f"orchestrator_reach: {error}", file=sys.stderr)
        return 1
    print(f"{address} accepts connections")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
