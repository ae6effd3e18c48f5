#!/usr/bin/env python3
"""Keeps a SkyPilot managed job alive and carries out, as the login user, what the operator orders.

SkyPilot runs nothing on such a node but the job itself. So an order is an object in the bucket, where no node can write
it: `<prefix>orders/<incarnation>.json`. What came of it on this node goes to
`<prefix>health/orders/<incarnation>/<order>/<instance id>.json`. The launch is an order as well, which stands until
there is an object. Started from outside, this carries out the newest order again, which the parts allow.
"""

from __future__ import annotations

import argparse
import collections
import json
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import IO, Deque, Dict, List, NamedTuple, NoReturn, Optional, Sequence

import atomic_file
import imds
import s3
from order import PHASES, Misunderstood, Order, name, one_of, parse

STAGING = Path(__file__).resolve().parents[1]
POLL_SECONDS = 3.0
TAIL_LINES = 20
# What run.sh reads; sudo drops all others.
RUN_VARIABLES = "SKYPILOT_NODE_IPS,SKYFLEET_INCARNATION,SKYFLEET_PHASE,SKYFLEET_REPAIR"
COMMANDS = {
    "run": ["sudo", f"--preserve-env={RUN_VARIABLES}", "sh", str(STAGING / "scripts/run.sh")],
    "stand-down": ["sudo", "sh", str(STAGING / "scripts/stand_down.sh")],
}
# What the metadata service and the bucket may fail with, and what may have passed when they are asked again.
FAILURES = (imds.ImdsError, s3.S3Error, OSError, ValueError, KeyError)


class Outcome(NamedTuple):
    exit_code: int
    output: str
    tail: List[str]


def say(text: str) -> None:
    print(f"skyfleet: {text}", file=sys.stderr, flush=True)


class Desk:
    """Where this node's orders come from, and where reports go to."""

    def __init__(self, settings: Path, incarnation: str, launch: Optional[Order]) -> None:
        try:
            # Only what is needed to report: any other fault of node.json is for the run part to find.
            where = json.loads(settings.read_text(encoding="utf-8"))["bucket"]
            self._prefix = where["prefix"]
            # A new session each time, since this outlives every token.
            self._bucket = s3.Bucket.of_node(where, lambda: imds.Session().credentials())
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Misunderstood(f"{settings} names no bucket ({error!r}); launch the node again") from None
        self._incarnation = incarnation
        self._launch = launch
        self._order: Optional[Order] = None
        self._etag: Optional[str] = None
        self._fails = False

    def newest(self) -> Optional[Order]:
        """The newest order, as far as is known; None where none is."""
        try:
            self._read()
            self._fails = False
        except FAILURES as error:
            if not self._fails:
                say(f"orders cannot be read, so that the last one stands until they can: {error}")
            self._fails = True
        return self._order

    def _read(self) -> None:
        try:
            found = self._bucket.get(f"{self._prefix}orders/{self._incarnation}.json", self._etag)
        except s3.NotModified:
            return
        except s3.S3Error as error:
            # S3 calls a missing object forbidden where the role may not list the whole bucket.
            if error.status != 403:
                raise
            found = None
        if found:
            self._order, self._etag = parse(found.body), found.etag
        elif self._order is None:
            self._order = self._launch

    def report(self, order: Order, outcome: Outcome) -> None:
        """Returns only once the report is written, since the operator waits for it."""
        failed = False
        while True:
            try:
                instance = imds.Session().need("meta-data/instance-id")
                document = {
                    "instanceId": instance,
                    "order": order.id,
                    "exitCode": outcome.exit_code,
                    "output": outcome.output,
                    "tail": outcome.tail,
                }
                key = f"{self._prefix}health/orders/{self._incarnation}/{order.id}/{instance}.json"
                self._bucket.put(key, (json.dumps(document, indent=2) + "\n").encode("utf-8"))
                return
            except FAILURES as error:
                if not failed:
                    say(f"what came of order {order.id} cannot be written, so that it is tried until it can: {error}")
                failed = True
                time.sleep(POLL_SECONDS)


def carry_out(order: Order) -> Outcome:
    """Puts the files of an order in place and runs its part."""
    say(f"order {order.id}: {order.problem or order.part}")
    if order.problem:
        return Outcome(2, "", [order.problem])
    try:
        for file, text in order.files.items():
            atomic_file.write(STAGING / file, text)
        return _run(COMMANDS[order.part], {**os.environ, "SKYFLEET_PHASE": order.phase})
    except (OSError, ValueError) as error:
        say(str(error))
        return Outcome(1, "", [str(error)])


def _run(command: Sequence[str], environment: Dict[str, str]) -> Outcome:
    child = subprocess.Popen(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert child.stdout and child.stderr
    output: Deque[str] = collections.deque()
    tail: Deque[str] = collections.deque(maxlen=TAIL_LINES)
    errors = threading.Thread(target=_pass_on, args=(child.stderr, sys.stderr.buffer, tail))
    errors.start()
    _pass_on(child.stdout, sys.stdout.buffer, output)
    errors.join()
    return Outcome(child.wait(), "".join(output), [line.rstrip("\n") for line in tail])


def _pass_on(source: IO[bytes], target: IO[bytes], kept: Deque[str]) -> None:
    for line in source:
        kept.append(line.decode("utf-8", "replace"))
        target.write(line)
        target.flush()


def renew(*arguments: str) -> NoReturn:
    """Goes on with the text of this script that an order has brought."""
    os.execv(sys.executable, [sys.executable, "-B", str(Path(__file__).resolve()), *arguments])


def follow(desk: Desk, retry_seconds: float, done: Optional[str], failed: bool) -> NoReturn:
    """Carries out each new order; one to run that failed again and again, since nobody may be watching."""
    while True:
        again_at = time.monotonic() + retry_seconds if failed else float("inf")
        order = desk.newest()
        while order is None or (order.id == done and time.monotonic() < again_at):
            time.sleep(POLL_SECONDS)
            order = desk.newest()
        outcome = carry_out(order)
        desk.report(order, outcome)
        done, failed = order.id, order.part == "run" and outcome.exit_code != 0
        if order.files:
            renew(f"--done={done}", *(["--failed"] if failed else []))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--done", metavar="ORDER", help="the order that was carried out last")
    parser.add_argument("--failed", action="store_true", help="it failed, and is to be carried out again after a while")
    options = parser.parse_args(arguments)
    try:
        incarnation = name("SKYFLEET_INCARNATION", os.environ.get("SKYFLEET_INCARNATION"))
        phase = one_of("SKYFLEET_PHASE", os.environ.get("SKYFLEET_PHASE") or "full", PHASES)
        launch = Order(name("SKYFLEET_ORDER", os.environ.get("SKYFLEET_ORDER")), "run", phase, {})
        retry_seconds = float(os.environ.get("SKYFLEET_RETRY_AFTER") or 60)
        # Once an object was followed, the launch's order is outdated, also where the object is gone.
        desk = Desk(STAGING / "node.json", incarnation, None if options.done else launch)
    except ValueError as error:
        print(f"follow_orders: {error}", file=sys.stderr)
        return 1
    follow(desk, retry_seconds, options.done, options.failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
