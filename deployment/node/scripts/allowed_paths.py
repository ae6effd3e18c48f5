"""Which paths of a node jobs may be allowed to read: none that holds, or contains, or lies in, credentials."""

from __future__ import annotations

import os
import posixpath
from typing import Any, Tuple

PROTECTED = (
    "/boot",
    "/dev",
    "/etc",
    "/home",
    "/opt/bacalhau",
    "/opt/sensor/config",
    "/proc",
    "/root",
    "/run",
    "/sys",
    "/tmp",
    "/usr",
    "/var/cache",
    "/var/lib/bacalhau",
    "/var/lib/cloud",
    "/var/lib/containers",
    "/var/lib/docker",
    "/var/lib/skyfleet",
    "/var/log",
    "/var/run",
    "/var/spool",
)


def split(entry: str) -> Tuple[str, str]:
    """An entry as Bacalhau reads it: the path, and ro (the default) or rw."""
    for mode in ("ro", "rw"):
        if entry.endswith(":" + mode):
            return entry[: -len(mode) - 1], mode
    return entry, "ro"


def _within(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")


def leads_into(path: str) -> str:
    """The protected folder that a path holds or lies in; empty where it has to do with none.

    What the path really is counts: a link in a harmless folder may lead to /etc.
    """
    real = os.path.realpath(path)
    for folder in PROTECTED:
        if _within(real, folder) or _within(folder, real):
            return folder
    # The folders themselves may be links (/var/run is one to /run), so the path as it is written counts as well.
    for folder in PROTECTED:
        if _within(path, folder) or _within(folder, path):
            return folder
    return ""


def problem(entry: Any) -> str:
    """What an entry must be where it is not; nothing where it is fine."""
    if not isinstance(entry, str):
        return "a path such as /opt/sensor/data:ro"
    path, _ = split(entry)
    if not path.startswith("/") or posixpath.normpath(path) != path or "\0" in path or ":" in path:
        return "an absolute path without . and .. and a trailing slash, such as /opt/sensor/data:ro"
    # Bacalhau 1.9 matches a job's path against a pattern before it resolves "..", so that
    # /data/** also lets a job have /data/../etc. Plain paths have to match as they are.
    if any(character in path for character in "*?[]{}\\"):
        return "a plain path without the pattern characters * ? [ ] { } \\"
    folder = leads_into(path)
    if folder:
        return f"a path that neither holds nor lies below {folder}, where credentials or the system are"
    return ""
