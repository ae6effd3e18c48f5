"""A whole node, run by its own run.sh: real Bacalhau as orchestrator and compute node, real iptables, and stand-ins for
the metadata service, S3 and the container engine (what compose is asked to start is started as plain processes).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.request
from datetime import datetime, timedelta, timezone
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

import peers

folder = Path(sys.argv[1])
node_room = Path(sys.argv[2])
bacalhau = sys.argv[3]
# The compute service of docker-compose.yml: its command and its environment.
service: Dict[str, Any] = json.loads(sys.argv[4])

TOKEN = "planted.Token-123"
TOKEN_PATH = "/data/fleets/local/credentials/orchestrator-token"
root = folder / "root"
shipped = folder / "home/skyfleet"
binaries = folder / "bin"
database = root / "opt/sensor/data/sensor_data.db"


def parse_env(path: Path) -> Dict[str, str]:
    lines = path.read_text().splitlines()
    return {name: value.strip("'") for name, value in (line.split("=", 1) for line in lines)}


class Services:
    """Does for the two services what compose does: starts what is new or described anew, leaves the rest."""

    def __init__(self, engine: peers.Engine, imds: peers.Imds) -> None:
        self.engine = engine
        self.imds = imds
        self.starts: List[str] = []
        self.compute: Optional[subprocess.Popen[bytes]] = None
        self.writing = threading.Event()
        self._described: Dict[str, bytes] = {}

    def up(self, project: str) -> str:
        files = [path for path in sorted((root / "opt" / project).glob("*")) if path.is_file()]
        files += [root / "opt" / project / ".env", root / "etc/bacalhau/compute.env"]
        described = b"".join(path.read_bytes() for path in files)
        if self._described.get(project) == described:
            return f"{project} is up-to-date"
        self._described[project] = described
        self.starts.append(project)
        if project == "bacalhau":
            self.start_compute(service["environment"])
        else:
            self.start_sensor()
        return f"{project} started"

    def start_compute(self, environment: Dict[str, str], engine: Optional[str] = None) -> None:
        self.stop_compute()
        values = parse_env(root / "opt/bacalhau/.env")
        command = [word.replace("/etc/bacalhau", str(root / "etc/bacalhau")) for word in service["command"]]
        command = [values["NODE_NAME"] if word == "${NODE_NAME:?}" else word for word in command]
        self.compute = subprocess.Popen(
            [bacalhau, *command, "--data-dir", str(root / "var/lib/bacalhau")],
            env={
                "PATH": os.environ["PATH"],
                **environment,
                **parse_env(root / "etc/bacalhau/compute.env"),
                "HOME": str(folder),
                "DOCKER_HOST": engine or os.environ["DOCKER_HOST"],
                "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.imds.url,
                "AWS_REGION": "us-west-2",
            },
            stdout=(folder / "compute.log").open("wb"),
            stderr=subprocess.STDOUT,
        )
        self.engine.containers["bacalhau_compute"] = peers.container(values["BACALHAU_IMAGE"], self.compute.pid)

    def stop_compute(self) -> None:
        if self.compute:
            self.compute.kill()
            self.compute.wait()

    def start_sensor(self) -> None:
        sensor_id = json.loads((root / "opt/sensor/config/identity.json").read_text())["sensor_id"]
        image = parse_env(root / "opt/sensor/.env")["SENSOR_IMAGE"]
        self.engine.containers["sensor"] = peers.container(image, os.getpid())
        self.writing.set()
        write_row(sensor_id, datetime.now(timezone.utc))
        threading.Thread(target=self._write_rows, args=(sensor_id,), daemon=True).start()

    def _write_rows(self, sensor_id: str) -> None:
        while self.writing.is_set():
            write_row(sensor_id, datetime.now(timezone.utc))
            time.sleep(0.5)


def write_row(sensor_id: str, written: datetime) -> None:
    with sqlite3.connect(database, timeout=10) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS sensor_readings (id INTEGER PRIMARY KEY, timestamp, sensor_id)")
        connection.execute(
            "INSERT INTO sensor_readings (timestamp, sensor_id) VALUES (?, ?)", (written.isoformat(), sensor_id)
        )


def serve_compose(services: Services) -> str:
    """`docker-compose up` on the PATH of the scripts asks here."""

    class Handler(peers._Handler):
        def answer(self, method: str, body: bytes) -> peers.Answer:
            return 200, services.up(body.decode()).encode(), {}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    peers.serve(server)
    return f"http://127.0.0.1:{server.server_address[1]}"


def start_orchestrator() -> subprocess.Popen[bytes]:
    (folder / "orchestrator.yaml").write_text(
        json.dumps(
            {
                "DataDir": str(folder / "orchestrator"),
                "API": {"Host": "127.0.0.1", "Port": 21235},
                "Orchestrator": {"Enabled": True, "Host": "127.0.0.1", "Port": 4222, "Auth": {"Token": TOKEN}},
                "DisableAnalytics": True,
                "UpdateConfig": {"Interval": "0s"},
            }
        )
    )
    process = subprocess.Popen(
        [bacalhau, "serve", "--config", str(folder / "orchestrator.yaml"), "--name", "orchestrator"],
        env={"PATH": os.environ["PATH"], "HOME": str(folder)},
        stdout=(folder / "orchestrator.log").open("wb"),
        stderr=subprocess.STDOUT,
    )
    wait_for(lambda: get("http://127.0.0.1:21235/api/v1/agent/alive") is not None)
    return process


def get(url: str) -> Any:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:
            return json.load(response)
    except OSError:
        return None


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("waited in vain")
        time.sleep(0.2)


def wait_until_healthy() -> None:
    found: Dict[str, Any] = {}

    def healthy() -> bool:
        found.update(health())
        return bool(found["healthy"])

    try:
        wait_for(healthy)
    except TimeoutError:
        raise TimeoutError(f"still unhealthy: {found['failed']}") from None


def run_part(healthy_within: str = "60") -> Dict[str, Any]:
    done = subprocess.run(
        ["sh", str(shipped / "scripts/run.sh")],
        env={
            **os.environ,
            "SKYPILOT_NODE_IPS": "10.0.0.5",
            "SKYFLEET_INCARNATION": "local-0-k3f9",
            "SKYFLEET_HEALTHY_WITHIN": healthy_within,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    return {"code": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def health(*arguments: str) -> Dict[str, Any]:
    """The exit code of a health check, and what it says about each check."""
    script = root / "usr/local/lib/skyfleet/health-check.sh"
    done = subprocess.run(
        ["sh", str(script), "--json", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if not done.stdout:
        return {"code": done.returncode, "error": done.stderr}
    report = json.loads(done.stdout)
    failed = {check["name"]: check["detail"] for check in report["checks"] if not check["ok"]}
    return {"code": done.returncode, "healthy": report["healthy"], "failed": failed, "report": report}


def main() -> Dict[str, Any]:
    outcome: Dict[str, Any] = {}
    shutil.copytree(node_room, shipped)
    binaries.mkdir()
    engine = peers.Engine(str(folder / "engine.sock"))
    imds = peers.Imds("i-0123456789abcdef0", "10.0.0.5")
    store = peers.S3()
    store.objects[TOKEN_PATH] = TOKEN.encode()
    services = Services(engine, imds)
    compose = serve_compose(services)
    (binaries / "docker").write_text("#!/bin/sh\nexit 1\n")
    (binaries / "docker-compose").write_text(
        "#!/usr/bin/env python3\n"
        "import os, sys, urllib.request\n"
        "if sys.argv[1] == 'up':\n"
        f"    body = os.path.basename(os.getcwd()).encode()\n"
        f"    print(urllib.request.urlopen('{compose}', data=body, timeout=60).read().decode())\n"
    )
    for program in binaries.iterdir():
        program.chmod(0o755)
    os.environ.update(
        {
            "PATH": f"{binaries}:{os.environ['PATH']}:/usr/sbin:/sbin",
            "SKYFLEET_NODE_ROOT": str(root),
            "DOCKER_HOST": f"unix://{folder / 'engine.sock'}",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url,
        }
    )
    settings = json.loads((folder / "node.json").read_text())
    settings["bucket"]["endpointUrl"] = store.url
    (shipped / "node.json").write_text(json.dumps(settings, indent=2) + "\n")

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
        (shipped / "node.json").write_text(json.dumps(settings, indent=2) + "\n")
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


try:
    print(json.dumps(main()))
except BaseException:
    for name in ("orchestrator.log", "compute.log"):
        if (folder / name).exists():
            sys.stderr.write(f"--- {name}\n" + (folder / name).read_text()[-3000:])
    raise
