#!/usr/bin/env python3
"""Checks this node and reports: text or JSON on stdout, JSON on the node and in the bucket. 0 healthy, 1 unhealthy."""

from __future__ import annotations

import argparse
import datetime
import http.client
import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, NamedTuple, Optional, Sequence, Tuple
from urllib.parse import urlsplit

import atomic_file
import docker_api
import fault_marker
import file_lock
import gpus
import imds
import interruption
import newest_row
import node_paths
import node_settings
import orchestrator_link
import s3
import services
import work_gate
from generate_bacalhau_config import API_HOST, API_PORT, HEARTBEAT_SECONDS
from write_service_files import TOKEN_VARIABLE

# Bacalhau itself gives a connection up after five heartbeats without an answer.
LINK_IDLE_SECONDS = 3 * HEARTBEAT_SECONDS
ROW_AGE_SECONDS = 120.0
# The poller asks every 5 s; the metadata service may be slow for a while.
POLLER_ANSWER_SECONDS = 60.0
DISK_FREE_BYTES, DISK_FREE_FRACTION = 1 << 30, 0.05
MEMORY_FREE_BYTES, MEMORY_FREE_FRACTION = 64 << 20, 0.05

# Whose log tells why a check failed, and which a restart may heal.
CONTAINER_OF_CHECK = {
    "service bacalhau_compute": services.COMPUTE,
    "compute node": services.COMPUTE,
    "orchestrator": services.COMPUTE,
    "service sensor": services.SENSOR,
    "sensor rows": services.SENSOR,
}

LOCK_WAIT_SECONDS = 60
REPEAT_SECONDS = 3
LOG_LINES = 20


class Unhealthy(RuntimeError):
    """A check found something wrong; its text says what."""


class Check(NamedTuple):
    name: str
    ok: bool
    detail: str
    values: Dict[str, Any]

    def document(self) -> Dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "detail": self.detail, **self.values}


class Finding(NamedTuple):
    detail: str
    values: Dict[str, Any]


class Node(NamedTuple):
    """What the checks need to know about this node, from node.json, member.json and identity.json."""

    settings: Dict[str, Any]
    member: Dict[str, Any]
    sensor_id: str


def read_node() -> Node:
    settings = node_settings.load(node_paths.SETTINGS)
    member = json.loads(node_paths.MEMBER.read_text(encoding="utf-8"))
    identity = json.loads(node_paths.SENSOR_IDENTITY.read_text(encoding="utf-8"))
    return Node(settings, member, identity["sensor_id"])


def _container(name: str) -> Dict[str, Any]:
    found = docker_api.inspect(name)
    if found is None:
        raise Unhealthy(f"there is no container {name}; run the node's run part again")
    return found


def check_service(name: str) -> Finding:
    container = _container(name)
    state = container["State"]
    health = (state.get("Health") or {}).get("Status") or "none"
    values = {
        "image": container["Config"]["Image"],
        "status": state["Status"],
        "startedAt": state["StartedAt"],
        "restarts": container.get("RestartCount", 0),
        "containerHealth": health,
    }
    if state.get("Paused"):
        raise Unhealthy(f"{name} is paused")
    if not state["Running"]:
        raise Unhealthy(f"{name} is {state['Status']}, exit code {state.get('ExitCode')}")
    # An engine without systemd (podman in a container) never runs health checks and leaves them at "starting"; what
    # they would prove is checked below as well.
    if health == "unhealthy":
        raise Unhealthy(f"{name} runs, but its own health check fails")
    return Finding(f"running since {state['StartedAt']}, {values['restarts']} restarts", values)


def agent(path: str) -> Dict[str, Any]:
    connection = http.client.HTTPConnection(API_HOST, API_PORT, timeout=5)
    try:
        connection.request("GET", f"/api/v1/agent/{path}")
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise Unhealthy(f"the compute node's API at {API_HOST}:{API_PORT} does not answer: {error}") from None
    finally:
        connection.close()
    if response.status != 200:
        raise Unhealthy(f"the compute node's API answers {path} with HTTP {response.status}")
    value = json.loads(body)
    assert isinstance(value, dict)
    return value


