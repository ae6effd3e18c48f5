#!/usr/bin/env python3
"""The poller of spot notices: asks the metadata service whether AWS takes this instance back, and acts on it.

It also answers the compute node whether new work is taken (work_gate.py). On a node on demand that is all it does.

While a notice stands, the node takes no new work and its running work is left alone. At the notice and
again shortly before the time it names, the sensor's newest rows and a health report go to the bucket. What was done
is kept in a file (interruption.py), so the poller may be killed and started at any point. A keeper holds its socket
and starts it again, also with changed files, so that no bid meets a closed one.
"""

from __future__ import annotations

import argparse
import datetime
import fcntl
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import traceback
from pathlib import Path
from typing import Any, Callable, Dict, NoReturn, Optional, Sequence

import docker_api
import draining
import health_check
import imds
import interruption
import node_paths
import s3
import sensor_rows
import services
import work_gate
from interruption import Interruption
from write_service_files import content_hash

# As often as AWS recommends.
POLL_SECONDS = 5.0
NOTICE_PATH = "meta-data/spot/instance-action"
# Tokens of imds.py hold for 300 s.
SESSION_SECONDS = 240.0
REPORT_SECONDS = 60.0
# A poller that is at a step of a notice takes changed files only after it.
START_SECONDS = 40.0
HANGING_SECONDS = 10.0
# A poller that ends by itself sooner cannot run at all; cron tries again every minute.
SHORTEST_LIFE_SECONDS = 10.0
FILES_CHANGED = 3


class StepFailed(RuntimeError):
    """A step did not do what it is for."""


class StartFailed(RuntimeError):
    """The poller does not run."""


class StopFailed(RuntimeError):
    """The poller still runs."""


# What a step may fail with; the step is tried again at the next poll.
FAILURES = (
    StepFailed,
    imds.ImdsError,
    s3.S3Error,
    docker_api.DockerError,
    sqlite3.Error,
    subprocess.SubprocessError,
    OSError,
    ValueError,
    KeyError,
)


def say(text: str) -> None:
    print(f"{now().isoformat(timespec='seconds')} {text}", flush=True)


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.timezone.utc)


def version() -> str:
    """Tells apart the files that a poller runs with: code, settings and member."""
    scripts = sorted(Path(__file__).resolve().parent.glob("*.py"))
    return content_hash(*scripts, node_paths.SETTINGS, node_paths.MEMBER)


