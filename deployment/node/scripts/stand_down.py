#!/usr/bin/env python3
"""Makes this node give up its place, so that another may take it: see stand_down.sh.

The one line on stdout comes only once nothing with this node's identity runs any more, nor can come back by itself.
Everything else goes to stderr. The claim in the bucket stays; who takes the place writes over it.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
from typing import Any, Dict, Optional, Sequence

import atomic_file
import docker_api
import draining
import fault_marker
import file_lock
import health_check
import imds
import node_paths
import node_settings
import s3
import services
import work_gate

POLL_SECONDS = 2.0
# A job that was taken just before new work was refused counts as running only a moment later.
IDLE_READS = 3
# A compute node that does not answer for so long has nothing to say about its jobs.
ANSWER_SECONDS = 60.0
# What each service has to end by itself: the sensor writes the rows that it holds in memory.
STOP_SECONDS = 30
RUN_PART_SECONDS = 300.0


class StandDownError(RuntimeError):
    """The node still has its place."""


def say(text: str) -> None:
    print(f"skyfleet: {text}", file=sys.stderr, flush=True)


def script(name: str, *arguments: str) -> None:
    """Runs one of the scripts in place; raises StandDownError where it fails."""
    done = subprocess.run(
        [sys.executable, "-B", str(node_paths.SCRIPTS / name), *arguments],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=subprocess.PIPE,
        check=False,
    )
    if done.returncode != 0:
        raise StandDownError(done.stderr.decode("utf-8", "replace").strip())


def drain(minutes: int) -> Optional[Dict[str, Any]]:
    """Refuses new work until what runs has ended, or the time is up; None where no compute node could tell."""
    begun = draining.begin()
    script("spot_notice.py", "--start")
    refusal = work_gate.status()["refusal"]
    if not refusal:
        raise StandDownError(f"{work_gate.URL} still takes new work, although {node_paths.DRAINING} is there")
    say(f"drain, {minutes} min at most ({refusal})")
    idle, answered = 0, time.monotonic()
    while True:
        try:
            left = executions()
        except (health_check.Unhealthy, ValueError, KeyError, TypeError) as error:
            if time.monotonic() - answered > ANSWER_SECONDS:
                say(f"not drained, since nobody can tell what still runs: {error}")
                return None
        else:
            answered = time.monotonic()
            idle = idle + 1 if left == 0 else 0
            took = (datetime.datetime.now(datetime.timezone.utc) - begun).total_seconds() / 60
            if idle >= IDLE_READS or took >= minutes:
                say(f"drained for {took:.1f} min, {left} execution(s) left running")
                return {"minutes": round(took, 1), "leftRunning": left}
        time.sleep(POLL_SECONDS)
        if not draining.stands():
            raise StandDownError("the run part came in between and took work again")


def executions() -> int:
    """How many executions the compute node has, in work or accepted."""
    about = health_check.agent("node")["ComputeNodeInfo"]
    return int(about.get("RunningExecutions", 0)) + int(about.get("EnqueuedExecutions", 0))


def drained_before() -> Optional[Dict[str, Any]]:
    """What an earlier attempt drained."""
    value = json.loads(node_paths.STOOD_DOWN.read_text(encoding="utf-8"))["drained"]
    assert value is None or isinstance(value, dict)
    return value


def run_lock() -> file_lock.Lock:
    """Neither a run part nor another standing down is under way; run.sh holds the same lock."""
    return file_lock.Lock(node_paths.RUN_LOCK, RUN_PART_SECONDS, "the run part of this node")


def end_services() -> None:
    say("take away what runs regularly")
    if node_paths.CRON.exists():
        node_paths.CRON.unlink()
    # The poller goes after the compute node, whose bids would fail without it, and before the sensor, which it may
    # restart.
    say("stop the compute node")
    docker_api.remove(services.COMPUTE, STOP_SECONDS)
    if node_paths.SPOT_NOTICE_LOCK.exists():
        script("spot_notice.py", "--stop")
    say("stop the sensor")
    docker_api.remove(services.SENSOR, STOP_SECONDS)
    still = services.running()
    if still:
        raise StandDownError(f"{', '.join(still)} still run(s), although told to stop")


def clear_fault() -> None:
    """Takes the marker of a fault away. What cannot be done about it is no reason to keep the place."""
    if not node_paths.MEMBER.exists():
        return
    try:
        settings = node_settings.load(node_paths.SETTINGS)
        member = json.loads(node_paths.MEMBER.read_text(encoding="utf-8"))
        marker = fault_marker.key(settings, member)
        with health_check.lock():
            fault_marker.clear(s3.Bucket.of_node(settings["bucket"], imds.Session().credentials), marker)
    except (OSError, ValueError, KeyError, imds.ImdsError, s3.S3Error, file_lock.Locked) as error:
        say(f"the marker of a fault may stay in the bucket: {error}")


def instance_id() -> str:
    if node_paths.MEMBER.exists():
        return str(json.loads(node_paths.MEMBER.read_text(encoding="utf-8"))["instanceId"])
    return imds.Session().need("meta-data/instance-id")


def stand_down() -> Dict[str, Any]:
    """Everything in turn; what an earlier attempt did is not done again."""
    drained: Optional[Dict[str, Any]] = None
    drains = False
    if node_paths.STOOD_DOWN.exists():
        drained = drained_before()
    elif services.COMPUTE in services.running():
        minutes = node_settings.load(node_paths.SETTINGS)["drainMinutes"]
        drains = minutes > 0
        drained = drain(minutes) if drains else None
    with run_lock():
        if drains and not draining.stands():
            raise StandDownError("the run part came in between and took work again")
        # Under the lock of the health check, so that none is under way that would start or report anything later.
        with health_check.lock():
            atomic_file.write(node_paths.STOOD_DOWN, json.dumps({"drained": drained}) + "\n")
        end_services()
        clear_fault()
    return {"instanceId": instance_id(), "drained": drained}


def main(arguments: Sequence[str]) -> int:
    argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0]).parse_args(arguments)
    try:
        outcome = stand_down()
    except (
        StandDownError,
        OSError,
        ValueError,
        KeyError,
        docker_api.DockerError,
        file_lock.Locked,
        imds.ImdsError,
        work_gate.NoAnswer,
    ) as error:
        print(f"stand_down: {error}", file=sys.stderr)
        return 1
    print("SKYFLEET_STOOD_DOWN " + json.dumps(outcome, separators=(",", ":")))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