def check_compute_node(node: Node) -> Finding:
    """That what runs is a compute node, of this name: a configuration it does not understand makes it neither."""
    about = agent("node")
    running = agent("config")["config"]
    expected = node.member["nodeName"]
    if about["NodeID"] != expected or about["NodeType"] != "Compute":
        raise Unhealthy(f"runs as {about['NodeType']} {about['NodeID']}, should be Compute {expected}")
    if running["Compute"].get("Enabled") is not True or running["Orchestrator"].get("Enabled"):
        raise Unhealthy("runs with another configuration than /etc/bacalhau/config.yaml")
    engines = about["ComputeNodeInfo"]["ExecutionEngines"] or []
    if "docker" not in engines:
        # Bacalhau 1.9 asks for the container engine once and keeps the answer, so a compute node that was started
        # before the engine answered (it starts its containers first, then listens) has to be started again.
        docker_api.restart(services.COMPUTE)
        raise Unhealthy("had no docker engine; was restarted, since Bacalhau looks for the engine only when it starts")
    claimed = about["ComputeNodeInfo"]["MaxCapacity"].get("GPU", 0)
    if claimed != gpus.usable():
        raise Unhealthy(f"offers {claimed} GPU(s) to jobs, while this node has {gpus.found()}")
    # A node that takes no new work ends when this is 0.
    executions = about["ComputeNodeInfo"].get("RunningExecutions", 0)
    values = {"engines": engines, "gpus": claimed, "runningExecutions": executions}
    return Finding(f"{expected}, engines {', '.join(engines)}, {claimed} GPU(s), {executions} running", values)


def check_orchestrator(node: Node) -> Finding:
    orchestrators = node.settings["bacalhau"]["orchestrators"]
    ports = [port for port in (urlsplit(address).port for address in orchestrators) if port]
    pid = _container(services.COMPUTE)["State"]["Pid"]
    if not pid:
        raise Unhealthy(f"{services.COMPUTE} does not run")
    link = orchestrator_link.link(pid, ports)
    if link is None:
        raise Unhealthy(f"no connection to {', '.join(orchestrators)}; `docker logs {services.COMPUTE}` says why")
    values = {"address": f"{link.peer}:{link.port}", "idleSeconds": round(link.idle_seconds, 1)}
    if link.idle_seconds > LINK_IDLE_SECONDS:
        raise Unhealthy(f"nothing heard from {values['address']} for {values['idleSeconds']} s")
    return Finding(f"connected to {values['address']}, heard {values['idleSeconds']} s ago", values)


def check_disk() -> Finding:
    values, short = {}, []
    seen = set()
    for path in (node_paths.ROOT, node_paths.BACALHAU_DATA, node_paths.SENSOR_DATABASE.parent):
        if not path.exists() or path.stat().st_dev in seen:
            continue
        seen.add(path.stat().st_dev)
        usage = shutil.disk_usage(str(path))
        text = f"{path}: {usage.free / 2**30:.1f} GiB of {usage.total / 2**30:.1f} GiB free"
        values[str(path)] = {"freeBytes": usage.free, "totalBytes": usage.total}
        if usage.free < DISK_FREE_BYTES or usage.free < DISK_FREE_FRACTION * usage.total:
            short.append(text)
    if short:
        raise Unhealthy("; ".join(short))
    return Finding(
        ", ".join(f"{v['freeBytes'] / 2**30:.1f} GiB free at {p}" for p, v in values.items()), {"disks": values}
    )


def check_memory() -> Finding:
    kilobytes = {}
    for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
        name, value = line.split(":", 1)
        kilobytes[name] = int(value.split()[0]) * 1024
    free, total = kilobytes["MemAvailable"], kilobytes["MemTotal"]
    text = f"{free / 2**20:.0f} MiB of {total / 2**20:.0f} MiB available"
    if free < MEMORY_FREE_BYTES or free < MEMORY_FREE_FRACTION * total:
        raise Unhealthy(text)
    return Finding(text, {"availableBytes": free, "totalBytes": total})


def check_sensor_rows(node: Node) -> Finding:
    try:
        row = newest_row.newest_row(str(node_paths.SENSOR_DATABASE))
    except (newest_row.NoRow, sqlite3.Error) as error:
        raise Unhealthy(str(error)) from None
    values = {"newestRow": row.timestamp, "ageSeconds": round(row.age_seconds, 1), "sensorId": row.sensor_id}
    if row.sensor_id != node.sensor_id:
        raise Unhealthy(f"the newest row is of {row.sensor_id}, this node's sensor is {node.sensor_id}")
    if row.age_seconds > ROW_AGE_SECONDS:
        raise Unhealthy(f"the newest row is {values['ageSeconds']} s old, more than {ROW_AGE_SECONDS:.0f} s")
    return Finding(f"newest row {values['ageSeconds']} s old", values)


