"""Failures to order: the next `count` calls of an operation answer with an error of AWS."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

MARKETS = ("spot", "on-demand")


@dataclass
class Fault:
    op: str
    code: str
    message: str = "ordered by a test"
    count: int = 1
    zone: str | None = None
    instanceType: str | None = None  # noqa: N815 (the control API's own spelling)
    # spot or on-demand, of a RunInstances; None for both.
    market: str | None = None
    status: int = 400

    def __post_init__(self) -> None:
        if self.market not in (None, *MARKETS):
            raise ValueError(f"market is {self.market!r}, not one of {', '.join(MARKETS)}")

    def matches(self, op: str, zone: str | None, instance_type: str | None, market: str | None) -> bool:
        return (
            self.count > 0
            and self.op == op
            and self.zone in (None, zone)
            and self.instanceType in (None, instance_type)
            and self.market in (None, market)
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

    def take(
        self, op: str, zone: str | None, instance_type: str | None, market: str | None = None
    ) -> Fault | None:
        with self._lock:
            for fault in self._faults:
                if fault.matches(op, zone, instance_type, market):
                    fault.count -= 1
                    return fault
        return None
