"""A node that stands by, takes its place, falls ill and is repaired, gives its place up, and takes it back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from typing import Any, Dict, List, Optional

from whole_node import (
    TOKEN_PATH,
    health,
    images,
    play,
    prepare,
    registry,
    root,
    run_part,
    shipped,
    stand_down,
    start_orchestrator,
)

CLAIM = "/data/fleets/local/claims/local-0/0.json"
REPORT = "/data/fleets/local/health/local-0-k3f9.json"
MARKER = "/data/fleets/local/health/faults/local-0-k3f9.json"
cron = root / "etc/cron.d/skyfleet"


def main() -> Dict[str, Any]:
    outcome: Dict[str, Any] = {}
    node = prepare()
    engine, _, store, services, settings = node
    orchestrator: Optional[subprocess.Popen[bytes]] = None

    def standby() -> Dict[str, Any]:
        return run_part(SKYFLEET_PHASE="standby")

    def deletions() -> List[int]:
        return [one["status"] for one in store.requests if one["method"] == "DELETE"]

    def state(name: str) -> Dict[str, Any]:
        found: Dict[str, Any] = engine.containers[name]["State"]
        return found

    try:
        compute_image, sensor_image = settings["bacalhau"]["image"], settings["sensor"]["image"]
        outcome["badPhase"] = run_part(SKYFLEET_PHASE="ready")
        images.write_text(compute_image + "\n")
        registry.write_text("")
        outcome["withoutImage"] = standby()
        registry.write_text(sensor_image + "\n")
        outcome["withoutOrchestrator"] = standby()
        del store.objects[TOKEN_PATH]
        outcome["withoutToken"] = standby()
        store.objects[TOKEN_PATH] = b"planted.Token-123"

        orchestrator = start_orchestrator()
        outcome["standby"] = standby()
        outcome["images"] = images.read_text().split()
        outcome["standbyAgain"] = standby()
        outcome["imagesAgain"] = images.read_text().split()
        outcome["afterStandby"] = {
            "objects": sorted(set(store.objects) - {TOKEN_PATH}),
            "starts": list(services.starts),
            "asked": list(engine.asked),
            "cron": cron.exists(),
            "identity": (root / "opt/sensor/config/identity.json").exists(),
        }
        outcome["nothingToStandDown"] = stand_down()
        engine.asked.clear()

        other = {"instanceId": "i-other", "privateIp": "10.0.0.9", "incarnation": "local-0-k3f9"}
        store.objects[CLAIM] = json.dumps(other).encode()
        outcome["heldByOther"] = run_part(SKYPILOT_NODE_IPS="10.0.0.5\n10.0.0.9")
        outcome["afterHeld"] = {"claim": store.documents_at(CLAIM), "starts": list(services.starts)}
        store.objects[CLAIM] = json.dumps({**other, "incarnation": "local-0-zzzz"}).encode()
        outcome["full"] = run_part()
        outcome["deletionsAtFirst"] = deletions()
        outcome["claim"] = store.documents_at(CLAIM)

        changed = shipped / "sensor/sensor-config.yaml"
        before = changed.read_text()
        changed.write_text(before + "# changed\n")
        outcome["servingStandby"] = standby()
        outcome["servingFile"] = "# changed" in (root / "opt/sensor/config/sensor-config.yaml").read_text()
        changed.write_text(before)

        # Faults, their markers, and what a run part does about them.
        health()
        outcome["deletionsWhileHealthy"] = deletions()
        state("sensor").update(Paused=True, Status="paused")
        outcome["paused"] = health()
        outcome["marker"] = store.documents_at(MARKER) == store.documents_at(REPORT)
        outcome["markerType"] = next(
            one["headers"]["content-type"] for one in store.requests if one["path"] == MARKER and one["method"] == "PUT"
        )
        outcome["notRepaired"] = run_part(healthy_within="1")
        compute = services.compute
        outcome["repaired"] = run_part(SKYFLEET_REPAIR="1")
        outcome["afterRepair"] = {
            "asked": list(engine.asked),
            "sameCompute": compute is services.compute and compute is not None and compute.poll() is None,
            "marker": MARKER in store.objects,
            "starts": list(services.starts),
        }
        engine.asked.clear()
        assert services.compute
        os.kill(services.compute.pid, signal.SIGSTOP)
        outcome["hanging"] = run_part(SKYFLEET_REPAIR="1")
        outcome["afterHanging"] = list(engine.asked)
        engine.asked.clear()
        outcome["nothingToRepair"] = run_part(SKYFLEET_REPAIR="1")
        outcome["afterNothing"] = list(engine.asked)

        # The marker is deleted until that has been done.
        state("sensor").update(Running=False, Status="exited")
        health()
        state("sensor").update(Running=True, Status="running")
        store.fail_next = [None, 403]
        outcome["markerStays"] = health()
        outcome["markerGoes"] = {"report": health(), "marker": MARKER in store.objects}

        # The place is given up, in two attempts.
        state("sensor").update(Running=False, Status="exited")
        health()
        state("sensor").update(Running=True, Status="running", Paused=True)
        outcome["markerBefore"] = MARKER in store.objects
        engine.asked.clear()
        engine.fail_next = ["stop"]
        outcome["halfDown"] = stand_down()
        outcome["halfDownState"] = {"cron": cron.exists(), "containers": sorted(engine.containers)}
        outcome["down"] = stand_down()
        outcome["downState"] = {
            "cron": cron.exists(),
            "containers": sorted(engine.containers),
            "asked": list(engine.asked),
            "computeEnded": services.compute.wait(timeout=60) is not None,
            "marker": MARKER in store.objects,
            "claim": store.documents_at(CLAIM)["instanceId"],
        }
        puts = len(store.requests)
        outcome["downAgain"] = stand_down()
        outcome["healthWhenDown"] = health()
        outcome["reportsWhenDown"] = [one["method"] for one in store.requests[puts:]]
        outcome["standbyWhenDown"] = standby()
        outcome["startsWhenDown"] = list(services.starts)

        store.objects[CLAIM] = json.dumps(other).encode()
        outcome["stillDown"] = run_part(SKYPILOT_NODE_IPS="10.0.0.5\n10.0.0.9")
        outcome["stillDownHealth"] = health()
        outcome["back"] = run_part()
        outcome["backState"] = {
            "claim": store.documents_at(CLAIM)["instanceId"],
            "cron": cron.exists(),
            "starts": list(services.starts),
            "health": health(),
        }
    finally:
        if orchestrator:
            orchestrator.kill()
            orchestrator.wait()
        services.stop_compute()
    return outcome


play(main)
