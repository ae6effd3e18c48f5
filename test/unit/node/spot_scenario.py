"""A spot node that AWS takes back, or not, while jobs come in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from typing import Any, Dict, List

from compute_jobs import GATE, ended, gate, state_of, submit
from whole_node import health, play, prepare, root, run_part, shipped, start_orchestrator, wait_for

NOTICE = "meta-data/spot/instance-action"
HEALTH = "/data/fleets/local/health/local-0-k3f9.json"
SENSOR = "/data/fleets/local/sensor/SENSOR_GA_ATL_0000/"
scripts = root / "usr/local/lib/skyfleet"
state = root / "var/lib/skyfleet/interruption.json"
log = root / "var/log/skyfleet-spot-notice.log"


def start_as_cron_does() -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-B", str(scripts / "spot_notice.py"), "--start"]
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)


def bid(answers: List[str]) -> None:
    """What a compute node asks."""
    try:
        request = urllib.request.Request(GATE, b'{"Job":{}}', {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=20) as response:
            answers.append(str(json.load(response)["ShouldBid"]))
    except OSError as error:
        answers.append(str(error))


class Bidding:
    """Bids one after another until the end; `answers` are the different answers."""

    def __enter__(self) -> "Bidding":
        self._all: List[str] = []
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()
        return self

    def _run(self) -> None:
        while not self._over.is_set():
            bid(self._all)

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    @property
    def answers(self) -> List[str]:
        return sorted(set(self._all))


def main() -> Dict[str, Any]:
    outcome: Dict[str, Any] = {}
    engine, imds, store, services, _ = prepare("spot")
    sensor_restarts: List[float] = []
    engine.restarts["sensor"] = lambda: sensor_restarts.append(time.time())

    def puts(part: str) -> List[str]:
        done = [one for one in store.requests if one["method"] == "PUT" and one["status"] == 200]
        return [one["path"] for one in done if part in one["path"]]

    def report() -> Dict[str, Any]:
        return store.documents_at(HEALTH)

    orchestrator = start_orchestrator()
    try:
        outcome["first"] = run_part()
        outcome["cron"] = (root / "etc/cron.d/skyfleet").read_text()
        outcome["before"] = ended(submit("before", 0.1))
        # Larger than what an environment variable or an argument can hold.
        outcome["large"] = ended(submit("large", 0.1, padding=300_000))

        running = submit("running", 15)
        wait_for(lambda: state_of(running) == "Running")
        compute = services.compute
        noticed_at = datetime.now(timezone.utc)
        end = noticed_at + timedelta(seconds=65)
        # The first object that is to be written is refused once.
        store.fail_next = [403]
        imds.values[NOTICE] = json.dumps({"action": "terminate", "time": end.strftime("%Y-%m-%dT%H:%M:%SZ")})
        wait_for(lambda: bool(gate()["refusal"]))
        outcome["noticedWithin"] = (datetime.now(timezone.utc) - noticed_at).total_seconds()
        outcome["during"] = ended(submit("during", 0.1))
        wait_for(lambda: "noticed:report" in state.read_text())
        outcome["refusedOnce"] = [one["status"] for one in store.requests if "-noticed.json" in one["path"]]
        outcome["noticed"] = {"report": report(), "objects": puts("/sensor/")}

        first_poller = gate()["pid"]
        os.kill(first_poller, signal.SIGKILL)
        with Bidding() as bidding:
            wait_for(lambda: gate().get("pid") not in (None, first_poller))
        outcome["killed"] = {"answers": bidding.answers, "refusal": gate()["refusal"]}

        outcome["running"] = ended(running)
        outcome["ordinary"] = health()
        wait_for(lambda: "last:report" in state.read_text())
        outcome["lastSecondsBefore"] = (end - datetime.now(timezone.utc)).total_seconds()
        # Polls go on, and nothing is done twice.
        time.sleep(6)
        outcome["last"] = {
            "report": report(),
            "objects": puts("/sensor/"),
            "rows": {path[len(SENSOR) :]: store.documents_at(path)["rows"] for path in puts("/sensor/")},
            "about": {
                key: value
                for key, value in store.documents_at(puts("/sensor/")[0]).items()
                if key not in ("rows", "time")
            },
            "sensorRestarts": len(sensor_restarts),
        }
        outcome["sameCompute"] = compute is services.compute and compute is not None and compute.poll() is None

        del imds.values[NOTICE]
        wait_for(lambda: gate()["refusal"] is None)
        wait_for(lambda: report()["interruption"] is None)
        outcome["after"] = {"job": ended(submit("after", 0.1)), "state": state.exists()}

        # A notice that the instance outlived, as after a stop and a start.
        past = datetime.now(timezone.utc) - timedelta(minutes=10)
        imds.values[NOTICE] = json.dumps({"action": "stop", "time": past.strftime("%Y-%m-%dT%H:%M:%SZ")})
        time.sleep(6)
        outcome["outlived"] = {"refusal": gate()["refusal"], "state": state.exists()}
        del imds.values[NOTICE]

        imds.down = True
        wait_for(lambda: bool(gate()["problem"]))
        outcome["metadataDown"] = gate()
        imds.down = False

        poller = gate()
        for process in (poller["keeper"], poller["pid"]):
            os.kill(process, signal.SIGKILL)
        outcome["withoutPoller"] = ended(submit("without", 0.1))
        outcome["healing"] = health()
        outcome["healed"] = health()
        outcome["afterHealing"] = ended(submit("healed", 0.1))

        os.kill(gate()["keeper"], signal.SIGKILL)
        outcome["withoutKeeper"] = {"cron": start_as_cron_does().returncode, "answers": bool(gate())}
        os.kill(gate()["pid"], signal.SIGSTOP)
        outcome["hanging"] = health()
        outcome["afterHanging"] = health()

        # Changed files: the same keeper goes on with them, and no bid is lost.
        before = gate()
        changed = shipped / "scripts/interruption.py"
        changed.write_text(changed.read_text() + "# changed\n")
        with Bidding() as bidding:
            outcome["changedRun"] = run_part()
        outcome["changed"] = {
            "sameKeeper": gate()["keeper"] == before["keeper"],
            "otherVersion": gate()["version"] != before["version"],
            "answers": bidding.answers,
            "starts": list(services.starts),
        }
        outcome["log"] = log.read_text()
    finally:
        poller = gate()
        for process in (poller[key] for key in ("keeper", "pid") if key in poller):
            os.kill(process, signal.SIGKILL)
        orchestrator.kill()
        orchestrator.wait()
        services.stop_compute()
    return outcome


play(main)
