"""A node of a fleet with accelerators: without GPUs, with GPUs that the engine cannot hand on, and with both."""

from __future__ import annotations

import json
import re
from typing import Any, Dict

from whole_node import binaries, get, health, play, prepare, root, run_part, service, start_orchestrator, wait_for

NVIDIA_SMI = "#!/bin/sh\nprintf '0, Tesla T4, 15360\\n1, Tesla T4, 15360\\n'\n"


def offered() -> Dict[str, Any]:
    """What the compute node offers, in its own words and in the orchestrator's."""
    own = get("http://127.0.0.1:1234/api/v1/agent/node")
    listed = get("http://127.0.0.1:21235/api/v1/orchestrator/nodes")["Nodes"]
    labels = next(node["Info"]["Labels"] for node in listed if node["Info"]["NodeType"] == "Compute")
    capacity = own["ComputeNodeInfo"]["MaxCapacity"]
    return {
        "gpus": capacity.get("GPU", 0),
        "cpuIsThere": capacity["CPU"] > 0,
        "labels": {name: value for name, value in labels.items() if re.match("gpu|accelerator", name, re.IGNORECASE)},
    }


def override() -> Any:
    return json.loads((root / "opt/bacalhau/docker-compose.override.yml").read_text())["services"]["compute"]


def main() -> Dict[str, Any]:
    outcome: Dict[str, Any] = {}
    node = prepare()
    devices, smi, hook = root / "dev", binaries / "nvidia-smi", root / "usr/bin/nvidia-container-runtime-hook"
    orchestrator = start_orchestrator()
    try:
        # nvidia-smi alone makes no GPU: a node without devices never claims one.
        smi.write_text(NVIDIA_SMI)
        smi.chmod(0o755)
        outcome["undeclared"] = {"run": run_part(), "offered": offered(), "override": override()}

        node.settings["accelerators"] = {"type": "T4", "count": 2}
        node.ship_settings()
        outcome["none"] = run_part()
        devices.mkdir()
        # What the driver puts beside the GPUs themselves.
        for name in ("nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-modeset"):
            (devices / name).touch()
        outcome["fewer"] = run_part()
        (devices / "nvidia1").touch()
        outcome["noHook"] = run_part()
        node.settings["accelerators"] = None
        node.ship_settings()
        outcome["noHookUndeclared"] = {"run": run_part(), "offered": offered()}
        node.settings["accelerators"] = {"type": "T4", "count": 2}
        node.ship_settings()
        hook.parent.mkdir(parents=True, exist_ok=True)
        hook.touch()
        run = run_part()
        wait_for(lambda: offered()["labels"].get("gpus") == "2")
        outcome["both"] = {"run": run, "offered": offered(), "override": override()}

        # The engine did not put the program into the container, so that Bacalhau finds nothing.
        smi.unlink()
        node.services.start_compute(service["environment"])
        wait_for(lambda: get("http://127.0.0.1:1234/api/v1/agent/node") is not None)
        outcome["notHandedOn"] = health()
    finally:
        orchestrator.kill()
        orchestrator.wait()
        node.services.stop_compute()
    return outcome


play(main)
