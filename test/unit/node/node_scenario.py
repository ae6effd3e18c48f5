"""A node on demand, from its first run part to its loss of everything that it needs."""

from __future__ import annotations

import fcntl
import json
import signal
import subprocess
import threading
import time
from datetime import datetime, timedelta, timezone
from typing import Any, Dict

import peers
from whole_node import (
    TOKEN,
    TOKEN_PATH,
    database,
    get,
    health,
    play,
    prepare,
    root,
    run_part,
    service,
    shipped,
    start_orchestrator,
    wait_for,
    wait_until_healthy,
    write_row,
)


def main() -> Dict[str, Any]:
    outcome: Dict[str, Any] = {}
    node = prepare()
    engine, _, store, services, settings = node
    orchestrator = start_orchestrator()
    try:
        outcome["first"] = run_part()
        nodes = get("http://127.0.0.1:21235/api/v1/orchestrator/nodes")["Nodes"]
        outcome["nodes"] = [node for node in nodes if node["Info"]["NodeType"] == "Compute"]
        outcome["objects"] = sorted(set(store.objects) - {TOKEN_PATH})
        outcome["cron"] = (root / "etc/cron.d/skyfleet").read_text()
        outcome["tokenFiles"] = [
            str(path.relative_to(root))
            for path in root.rglob("*")
            if path.is_file() and "var/lib/bacalhau" not in str(path) and TOKEN.encode() in path.read_bytes()
        ]

        outcome["second"] = run_part()
        outcome["startsOfTwoRuns"] = list(services.starts)
        sensor_config = shipped / "sensor/sensor-config.yaml"
        sensor_config.write_text(sensor_config.read_text().replace("readings_per_second: 1", "readings_per_second: 2"))
        outcome["third"] = run_part()
        settings["bacalhau"]["labels"]["team"] = "y"
        node.ship_settings()
        outcome["fourth"] = run_part()
        outcome["startsOfFourRuns"] = list(services.starts)

        outcome["healthy"] = health()
        outcome["text"] = (root / "var/lib/skyfleet/health.txt").read_text()

        subprocess.run(["iptables", "-t", "mangle", "-F", "FORWARD"], check=True)
        outcome["guard"] = [
            next(check["rule"] for check in health()["report"]["checks"] if check["name"] == "imds guard")
            for _ in range(2)
        ]

        store.fail_next = [403]
        outcome["noUpload"] = health()

        with (root / "var/lib/skyfleet/health.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            threading.Timer(2, lambda: fcntl.flock(lock, fcntl.LOCK_UN)).start()
            started = time.monotonic()
            outcome["locked"] = health()
            outcome["lockedSeconds"] = time.monotonic() - started

        services.writing.clear()
        time.sleep(1)
        write_row("SENSOR_GA_ATL_0000", datetime.now(timezone.utc) - timedelta(minutes=10))
        outcome["oldRow"] = health()
        write_row("SENSOR_XX_XXX_0000", datetime.now(timezone.utc))
        outcome["foreignRow"] = health()
        database.unlink()
        outcome["noDatabase"] = health()
        services.start_sensor()

        engine.containers["sensor"] = peers.container("sensor:1", 0, running=False)
        outcome["stoppedSensor"] = health()
        engine.containers["sensor"] = peers.container("sensor:1", 1, health="unhealthy")
        outcome["unhealthySensor"] = health()
        engine.containers["sensor"] = peers.container("sensor:1", 1)

        # With the node's role at hand, Bacalhau offers S3 to every job; as the compose file starts it, it does not.
        about = get("http://127.0.0.1:1234/api/v1/agent/node")
        outcome["storageAsShipped"] = about["ComputeNodeInfo"]["StorageSources"]
        services.start_compute({**service["environment"], "AWS_EC2_METADATA_DISABLED": "false"})
        wait_until_healthy()
        about = get("http://127.0.0.1:1234/api/v1/agent/node")
        outcome["storageWithRole"] = about["ComputeNodeInfo"]["StorageSources"]
        services.start_compute(service["environment"])
        wait_until_healthy()

        # As after a restart of the engine, which starts its containers before it answers.
        engine.restarts["bacalhau_compute"] = lambda: services.start_compute(service["environment"])
        services.start_compute(service["environment"], engine="unix:///nonexistent.sock")
        wait_for(lambda: "had no docker engine" in health()["failed"].get("compute node", ""))
        wait_until_healthy()
        outcome["healed"] = health()

        orchestrator.send_signal(signal.SIGKILL)
        orchestrator.wait()
        time.sleep(1)
        outcome["noOrchestrator"] = health()
        outcome["reportWithoutOrchestrator"] = json.loads(store.objects["/data/fleets/local/health/local-0-k3f9.json"])[
            "healthy"
        ]
        outcome["aliveWithoutOrchestrator"] = get("http://127.0.0.1:1234/api/v1/agent/alive")

        engine.logs["bacalhau_compute"] = f"the log, with {TOKEN} in it\n".encode()
        outcome["unhealthyRun"] = run_part(healthy_within="1")
        services.stop_compute()
        outcome["noCompute"] = health()
        store.objects[TOKEN_PATH] = b"planted token"
        outcome["badToken"] = run_part()
        del store.objects[TOKEN_PATH]
        outcome["noToken"] = run_part()
    finally:
        orchestrator.kill()
        orchestrator.wait()
        services.stop_compute()
    return outcome


play(main)
