"""The copy of an unhealthy report below health/faults/: one listing of the bucket shows which nodes are unhealthy."""

from __future__ import annotations

import json
from typing import Any, Mapping

import atomic_file
import node_paths
import s3


def key(settings: Mapping[str, Any], member: Mapping[str, Any]) -> str:
    return f"{settings['bucket']['prefix']}health/faults/{member['nodeName']}.json"


def put(bucket: s3.Bucket, marker: str, report: bytes) -> None:
    forget()
    bucket.put(marker, report)


def clear(bucket: s3.Bucket, marker: str) -> None:
    """Deletes the marker, unless it is known to be gone. A node knows nothing at first: another may have had its name."""
    text = json.dumps({"absent": marker}) + "\n"
    try:
        if node_paths.FAULT_FREE.read_text(encoding="utf-8") == text:
            return
    except FileNotFoundError:
        pass
    bucket.delete(marker)
    atomic_file.write(node_paths.FAULT_FREE, text)


def forget() -> None:
    """From now on there may be a marker."""
    try:
        node_paths.FAULT_FREE.unlink()
    except FileNotFoundError:
        pass
