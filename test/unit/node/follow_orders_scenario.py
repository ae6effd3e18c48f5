"""Nodes that follow orders: the follower itself, with metadata service and S3 played, and parts that only tell of it.

Arguments: a folder with node.json, the room that is shipped.
"""

from __future__ import annotations

import concurrent.futures
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, Optional

import peers
from peers import wait_for

folder, node_room = Path(sys.argv[1]), Path(sys.argv[2])
INSTANCE = "i-0123456789abcdef0"
ORDERS = "/data/fleets/local/orders/local-0-k3f9.json"
REPORTS = "/data/fleets/local/health/orders/local-0-k3f9"

# Drops the variables that it is not told to keep, as sudo does.
SUDO = """#!/usr/bin/env python3
import os, sys
arguments = sys.argv[1:]
kept = ["PATH"]
if arguments[0].startswith("--preserve-env="):
    kept += arguments.pop(0).split("=", 1)[1].split(",")
os.execvpe(arguments[0], arguments, {key: os.environ[key] for key in kept if key in os.environ})
"""


def part(text: str, code: int = 0) -> str:
    """A part that keeps a record, tells what it was told on stdout, and `text` on stderr."""
    told = '"$SKYFLEET_PHASE $SKYPILOT_NODE_IPS $SKYFLEET_INCARNATION [$SKYFLEET_REPAIR] [$SKYFLEET_ORDER]"'
    return f'echo {told}\nfor line in $(seq 25); do echo "{text} $line" >&2; done\nexit {code}\n'


class Node:
    """A node's staging folder, its surroundings, and the follower that runs there."""

    def __init__(self, name: str, run: str, **environment: str) -> None:
        self.staging = folder / name / "home/skyfleet"
        shutil.copytree(node_room / "scripts", self.staging / "scripts")
        (self.staging / "scripts/run.sh").write_text(run)
        (self.staging / "scripts/stand_down.sh").write_text("echo SKYFLEET_STOOD_DOWN\necho standing down >&2\n")
        self.store = peers.S3(missing_status=403)
        self.imds = peers.Imds(INSTANCE, "10.0.0.5")
        settings = json.loads((folder / "node.json").read_text())
        settings["bucket"]["endpointUrl"] = self.store.url
        (self.staging / "node.json").write_text(json.dumps(settings))
        self._environment = environment
        self._log = folder / name / "log"
        self._orders = 3
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-B", str(self.staging / "scripts/follow_orders.py")],
                env={
                    "PATH": f"{folder / 'bin'}:{os.environ['PATH']}",
                    "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.imds.url,
                    "SKYPILOT_NODE_IPS": "10.0.0.5",
                    "SKYFLEET_INCARNATION": "local-0-k3f9",
                    "SKYFLEET_PHASE": "standby",
                    "SKYFLEET_REPAIR": "1",
                    "SKYFLEET_ORDER": "3",
                    **self._environment,
                },
                stdout=log,
                stderr=log,
            )

    def end(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=5)

    def log(self) -> str:
        return self._log.read_text()

    def put(self, body: bytes) -> None:
        self.store.objects[ORDERS] = body

    def order(self, **changes: Any) -> Dict[str, Any]:
        """Gives the next order, and returns the report of what came of it."""
        self._orders += 1
        order = {"order": str(self._orders), "part": "run", "phase": "full", "files": {}, **changes}
        self.put(json.dumps(order).encode())
        return self.report(order["order"])

    def report(self, order: Any) -> Dict[str, Any]:
        path = f"{REPORTS}/{order}/{INSTANCE}.json"
        wait_for(lambda: path in self.store.objects)
        return self.store.documents_at(path)

    def written(self, order: str) -> int:
        """How often a report of this order was written."""
        path = f"{REPORTS}/{order}/{INSTANCE}.json"
        return sum(one["path"] == path and one["status"] == 200 for one in list(self.store.requests))

    def reads(self) -> List[int]:
        return [one["status"] for one in list(self.store.requests) if one["path"] == ORDERS]

    def stays_quiet(self) -> bool:
        """Whether nothing is written while the order is read twice more."""
        requests = list(self.store.requests)
        seen = len(self.reads())
        wait_for(lambda: len(self.reads()) >= seen + 2)
        return not any(one["method"] == "PUT" for one in list(self.store.requests)[len(requests) :])


def life() -> Dict[str, Any]:
    """From the launch to the end: new files, a new follower, standing down, and a start from outside."""
    outcome: Dict[str, Any] = {}
    node = Node("life", part("first"))
    outcome["launch"] = node.report("3")
    outcome["printed"] = {"stdout": outcome["launch"]["output"] in node.log(), "stderr": "first 25\n" in node.log()}
    outcome["quietAfterLaunch"] = node.stays_quiet()

    text = (node.staging / "scripts/follow_orders.py").read_text()
    files = {
        "scripts/run.sh": part("second"),
        "scripts/follow_orders.py": text.replace('"skyfleet: {text}"', '"renewed: {text}"'),
        "sensor/new/file.yaml": "a: ü\n",
    }
    outcome["update"] = node.order(files=files)
    outcome["files"] = {name: (node.staging / name).read_text() == text for name, text in files.items()}
    outcome["quietAfterUpdate"] = node.stays_quiet()
    outcome["unchanged"] = node.reads()[-1]
    outcome["standDown"] = node.order(part="stand-down")
    outcome["byNewText"] = "renewed: order 5: stand-down" in node.log() and "skyfleet: order 5" not in node.log()

    last = node.store.objects.pop(ORDERS)
    outcome["quietWithoutObject"] = node.stays_quiet()
    node.put(last)
    outcome["ended"] = node.end()
    node.start()
    wait_for(lambda: node.written("5") == 2)
    outcome["again"] = {order: node.written(order) for order in "345"}
    node.end()
    return outcome


