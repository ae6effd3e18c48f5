"""Brings the newest rows of the sensor's database to the bucket, where they outlive the machine."""

from __future__ import annotations

import json
import sqlite3
from typing import Any, Dict, List, NamedTuple, Optional
from urllib.parse import quote

import s3

# About three hours of one row a second, and five megabytes.
MOST_ROWS = 10_000


class Written(NamedTuple):
    key: str
    last_row: int


def newer_than(database: str, row: int) -> List[Dict[str, Any]]:
    """The rows whose id is above `row`, oldest first; the newest MOST_ROWS of them."""
    connection = sqlite3.connect(f"file:{quote(database)}?mode=ro", uri=True, timeout=5)
    connection.row_factory = sqlite3.Row
    try:
        found = connection.execute(
            "SELECT * FROM sensor_readings WHERE id > ? ORDER BY id DESC LIMIT ?", (row, MOST_ROWS)
        ).fetchall()
    finally:
        connection.close()
    return [dict(one) for one in reversed(found)]


def write(bucket: s3.Bucket, key: str, database: str, after: int, about: Dict[str, Any]) -> Optional[Written]:
    """Writes the rows above `after` as one object, with `about` in it; None where there is no such row."""
    rows = newer_than(database, after)
    if not rows:
        return None
    bucket.put(key, (json.dumps({**about, "rows": rows}, default=str) + "\n").encode("utf-8"))
    return Written(key, int(rows[-1]["id"]))
