"""node.json: what this node is to be. It is read strictly, and every fault is reported at once."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, Callable, Dict, List, Mapping, Union
from urllib.parse import urlsplit

import allowed_paths

# A check returns what is wrong with the value, or nothing.
Check = Callable[[Any], str]
Schema = Union[Check, Mapping[str, Any]]


class SettingsError(ValueError):
    """node.json is not what the scripts of this node expect."""


def _matches(pattern: str, allowed: str) -> Check:
    compiled = re.compile(pattern)
    return lambda value: "" if isinstance(value, str) and compiled.fullmatch(value) else allowed


def _whole(least: int) -> Check:
    # bool is an int in Python; true is no number here.
    def check(value: Any) -> str:
        return "" if type(value) is int and value >= least else f"a whole number of at least {least}"

    return check


def _boolean(value: Any) -> str:
    return "" if isinstance(value, bool) else "true or false"


def _one_of(*values: str) -> Check:
    return lambda value: "" if value in values else "one of " + ", ".join(values)


def _nullable(check: Check) -> Check:
    def checked(value: Any) -> str:
        problem = "" if value is None else check(value)
        return problem and f"{problem}, or null"

    return checked


def _list_of(check: Check, least: int = 0) -> Check:
    def checked(value: Any) -> str:
        if not isinstance(value, list) or len(value) < least:
            return f"a list of at least {least}" if least else "a list"
        problems = [f"entry {json.dumps(entry)} must be {check(entry)}" for entry in value if check(entry)]
        return "; ".join(problems)

    return checked


def _orchestrator(value: Any) -> str:
    allowed = "an address such as nats://orchestrator.example.com:4222"
    if not isinstance(value, str):
        return allowed
    try:
        url = urlsplit(value)
        fine = url.scheme == "nats" and url.hostname and url.port and url.path in ("", "/")
    except ValueError:
        return allowed
    if url.username or url.password:
        return f"{allowed}, without a token or password in it"
    return "" if fine else allowed


def _labels(value: Any) -> str:
    """Bacalhau reads the keys through a library that lowers their case and splits them at dots, and job
    constraints can only name values that are valid Kubernetes label values."""
    if not isinstance(value, dict):
        return "an object of labels"
    problems = []
    for key, text in value.items():
        if not LABEL_KEY.fullmatch(key):
            problems.append(f"key {json.dumps(key)} must be of a-z, 0-9, - and _ (63 at most, no dots, no capitals)")
        if not isinstance(text, str) or not LABEL_VALUE.fullmatch(text):
            problems.append(
                f"value {json.dumps(text)} of {key} must be of letters, digits, -, _ and . (63 at most, "
                "first and last a letter or digit)"
            )
    return "; ".join(problems)


def _pem(value: Any) -> str:
    fine = isinstance(value, str) and "-----BEGIN CERTIFICATE-----" in value and "PRIVATE KEY" not in value
    return "" if fine else "certificates in PEM form, without a private key"


def _accelerators(value: Any) -> str:
    fine = (
        isinstance(value, dict)
        and sorted(value) == ["count", "type"]
        and isinstance(value["type"], str)
        and ACCELERATOR.fullmatch(value["type"])
        and not _whole(1)(value["count"])
    )
    return "" if fine else 'a type and a count of at least 1, such as {"type": "T4", "count": 1}'


def _image(value: Any) -> str:
    pinned = isinstance(value, str) and re.fullmatch(r"[a-z0-9][^\s@]*(:[\w][\w.-]*|@sha256:[0-9a-f]{64})", value)
    if not pinned or value.endswith(":latest"):
        return "an image pinned by a version tag other than latest, or by digest"
    return ""


LABEL_KEY = re.compile(r"[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?")
LABEL_VALUE = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")
# Also the value of a label.
ACCELERATOR = LABEL_VALUE
_NAME = r"[a-z]([a-z0-9-]*[a-z0-9])?"

SCHEMA: Dict[str, Any] = {
    "stack": _matches(r"[A-Za-z0-9._/-]+", "a stack's full name, organization/project/stack"),
    "fleet": _matches(_NAME, "a fleet's name of a-z, 0-9 and -"),
    "place": _matches(_NAME + r"-[0-9]+", "a place's name, <fleet>-<number>"),
    "nodes": {"firstOrdinal": _whole(0), "count": _whole(1)},
    "accelerators": _nullable(_accelerators),
    "drainMinutes": _whole(0),
    "bacalhau": {
        "image": _image,
        "orchestrators": _list_of(_orchestrator, 1),
        "tls": {"required": _boolean, "handshakeFirst": _boolean, "caCert": _nullable(_pem)},
        "labels": _labels,
        "tokenKey": _matches(r"[A-Za-z0-9._/-]+", "the key of an object in the bucket"),
        "allowListedLocalPaths": _list_of(allowed_paths.problem),
        "acceptNetworkedJobs": _boolean,
        "logLevel": _one_of("trace", "debug", "info", "warn", "error"),
    },
    "sensor": {"image": _image},
    "bucket": {
        "name": _matches(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "a bucket's name"),
        "prefix": _matches(r"([A-Za-z0-9._-]+/)*", "a prefix that is empty or ends with /"),
        "region": _matches(r"[a-z]{2}(-[a-z]+)+-[0-9]+", "a region such as us-west-2"),
        "endpointUrl": _nullable(_matches(r"https?://[^/\s]+/?", "an http or https address without a path")),
    },
}

IDENTITY_SCHEMAS: Dict[str, Dict[str, Any]] = {
    "place": {"from": _one_of("place", "instance"), "range": {"first": _whole(0), "last": _whole(0)}},
    "instance": {"from": _one_of("place", "instance")},
}


def _problems(value: Any, schema: Schema, key: str) -> List[str]:
    if callable(schema):
        problem = schema(value)
        if not problem:
            return []
        return [f"{key} is {_shortened(value)}: must be {problem}"]
    if not isinstance(value, dict):
        return [f"{key or 'node.json'} is {_shortened(value)}: must be an object with {', '.join(schema)}"]
    prefix = f"{key}." if key else ""
    found = [
        f"{prefix}{name} is not known: {key or 'node.json'} takes {', '.join(schema)}"
        for name in value
        if name not in schema
    ]
    for name, part in schema.items():
        if name in value:
            found += _problems(value[name], part, prefix + name)
        else:
            found.append(f"{prefix}{name} is missing")
    return found


def _shortened(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) <= 120 else text[:117] + "..."


def check(settings: Any) -> List[str]:
    """Everything that is wrong with the settings, one line each."""
    identity = settings.get("identity") if isinstance(settings, dict) else None
    source = identity.get("from") if isinstance(identity, dict) else None
    schema = {**SCHEMA, "identity": IDENTITY_SCHEMAS["instance" if source == "instance" else "place"]}
    problems = _problems(settings, schema, "")
    if problems:
        return problems
    tls = settings["bacalhau"]["tls"]
    if not tls["required"] and (tls["handshakeFirst"] or tls["caCert"] is not None):
        problems.append("bacalhau.tls.required is false: must be true with handshakeFirst or caCert")
    if source == "place":
        first, last = settings["identity"]["range"]["first"], settings["identity"]["range"]["last"]
        lowest = settings["nodes"]["firstOrdinal"]
        highest = lowest + settings["nodes"]["count"] - 1
        if not first <= lowest <= highest <= last:
            problems.append(
                f"nodes.firstOrdinal and nodes.count give the ordinals {lowest} to {highest}: "
                f"must lie within identity.range, {first} to {last}"
            )
    return problems


def load(path: Path) -> Dict[str, Any]:
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SettingsError(f"{path} is missing: it comes with the SkyPilot task; launch the node again") from None
    except ValueError as error:
        raise SettingsError(f"{path} is not JSON: {error}") from None
    problems = check(settings)
    if problems:
        raise SettingsError("\n".join([f"{path} has {len(problems)} fault(s):", *("  " + line for line in problems)]))
    assert isinstance(settings, dict)
    return settings