def gone_after_update() -> Dict[str, Any]:
    """The object goes after an order that made the follower take its new text."""
    node = Node("gone", part("first"))
    node.report("3")
    node.order(files={"scripts/run.sh": part("second")})
    del node.store.objects[ORDERS]
    outcome = {"quiet": node.stays_quiet(), "launches": node.written("3")}
    node.end()
    return outcome


def failing() -> Dict[str, Any]:
    """Parts that fail, with a short pause."""
    outcome: Dict[str, Any] = {}
    node = Node("failing", part("failing", 7), SKYFLEET_RETRY_AFTER="1")
    outcome["launch"] = node.report("3")
    wait_for(lambda: node.written("3") >= 3)
    outcome["withFiles"] = node.order(files={"scripts/run.sh": part("still failing", 8)})
    wait_for(lambda: node.written("4") >= 3)
    (node.staging / "scripts/stand_down.sh").write_text("exit 9\n")
    outcome["standDown"] = node.order(part="stand-down")["exitCode"]
    outcome["quietAfterStandDown"] = node.stays_quiet()
    outcome["notWritable"] = node.order(files={"scripts": "a file in a folder's place"})
    node.end()
    return outcome


def patient() -> Dict[str, Any]:
    """A part that fails, with a long pause, which only a new order ends."""
    node = Node("patient", part("failing", 7), SKYFLEET_RETRY_AFTER="600")
    node.report("3")
    outcome: Dict[str, Any] = {"quiet": node.stays_quiet()}
    outcome["healed"] = node.order(files={"scripts/run.sh": part("healed")})["exitCode"]
    outcome["reports"] = node.written("3")
    node.end()
    return outcome


def bad() -> Dict[str, Any]:
    """Orders that are none."""
    node = Node("bad", part("first"))
    node.report("3")
    node.put(b"{ unreadable")
    outcome: Dict[str, Any] = {"unreadable": node.report("unreadable")}
    outcome["part"] = node.order(part="dance")
    outcome["phase"] = node.order(phase="ready")
    outcome["above"] = node.order(files={"scripts/run.sh": "exit 5", "scripts/../../above": "text"})
    outcome["absolute"] = node.order(files={str(folder / "absolute"): "text"})
    outcome["notText"] = node.order(files={"node.json": {}})
    outcome["outside"] = (node.staging.parent / "above").exists() or (folder / "absolute").exists()
    outcome["good"] = node.order()
    node.end()
    return outcome


def trouble() -> Dict[str, Any]:
    """What passes: S3 and the metadata service that do not answer."""
    outcome: Dict[str, Any] = {}
    node = Node("trouble", part("first"))
    node.report("3")
    # Two readings, each with its attempts.
    node.store.fail_next = [503] * 8
    wait_for(lambda: not node.store.fail_next)
    outcome["afterStore"] = node.order()["exitCode"]
    outcome["told"] = node.log().count("orders cannot be read")
    node.imds.down = True
    wait_for(lambda: node.log().count("orders cannot be read") == 2)
    node.imds.down = False
    outcome["afterImds"] = node.order()["exitCode"]
    slow = {"scripts/run.sh": f"touch {folder / 'begun'}\nsleep 3\n"}
    node.put(json.dumps({"order": "late", "part": "run", "phase": "full", "files": slow}).encode())
    wait_for(lambda: (folder / "begun").exists())
    # The next request is the report's.
    node.store.fail_next = [503] * 4
    outcome["lateReport"] = node.report("late")["exitCode"]
    outcome["lateTold"] = node.log().count("what came of order late cannot be written")
    node.end()
    return outcome


def ended() -> Optional[int]:
    """Ended while a part runs."""
    node = Node("ended", f"touch {folder / 'running'}\nexec sleep 20\n")
    wait_for(lambda: (folder / "running").exists())
    started = time.monotonic()
    code = node.end()
    return code if time.monotonic() - started < 5 else None


(folder / "bin").mkdir()
(folder / "bin/sudo").write_text(SUDO)
(folder / "bin/sudo").chmod(0o755)
parts = [life, gone_after_update, failing, patient, bad, trouble, ended]
with concurrent.futures.ThreadPoolExecutor(len(parts)) as pool:
    outcomes = {part.__name__: pool.submit(part) for part in parts}
    print(json.dumps({name: outcome.result() for name, outcome in outcomes.items()}))
