"""Jobs that sleep, and what becomes of them on the orchestrator of whole_node.py."""

from __future__ import annotations

import base64
import json
import urllib.request
from typing import Any, Dict

from whole_node import get, wait_for

GATE = "http://127.0.0.1:1236/"
ORCHESTRATOR = "http://127.0.0.1:21235/api/v1/orchestrator/jobs"


def sleeper(seconds: float) -> bytes:
    """A WebAssembly program that sleeps: it calls WASI's poll_oneoff with one subscription to the monotonic clock."""

    def section(number: int, *entries: bytes) -> bytes:
        content = bytes([len(entries)]) + b"".join(entries)
        return bytes([number, len(content)]) + content

    def name(text: bytes) -> bytes:
        return bytes([len(text)]) + text

    # Tag 0 is a clock and clock 1 the monotonic one; the timeout is in nanoseconds.
    subscription = bytes(16) + (1).to_bytes(8, "little") + int(seconds * 1e9).to_bytes(8, "little") + bytes(16)
    body = b"\x00" + b"\x41\x00" + b"\x41\xc0\x00" + b"\x41\x01" + b"\x41\x80\x01" + b"\x10\x00" + b"\x1a\x0b"
    return (
        b"\0asm\x01\0\0\0"
        + section(1, b"\x60\x04\x7f\x7f\x7f\x7f\x01\x7f", b"\x60\x00\x00")
        + section(2, name(b"wasi_snapshot_preview1") + name(b"poll_oneoff") + b"\x00\x00")
        + section(3, b"\x01")
        + section(5, b"\x00\x01")
        + section(7, name(b"memory") + b"\x02\x00", name(b"_start") + b"\x00\x01")
        + section(10, bytes([len(body)]) + body)
        + section(11, b"\x00\x41\x00\x0b" + bytes([len(subscription)]) + subscription)
        # Bacalhau takes no module without a name: a custom section "name" with the subsection of the module's name.
        + b"\x00\x0e" + name(b"name") + b"\x00\x07" + name(b"sleepr")
    )


def submit(name: str, seconds: float, padding: int = 0) -> str:
    """Submits a job that sleeps; returns its id."""
    module = "data:application/wasm;base64," + base64.b64encode(sleeper(seconds)).decode()
    job = {
        "Name": name,
        "Type": "batch",
        "Count": 1,
        "Meta": {"padding": "x" * padding},
        "Tasks": [
            {
                "Name": "main",
                "Engine": {"Type": "wasm", "Params": {"EntryModule": "/main.wasm", "Entrypoint": "_start"}},
                "InputSources": [{"Source": {"Type": "inline", "Params": {"URL": module}}, "Target": "/main.wasm"}],
                "Resources": {"CPU": "0.1", "Memory": "64MB"},
            }
        ],
    }
    request = urllib.request.Request(
        ORCHESTRATOR, json.dumps({"Job": job}).encode(), {"Content-Type": "application/json"}, method="PUT"
    )
    with urllib.request.urlopen(request, timeout=10) as response:
        return str(json.load(response)["JobID"])


def state_of(job: str) -> str:
    return str(get(f"{ORCHESTRATOR}/{job}")["Job"]["State"]["StateType"])


def ended(job: str) -> Dict[str, Any]:
    """How a job ended, and why its executions did."""
    wait_for(lambda: state_of(job) in ("Completed", "Failed", "Stopped"))
    executions = get(f"{ORCHESTRATOR}/{job}/executions")["Items"]
    return {
        "state": state_of(job),
        "executions": [
            {"state": one["ComputeState"]["StateType"], "message": one["ComputeState"].get("Message", "")}
            for one in executions
        ],
    }


def gate() -> Dict[str, Any]:
    answer = get(GATE)
    return answer if isinstance(answer, dict) else {}
