#!/usr/bin/env python3
"""Lets the compute node take the name that its member.json says.

Bacalhau 1.9 keeps its first name in its data and ignores --name from then on (cmd/cli/serve/serve.go). A node's name
changes where it becomes another member of its place. Not needed once a name that is given goes before the kept one.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import Sequence

import atomic_file
import node_paths

KEPT_NAME = re.compile(r"^NodeName:.*$", re.MULTILINE)


def renamed(metadata: str, name: str) -> str:
    """Bacalhau's metadata with the node's name; what is not there yet, Bacalhau writes itself."""
    return KEPT_NAME.sub(f"NodeName: {name}", metadata)


def main(arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args(arguments)
    try:
        name = json.loads(node_paths.MEMBER.read_text(encoding="utf-8"))["nodeName"]
        if not node_paths.BACALHAU_METADATA.exists():
            return 0
        kept = node_paths.BACALHAU_METADATA
        atomic_file.write(kept, renamed(kept.read_text(encoding="utf-8"), name), kept.stat().st_mode & 0o7777)
    except (OSError, ValueError, KeyError) as error:
        print(f"bacalhau_name.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
