"""Failures to order: the next `count` calls of an operation answer with an error of AWS."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any


@dataclass
class Fault:
    op: str
    code: str
    message: str = "ordered by a test"
    count: int = 1
    zone: str | None = None
    instanceType: str | None = None  # noqa: N815 (the control API's own spelling)
    status: int = 400

    def matches(self, op: str, zone: str | None, instance_type: str | None) -> bool:
        return (
            self.count > 0
            and self.op == op
            and self.zone in (None, zone)
            and self.instanceType in (None, instance_type)
        )


class Faults:
    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def order(self, order: dict[str, Any]) -> list[dict[str, Any]]:
        with self._lock:
            self._faults.append(Fault(**order))
        return self.pending()

    def clear(self) -> None:
        with self._lock:
            self._faults.clear()

    def pending(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(fault) for fault in self._faults if fault.count > 0]

    def take(self, op: str, zone: str | None, instance_type: str | None) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.matches(op, zone, instance_type):
                    fault.count -= 1
                    return fault
        return None
