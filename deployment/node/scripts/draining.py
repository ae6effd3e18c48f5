"""The draining of this node before it stands down: as long as draining.json is there, it takes no new work.

The file has the time at which it began, so that a second attempt goes on within the same limit. The run part withdraws it.
"""

from __future__ import annotations

import datetime
import json
from typing import Optional

import atomic_file
import node_paths


def begin() -> datetime.datetime:
    """Begins to drain, or goes on with it; returns when it began."""
    begun = _begun()
    if begun is None:
        begun = datetime.datetime.now(datetime.timezone.utc)
        atomic_file.write(node_paths.DRAINING, json.dumps({"since": begun.isoformat(timespec="seconds")}) + "\n")
    return begun


def _begun() -> Optional[datetime.datetime]:
    try:
        return datetime.datetime.fromisoformat(json.loads(node_paths.DRAINING.read_text(encoding="utf-8"))["since"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        # What nobody can read says no time; draining begins anew.
        return None


def stands() -> bool:
    return node_paths.DRAINING.exists()


def refusal() -> Optional[str]:
    """Why no new work is taken; None where the node is not drained."""
    return "draining: this node is about to hand its place over" if stands() else None
