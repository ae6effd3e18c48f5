"""The taking back of a spot instance: what AWS announced, and what was done about it so far (interruption.json).

The file is there from the notice until the notice is withdrawn or over. It outlives the poller and the machine's
stop and start, so that each step is done once per notice.
"""

from __future__ import annotations

import datetime
import json
from typing import NamedTuple, Optional, Tuple

import atomic_file
import node_paths

# The last steps begin so long before the announced time: the sensor's restart takes up to 7 s of it.
LAST_SECONDS = 30.0
# AWS names an approximate time. An instance that still runs so long after it lives on.
OVER_SECONDS = 300.0

# What is to be done, in this order: when the notice is there, and shortly before the time it names. "sensor" makes the
# sensor write what it holds in memory, "rows" brings new rows to the bucket, "report" the health report.
STEPS = {"noticed": ("rows", "report"), "last": ("sensor", "rows", "report")}


class Interruption(NamedTuple):
    # As AWS wrote them: terminate, stop or hibernate, and a time in UTC.
    action: str
    time: str
    noticed_at: str
    # "<stage>:<step>" of each step that was done.
    done: Tuple[str, ...] = ()
    # The newest row that is in the bucket; 0 where none is.
    last_row: int = 0
    sensor_objects: Tuple[str, ...] = ()


def parse(notice: str, now: datetime.datetime) -> Interruption:
    """A notice as the metadata service shows it; raises ValueError where it is none."""
    value = json.loads(notice)
    if not isinstance(value, dict) or not isinstance(value.get("action"), str):
        raise ValueError(f"not a spot notice: {notice}")
    _when(str(value.get("time")))
    return Interruption(value["action"], value["time"], now.isoformat(timespec="seconds"))


def _when(text: str) -> datetime.datetime:
    # Python before 3.11 does not read the Z of UTC.
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def seconds_left(interruption: Interruption, now: datetime.datetime) -> float:
    return (_when(interruption.time) - now).total_seconds()


def is_over(interruption: Interruption, now: datetime.datetime) -> bool:
    """Whether the instance outlived the announced time."""
    return seconds_left(interruption, now) < -OVER_SECONDS


def is_same(one: Interruption, other: Interruption) -> bool:
    """Whether both are of one notice; a notice with another time is another one."""
    return (one.action, one.time) == (other.action, other.time)


def stage(interruption: Interruption, now: datetime.datetime) -> str:
    return "last" if seconds_left(interruption, now) <= LAST_SECONDS else "noticed"


def next_step(interruption: Interruption, now: datetime.datetime) -> Optional[str]:
    """The step that is due, as `<stage>:<step>`, or None."""
    current = stage(interruption, now)
    steps = (f"{current}:{step}" for step in STEPS[current])
    return next((step for step in steps if step not in interruption.done), None)


def read() -> Optional[Interruption]:
    """What stands on this node; None where nothing does."""
    try:
        value = json.loads(node_paths.INTERRUPTION.read_text(encoding="utf-8"))
        _when(value["time"])
        return Interruption(
            value["action"],
            value["time"],
            value["noticedAt"],
            tuple(value["done"]),
            value["lastRow"],
            tuple(value["sensorObjects"]),
        )
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError):
        # Nothing follows from what nobody can read; a notice that stands is seen again at the next poll.
        return None


def write(interruption: Interruption) -> None:
    document = {
        "action": interruption.action,
        "time": interruption.time,
        "noticedAt": interruption.noticed_at,
        "done": interruption.done,
        "lastRow": interruption.last_row,
        "sensorObjects": interruption.sensor_objects,
    }
    atomic_file.write(node_paths.INTERRUPTION, json.dumps(document, indent=2) + "\n")


def clear() -> None:
    try:
        node_paths.INTERRUPTION.unlink()
    except FileNotFoundError:
        pass
