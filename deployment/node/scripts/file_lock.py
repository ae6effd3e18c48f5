"""A lock that one run of a script holds at a time; the kernel lets go of it when its holder dies."""

from __future__ import annotations

import fcntl
import time
from pathlib import Path
from typing import TextIO


class Locked(RuntimeError):
    """Another run had the lock for all the time that this one waited."""


class Lock:
    """Waits for the lock for `seconds` at most; `holder` says in the error who has it."""

    def __init__(self, path: Path, seconds: float, holder: str) -> None:
        self._path = path
        self._seconds = seconds
        self._holder = holder

    def __enter__(self) -> Lock:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._file: TextIO = open(self._path, "w", encoding="ascii")
        deadline = time.monotonic() + self._seconds
        while True:
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return self
            except BlockingIOError:
                if time.monotonic() >= deadline:
                    self._file.close()
                    raise Locked(f"{self._holder} has been running for {self._seconds:.0f} s") from None
                time.sleep(0.2)

    def __exit__(self, *_: object) -> None:
        self._file.close()