class Poller:
    def __init__(self, listener: socket.socket) -> None:
        self.version = version()
        self._node = health_check.read_node()
        self._spot = self._node.member["lifeCycle"] == "spot"
        self._standing = interruption.read()
        self._session: Optional[imds.Session] = None
        self._session_started = 0.0
        self._answered = time.monotonic()
        # What failed last, by what was attempted.
        self._problems: Dict[str, str] = {}
        self._gate = work_gate.Gate(listener, self._refusal, self._status)

    def _status(self) -> Dict[str, Any]:
        return {
            "version": self.version,
            "pid": os.getpid(),
            "keeper": os.getppid(),
            "answeredSecondsAgo": round(time.monotonic() - self._answered, 1) if self._spot else None,
            "problem": "; ".join(self._problems.values()),
        }

    def run(self) -> None:
        """Polls until the files of the poller change."""
        while version() == self.version:
            if self._spot:
                self._attempt("asking the metadata service", self._poll)
                self._take_steps()
            time.sleep(POLL_SECONDS)
        self._gate.close()

    def _attempt(self, what: str, action: Callable[[], None]) -> bool:
        """Runs `action`; a failure is logged when it is another than the one before."""
        try:
            action()
        except FAILURES as error:
            problem = f"{what} failed: {str(error) or type(error).__name__}"
            if self._problems.get(what) != problem:
                say(problem)
            self._problems[what] = problem
            return False
        self._problems.pop(what, None)
        return True

    def _poll(self) -> None:
        try:
            if self._session is None or time.monotonic() - self._session_started > SESSION_SECONDS:
                self._session, self._session_started = imds.Session(), time.monotonic()
            notice = self._session.get(NOTICE_PATH)
        except imds.ImdsError:
            # The token may have been lost while the instance slept.
            self._session = None
            self._end_if_over()
            raise
        self._answered = time.monotonic()
        if notice is None:
            self._withdraw("the notice is gone")
            return
        seen = interruption.parse(notice, now())
        if interruption.is_over(seen, now()):
            self._end_if_over()
        elif self._standing is None or not interruption.is_same(self._standing, seen):
            self._note(seen)

    def _note(self, seen: Interruption) -> None:
        # A notice with another time goes on where the one before it stood.
        before = self._standing
        if before is not None:
            seen = seen._replace(last_row=before.last_row, sensor_objects=before.sensor_objects)
        self._keep(seen)
        left = interruption.seconds_left(seen, now())
        say(f"SPOT NOTICE: AWS will {seen.action} this instance at {seen.time}, in {left:.0f} s; no new work is taken")

    def _end_if_over(self) -> None:
        if self._standing is not None and interruption.is_over(self._standing, now()):
            self._withdraw(f"the instance outlived the announced time {self._standing.time}")

    def _withdraw(self, why: str) -> None:
        if self._standing is None:
            return
        interruption.clear()
        self._standing = None
        say(f"SPOT NOTICE OVER: {why}; new work is taken again")
        self._attempt("the health report", self._report)

    def _keep(self, standing: Interruption) -> None:
        interruption.write(standing)
        self._standing = standing

    def _refusal(self) -> Optional[str]:
        standing, instance = self._standing, self._node.member["instanceId"]
        if standing is None:
            return draining.refusal()
        return f"AWS will {standing.action} spot instance {instance} at {standing.time}"

    def _take_steps(self) -> None:
        """Whatever is due; a step that fails is left for the next poll."""
        while self._standing is not None:
            step = interruption.next_step(self._standing, now())
            if step is None or not self._attempt(step, lambda: self._take(step)):
                return

    def _take(self, step: str) -> None:
        stage, what = step.split(":")
        {"sensor": self._restart_sensor, "rows": lambda: self._write_rows(stage), "report": self._report}[what]()
        assert self._standing is not None
        self._keep(self._standing._replace(done=(*self._standing.done, step)))
        say(f"{step} done")

    def _restart_sensor(self) -> None:
        # The sensor writes its rows in batches; told to stop, it writes those that it still has. Started again it
        # needs no undoing where the instance lives on.
        docker_api.restart(services.SENSOR)

    def _write_rows(self, stage: str) -> None:
        standing = self._standing
        assert standing is not None
        where, sensor_id = self._node.settings["bucket"], self._node.sensor_id
        moment = "".join(character for character in standing.time if character.isalnum())
        written = sensor_rows.write(
            s3.Bucket.of_node(where, imds.Session().credentials),
            f"{where['prefix']}sensor/{sensor_id}/interruption-{moment}-{stage}.json",
            str(node_paths.SENSOR_DATABASE),
            standing.last_row,
            {
                "version": 1,
                "sensorId": sensor_id,
                "nodeName": self._node.member["nodeName"],
                "instanceId": self._node.member["instanceId"],
                "action": standing.action,
                "time": standing.time,
            },
        )
        if written:
            objects = (*(key for key in standing.sensor_objects if key != written.key), written.key)
            self._keep(standing._replace(last_row=written.last_row, sensor_objects=objects))

    def _report(self) -> None:
        """A health report by the health check itself, which says whether it reached the bucket."""
        done = subprocess.run(
            [sys.executable, "-B", str(Path(__file__).resolve().parent / "health_check.py"), "--json"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            timeout=REPORT_SECONDS,
            check=False,
        )
        if not done.stdout:
            raise StepFailed(done.stderr.decode("utf-8", "replace").strip())
        upload = json.loads(done.stdout)["checks"][-1]
        if not upload["ok"]:
            raise StepFailed(upload["detail"])


def locked() -> Optional[int]:
    """The lock of the one poller of this node; None where another has it. The kernel lets go of it with its holder."""
    node_paths.SPOT_NOTICE_LOCK.parent.mkdir(parents=True, exist_ok=True)
    lock = os.open(str(node_paths.SPOT_NOTICE_LOCK), os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def serve(listener_fd: Optional[int], lock_fd: Optional[int]) -> int:
    """Keeps a poller running in a process of its own; a bid that comes while there is none waits for the next one."""
    lock = locked() if lock_fd is None else lock_fd
    if lock is None:
        return 0
    listener = work_gate.listen() if listener_fd is None else socket.socket(fileno=listener_fd)
    while True:
        began = time.monotonic()
        child = os.fork()
        if child == 0:
            _serve_as_child(listener, lock)
        status = os.waitpid(child, 0)[1]
        if os.WIFEXITED(status) and os.WEXITSTATUS(status) == FILES_CHANGED:
            _become_new(listener, lock)
        say(f"the poller ended with status {status}")
        if os.WIFEXITED(status) and time.monotonic() - began < SHORTEST_LIFE_SECONDS:
            return 1
        time.sleep(1)


def _serve_as_child(listener: socket.socket, lock: int) -> NoReturn:
    code = 1
    try:
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode("ascii"), 0)
        say("started")
        Poller(listener).run()
        code = FILES_CHANGED
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(code)


def _become_new(listener: socket.socket, lock: int) -> NoReturn:
    for descriptor in (listener.fileno(), lock):
        os.set_inheritable(descriptor, True)
    carried = ["--listener", str(listener.fileno()), "--lock", str(lock)]
    os.execv(sys.executable, [sys.executable, "-B", str(Path(__file__).resolve()), *carried])


def start() -> None:
    """Makes sure that a poller with the present files runs and answers; ends one that hangs."""
    wanted, began = version(), time.monotonic()
    # A node that has stood down has nothing to be asked about; cron may have started this shortly before it did.
    while not node_paths.STOOD_DOWN.exists():
        waited = time.monotonic() - began
        try:
            if work_gate.status()["version"] == wanted:
                return
            problem = "it still runs with files from before"
        except work_gate.NoAnswer as error:
            problem = str(error)
            lock = locked()
            if lock is not None:
                os.close(lock)
                _spawn()
            elif waited > HANGING_SECONDS:
                _end_holder()
        if waited > START_SECONDS:
            log = node_paths.in_node(node_paths.SPOT_NOTICE_LOG)
            raise StartFailed(f"the poller did not start within {START_SECONDS:.0f} s: {problem}; see {log}")
        time.sleep(0.5)


def stop() -> None:
    """Ends the poller and its keeper, which are a group of processes of their own."""
    began = time.monotonic()
    while True:
        lock = locked()
        if lock is not None:
            os.close(lock)
            return
        if time.monotonic() - began > START_SECONDS:
            raise StopFailed(f"the poller still holds {node_paths.SPOT_NOTICE_LOCK} after {START_SECONDS:.0f} s")
        holder = _holder()
        if holder is not None:
            try:
                os.killpg(os.getpgid(holder), signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.2)


def _end_holder() -> None:
    # Its keeper starts another.
    holder = _holder()
    if holder is not None:
        os.kill(holder, signal.SIGKILL)


def _holder() -> Optional[int]:
    """The poller that wrote its own id into the lock; None where it is gone and its keeper has not started another."""
    text = node_paths.SPOT_NOTICE_LOCK.read_text(encoding="ascii").strip()
    try:
        command = Path(f"/proc/{int(text)}/cmdline").read_bytes() if text else b""
    except (FileNotFoundError, ProcessLookupError):
        return None
    return int(text) if Path(__file__).name.encode("ascii") in command else None


def _spawn() -> None:
    node_paths.SPOT_NOTICE_LOG.parent.mkdir(parents=True, exist_ok=True)
    with node_paths.SPOT_NOTICE_LOG.open("ab") as log:
        # In a session of its own, and orphaned once this program ends: it is no part of whatever starts it.
        subprocess.Popen(
            [sys.executable, "-B", str(Path(__file__).resolve())],
            cwd="/",
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--start", action="store_true", help="see to it that a poller runs, in the background")
    parser.add_argument("--stop", action="store_true", help="end the poller, if one runs")
    parser.add_argument("--listener", type=int, help="number of the open socket to go on with")
    parser.add_argument("--lock", type=int, help="number of the open lock file to go on with")
    options = parser.parse_args(arguments)
    try:
        if options.start:
            start()
        elif options.stop:
            stop()
        else:
            return serve(options.listener, options.lock)
    except (StartFailed, StopFailed, OSError, ValueError, KeyError) as error:
        print(f"spot_notice: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
