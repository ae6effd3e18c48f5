"""A node on demand that is drained before it stands down, while jobs run and come in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Dict, List

from compute_jobs import ended, gate, state_of, submit
from whole_node import (
    health,
    play,
    prepare,
    root,
    run_part,
    shipped,
    stand_down,
    start_orchestrator,
    wait_for,
)

cron = root / "etc/cron.d/skyfleet"
draining = root / "var/lib/skyfleet/draining.json"


def begin_to_stand_down() -> subprocess.Popen[str]:
    """Returns once no new work is taken."""
    process = subprocess.Popen(
        ["sh", str(shipped / "scripts/stand_down.sh")], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    wait_for(lambda: bool(gate().get("refusal")))
    return process


def end_of(process: subprocess.Popen[str]) -> Dict[str, Any]:
    stdout, stderr = process.communicate(timeout=120)
    return {"code": process.returncode, "stdout": stdout, "stderr": stderr}


def wait_for_end(pids: List[int]) -> None:
    wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids))


def main() -> Dict[str, Any]:
    outcome: Dict[str, Any] = {}
    node = prepare()
    engine, imds, _, services, settings = node
    # A node on demand is not asked for notices, so that this has no effect.
    end = (datetime.now(timezone.utc) + timedelta(minutes=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
    imds.values["meta-data/spot/instance-action"] = json.dumps({"action": "terminate", "time": end})
    orchestrator = start_orchestrator()
    try:
        outcome["first"] = run_part()
        outcome["cron"] = cron.read_text()
        outcome["before"] = ended(submit("before", 0.1))
        outcome["healthy"] = health()

        # Taken back, while a job runs.
        running = submit("running", 20)
        wait_for(lambda: state_of(running) == "Running")
        withdrawn = begin_to_stand_down()
        outcome["healthWhileDraining"] = health()
        outcome["takenBack"] = run_part()
        outcome["withdrawn"] = end_of(withdrawn)
        outcome["afterWithdrawal"] = ended(submit("after", 0.1))

        # Seen through.
        standing_down = begin_to_stand_down()
        outcome["refusal"] = gate()["refusal"]
        outcome["during"] = ended(submit("during", 0.1))
        pollers = [gate()[key] for key in ("keeper", "pid")]
        outcome["down"] = end_of(standing_down)
        outcome["running"] = ended(running)
        wait_for_end(pollers)
        outcome["downAgain"] = stand_down()

        outcome["back"] = run_part()
        outcome["afterReturn"] = ended(submit("returned", 0.1))

        # An earlier attempt used up the time.
        long = submit("long", 600)
        wait_for(lambda: state_of(long) == "Running")
        since = datetime.now(timezone.utc) - timedelta(hours=1)
        draining.write_text(json.dumps({"since": since.isoformat(timespec="seconds")}))
        outcome["overtime"] = stand_down()

        outcome["backAgain"] = run_part()
        settings["drainMinutes"] = 0
        node.ship_settings()
        pollers = [gate()[key] for key in ("keeper", "pid")]
        outcome["withoutDraining"] = run_part()
        wait_for_end(pollers)
        outcome["withoutGate"] = {
            "cron": cron.read_text(),
            "answers": gate(),
            "job": ended(submit("without", 0.1)),
            "health": health(),
        }
    finally:
        poller = gate()
        for process in (poller[key] for key in ("keeper", "pid") if key in poller):
            os.kill(process, signal.SIGKILL)
        orchestrator.kill()
        orchestrator.wait()
        services.stop_compute()
    return outcome


play(main)
