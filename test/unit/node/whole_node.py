"""A whole node for the scenarios, run by its own run.sh: real Bacalhau as orchestrator and compute node, real iptables,
and stand-ins for the metadata service, S3 and the container engine (what compose is asked to start is started as plain
processes). Arguments of a scenario: a folder with node.json, the room that is shipped, bacalhau, the compute service.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
import urllib.request
from datetime import datetime, timezone
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Callable, Dict, List, NamedTuple, Optional

import peers
from peers import wait_for as wait_for

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
# The images that the engine has, and those that it can pull, one a line.
images, registry = folder / "images", folder / "registry"
database = root / "opt/sensor/data/sensor_data.db"


def parse_env(path: Path) -> Dict[str, str]:
    lines = path.read_text().splitlines()
    return {name: value.strip("'") for name, value in (line.split("=", 1) for line in lines)}


class Node(NamedTuple):
    """What a node is made of and talks to."""

    engine: peers.Engine
    imds: peers.Imds
    store: peers.S3
    services: Services
    settings: Dict[str, Any]

    def ship_settings(self) -> None:
        (shipped / "node.json").write_text(json.dumps(self.settings, indent=2) + "\n")


class Services:
    """Does for the two services what compose does: starts what is new or described anew, leaves the rest."""

    def __init__(self, engine: peers.Engine, imds: peers.Imds) -> None:
        self.engine = engine
        self.imds = imds
        self.starts: List[str] = []
        self.compute: Optional[subprocess.Popen[bytes]] = None
        self.writing = threading.Event()
        self._described: Dict[str, bytes] = {}
        engine.stops.update(bacalhau_compute=self.end_compute, sensor=self.stop_sensor)
        engine.restarts.update(
            bacalhau_compute=lambda: self.start_compute(service["environment"]), sensor=self.restart_sensor
        )

    def up(self, project: str) -> str:
        files = [path for path in sorted((root / "opt" / project).glob("*")) if path.is_file()]
        files += [root / "opt" / project / ".env", root / "etc/bacalhau/compute.env"]
        described = b"".join(path.read_bytes() for path in files)
        container = {"bacalhau": "bacalhau_compute", "sensor": "sensor"}[project]
        if self._described.get(project) == described and container in self.engine.containers:
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

    def end_compute(self) -> None:
        """As the engine stops a container: told to end, and killed where it does not."""
        assert self.compute
        self.compute.terminate()
        try:
            self.compute.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.stop_compute()

    def stop_sensor(self) -> None:
        self.writing.clear()

    def restart_sensor(self) -> None:
        self.stop_sensor()
        self.start_sensor()

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


def wait_until_healthy() -> None:
    found: Dict[str, Any] = {}

    def healthy() -> bool:
        found.update(health())
        return bool(found["healthy"])

    try:
        wait_for(healthy)
    except TimeoutError:
        raise TimeoutError(f"still unhealthy: {found['failed']}") from None


def run_part(healthy_within: str = "60", **variables: str) -> Dict[str, Any]:
    return _run(
        "run.sh",
        {
            "SKYPILOT_NODE_IPS": "10.0.0.5",
            "SKYFLEET_INCARNATION": "local-0-k3f9",
            "SKYFLEET_HEALTHY_WITHIN": healthy_within,
            **variables,
        },
    )


def stand_down() -> Dict[str, Any]:
    return _run("stand_down.sh", {})


def _run(script: str, variables: Dict[str, str]) -> Dict[str, Any]:
    done = subprocess.run(
        ["sh", str(shipped / "scripts" / script)],
        env={**os.environ, **variables},
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


def prepare(life_cycle: str = "on-demand") -> Node:
    """A node with everything around it, before its run part has run for the first time."""
    shutil.copytree(node_room, shipped)
    binaries.mkdir()
    engine = peers.Engine(str(folder / "engine.sock"))
    imds = peers.Imds("i-0123456789abcdef0", "10.0.0.5", life_cycle=life_cycle)
    store = peers.S3()
    store.objects[TOKEN_PATH] = TOKEN.encode()
    services = Services(engine, imds)
    compose = serve_compose(services)
    (binaries / "docker").write_text(
        "#!/bin/sh\n"
        'case "$1 $2" in\n'
        f'"image inspect") grep -qxF "$3" {images} ;;\n'
        f'"pull "*) grep -qxF "$2" {registry} && echo "$2" >>{images} ;;\n'
        "*) exit 1 ;;\n"
        "esac\n"
    )
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
    node = Node(engine, imds, store, services, settings)
    node.ship_settings()
    return node


def play(main: Callable[[], Dict[str, Any]]) -> None:
    """Prints what a scenario found, as JSON; the ends of the logs where it failed."""
    try:
        print(json.dumps(main()))
    except BaseException:
        traceback.print_exc()
        for log in (folder / "orchestrator.log", folder / "compute.log", root / "var/log/skyfleet-spot-notice.log"):
            if log.exists():
                sys.stderr.write(f"--- {log.name}\n" + log.read_text()[-3000:])
        sys.exit(1)