def check_imds_guard() -> Finding:
    """That containers with a network of their own cannot reach the role's keys; sets the rule anew where it is gone."""
    script = Path(__file__).resolve().parent / "imds-guard.sh"
    done = subprocess.run(["sh", str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if done.returncode != 0:
        raise Unhealthy(done.stderr.decode("utf-8", "replace").strip() or "iptables failed")
    state = done.stdout.decode("utf-8").strip()
    return Finding(f"rule {state}", {"rule": state})


def check_work_gate(node: Node) -> Finding:
    """That the poller of spot notices answers, without which no job runs here; starts it where it does not."""
    try:
        status = work_gate.status()
    except work_gate.NoAnswer as error:
        script = Path(__file__).resolve().parent / "spot_notice.py"
        command = [sys.executable, "-B", str(script), "--start"]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        outcome = "was started again" if done.returncode == 0 else done.stderr.decode("utf-8", "replace").strip()
        raise Unhealthy(f"{error}, so that new jobs fail on this node; {outcome}") from None
    # A node on demand asks for no spot notices.
    quiet = status["answeredSecondsAgo"] if node.member["lifeCycle"] == "spot" else None
    if quiet is not None and quiet > POLLER_ANSWER_SECONDS:
        raise Unhealthy(f"the poller got no answer from the metadata service for {quiet} s: {status['problem']}")
    if status["refusal"]:
        return Finding(f"{status['refusal']}; no new work is taken", {"takesWork": False})
    return Finding("new work is taken" if quiet is None else f"none, asked {quiet} s ago", {"takesWork": True})


def checks(node: Node) -> List[Check]:
    wanted: List[Tuple[str, Callable[[], Finding]]] = [
        ("service bacalhau_compute", lambda: check_service(services.COMPUTE)),
        ("service sensor", lambda: check_service(services.SENSOR)),
        ("compute node", lambda: check_compute_node(node)),
        ("orchestrator", lambda: check_orchestrator(node)),
        ("disk", check_disk),
        ("memory", check_memory),
        ("sensor rows", lambda: check_sensor_rows(node)),
        ("imds guard", check_imds_guard),
    ]
    if work_gate.wanted(node.settings, node.member):
        name = "spot notice" if node.member["lifeCycle"] == "spot" else "work gate"
        wanted.append((name, lambda: check_work_gate(node)))
    return [_run(name, check) for name, check in wanted]


def _run(name: str, check: Callable[[], Finding]) -> Check:
    try:
        found = check()
    except (Unhealthy, docker_api.DockerError) as error:
        return Check(name, False, str(error), {})
    except (OSError, ValueError, KeyError, TypeError) as error:
        # A check that cannot be made has failed; the others still count.
        return Check(name, False, f"{type(error).__name__}: {error}", {})
    return Check(name, True, found.detail, found.values)


def report(node: Node, found: Sequence[Check]) -> Dict[str, Any]:
    return {
        "version": 1,
        "healthy": all(check.ok for check in found),
        "time": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
        "stack": node.settings["stack"],
        "fleet": node.settings["fleet"],
        "place": node.settings["place"],
        **{key: node.member[key] for key in ("nodeName", "ordinal", "instanceId", "zone", "region", "privateIp")},
        "sensorId": node.sensor_id,
        "interruption": interrupted(),
        "checks": [check.document() for check in found],
    }


def interrupted() -> Optional[Dict[str, Any]]:
    """The spot notice that stands; None where none does."""
    standing = interruption.read()
    if standing is None:
        return None
    now = datetime.datetime.now(datetime.timezone.utc)
    return {
        "action": standing.action,
        "time": standing.time,
        "noticedAt": standing.noticed_at,
        # noticed, or last: the report shortly before the end.
        "stage": interruption.stage(standing, now),
        "sensorObjects": list(standing.sensor_objects),
    }


def as_text(document: Dict[str, Any]) -> str:
    head = f"{document['nodeName']} {'healthy' if document['healthy'] else 'UNHEALTHY'} at {document['time']}\n"
    notice = document["interruption"]
    if notice:
        head += f"  SPOT NOTICE: AWS will {notice['action']} this instance at {notice['time']}\n"
    return head + "".join(
        f"  {'ok  ' if check['ok'] else 'FAIL'} {check['name']}: {check['detail']}\n" for check in document["checks"]
    )


def upload(node: Node, document: Dict[str, Any]) -> Check:
    """Puts the report where it can be read when the node cannot, and beside it the marker of a fault."""
    where = node.settings["bucket"]
    key = f"{where['prefix']}health/{node.member['nodeName']}.json"
    try:
        session = imds.Session()
        bucket = s3.Bucket.of_node(where, session.credentials)
        body = (json.dumps(document, indent=2) + "\n").encode("utf-8")
        marker = fault_marker.key(node.settings, node.member)
        bucket.put(key, body)
        if document["healthy"]:
            fault_marker.clear(bucket, marker)
        else:
            fault_marker.put(bucket, marker, body)
    except (imds.ImdsError, s3.S3Error, OSError, ValueError, KeyError) as error:
        return Check("report upload", False, str(error), {})
    return Check("report upload", True, f"s3://{where['name']}/{key}", {})


class StoodDown(RuntimeError):
    """There is nothing to check: this node has given up its services."""


def lock() -> file_lock.Lock:
    """Two health checks never overlap."""
    return file_lock.Lock(node_paths.HEALTH_LOCK, LOCK_WAIT_SECONDS, "another health check")


def examine(node: Node, wait_seconds: float) -> List[Check]:
    """The checks; repeated for `wait_seconds` at most, until all are well."""
    deadline = time.monotonic() + wait_seconds
    while True:
        found = checks(node)
        if all(check.ok for check in found) or time.monotonic() >= deadline:
            return found
        time.sleep(REPEAT_SECONDS)


def repair(node: Node) -> None:
    """Restarts the service of each check that fails; one that has no container yet is made by compose."""
    failed: Dict[str, str] = {}
    for check in checks(node):
        if not check.ok and check.name in CONTAINER_OF_CHECK:
            failed.setdefault(CONTAINER_OF_CHECK[check.name], f"{check.name}: {check.detail}")
    for name, why in failed.items():
        if docker_api.inspect(name) is not None:
            print(f"restarting {name}, since {why}", flush=True)
            docker_api.restart(name)


def container_logs(document: Dict[str, Any]) -> Iterator[str]:
    """The last lines of the services that failed checks are about, without the token."""
    token = _token()
    failed = [check["name"] for check in document["checks"] if not check["ok"]]
    for name in {container: None for check, container in CONTAINER_OF_CHECK.items() if check in failed}:
        try:
            text = docker_api.log_tail(name, LOG_LINES)
        except docker_api.DockerError as error:
            text = str(error)
        yield f"--- last lines of {name}\n{text.replace(token, '********') if token else text}"


def _token() -> Optional[str]:
    try:
        line = node_paths.BACALHAU_TOKEN_ENV.read_text(encoding="ascii").strip()
    except OSError:
        return os.environ.get(TOKEN_VARIABLE)
    return line[len(TOKEN_VARIABLE) + 2 : -1]


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="health-check.sh", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print the report as JSON instead of text")
    parser.add_argument("--quiet", action="store_true", help="print nothing")
    parser.add_argument(
        "--wait",
        type=float,
        default=0,
        metavar="SECONDS",
        help="repeat for so long until all is well, and show logs if not",
    )
    parser.add_argument(
        "--repair", action="store_true", help="restart the services whose checks fail, and report nothing"
    )
    options = parser.parse_args(arguments)
    try:
        node = read_node()
        with lock():
            if node_paths.STOOD_DOWN.exists():
                raise StoodDown("this node stood down; its run part brings its services back")
            if options.repair:
                repair(node)
                return 0
            document = report(node, examine(node, options.wait))
            uploaded = upload(node, document)
            # The object cannot tell how its own upload went; the report on the node does.
            document["checks"].append(uploaded.document())
            document["healthy"] = document["healthy"] and uploaded.ok
            atomic_file.write(node_paths.HEALTH_JSON, json.dumps(document, indent=2) + "\n")
            atomic_file.write(node_paths.HEALTH_TEXT, as_text(document))
    except (OSError, ValueError, KeyError, file_lock.Locked, StoodDown, docker_api.DockerError) as error:
        print(f"health-check.sh: {error}", file=sys.stderr)
        return 1
    if not options.quiet:
        sys.stdout.write(json.dumps(document, indent=2) + "\n" if options.json else as_text(document))
    if options.wait and not document["healthy"]:
        for text in container_logs(document):
            print(text.rstrip(), file=sys.stderr)
    return 0 if document["healthy"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
