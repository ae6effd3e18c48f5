"""What the operator may order a node that follows orders (follow_orders.py), and how an order is read."""

from __future__ import annotations

import json
import re
from pathlib import PurePosixPath
from typing import Any, Dict, NamedTuple, Sequence

PARTS = ("run", "stand-down")
PHASES = ("full", "standby")


class Misunderstood(ValueError):
    """This is no order, or not one that may be carried out."""


class Order(NamedTuple):
    """What is to be done. Where `problem` says why nobody can tell, there is nothing but that to report."""

    id: str
    part: str
    phase: str
    files: Dict[str, str]
    problem: str = ""


def parse(body: bytes) -> Order:
    """The order that an object holds."""
    known = "unreadable"
    try:
        value = json.loads(body)
        if not isinstance(value, dict):
            raise Misunderstood("it must be an object with order, part, phase and files")
        known = name("order", value.get("order"))
        part, phase = one_of("part", value.get("part"), PARTS), one_of("phase", value.get("phase"), PHASES)
        return Order(known, part, phase, _files(value.get("files")))
    except ValueError as error:
        return Order(known, "", "", {}, f"the order is not understood: {error}")


def name(what: str, value: Any) -> str:
    """A value that becomes part of a key in the bucket."""
    if not isinstance(value, str) or not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", value):
        raise Misunderstood(f'{what} is {json.dumps(value)}: must be a text of letters, digits, ".", "_" and "-"')
    return value


def one_of(what: str, value: Any, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise Misunderstood(f"{what} is {json.dumps(value)}: must be {' or '.join(allowed)}")
    return str(value)


def _files(value: Any) -> Dict[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise Misunderstood("files must be an object with a text for each path")
    for file in value:
        path = PurePosixPath(file)
        if not path.parts or path.is_absolute() or ".." in path.parts:
            raise Misunderstood(f"files has {json.dumps(file)}: must be a path below the staging folder, without ..")
    return value
