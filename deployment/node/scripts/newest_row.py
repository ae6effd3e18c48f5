#!/usr/bin/env python3
"""Tells how old the newest row of the sensor's database is; fails where it is too old, or where there is none.

Used by the node's health check and, mounted into it, by the sensor container's own.
"""

from __future__ import annotations

import argparse
import datetime
import json
import sqlite3
import sys
from typing import NamedTuple, Sequence
from urllib.parse import quote


class Row(NamedTuple):
    sensor_id: str
    timestamp: str
    age_seconds: float


class NoRow(RuntimeError):
    """The database has no row to judge by."""


def newest_row(database: str) -> Row:
    # Read-only, so that a health check can never create an empty database where there is none.
    connection = sqlite3.connect(f"file:{quote(database)}?mode=ro", uri=True, timeout=5)
    try:
        found = connection.execute(
            "SELECT sensor_id, timestamp FROM sensor_readings ORDER BY id DESC LIMIT 1"
        ).fetchone()
    except sqlite3.Error as error:
        raise NoRow(f"{database}: {error}") from None
    finally:
        connection.close()
    if found is None:
        raise NoRow(f"{database}: sensor_readings is empty")
    # Python before 3.11 does not read the Z of UTC.
    written = datetime.datetime.fromisoformat(str(found[1]).replace("Z", "+00:00"))
    if written.tzinfo is None:
        written = written.replace(tzinfo=datetime.timezone.utc)
    age = (datetime.datetime.now(datetime.timezone.utc) - written).total_seconds()
    return Row(str(found[0]), str(found[1]), max(0.0, age))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("database", help="path of the SQLite database")
    parser.add_argument("--max-age", type=float, required=True, help="seconds")
    options = parser.parse_args(arguments)
    try:
        row = newest_row(options.database)
    except (NoRow, sqlite3.Error, ValueError) as error:
        print(f"newest_row: {error}", file=sys.stderr)
        return 1
    print(json.dumps({"sensorId": row.sensor_id, "timestamp": row.timestamp, "ageSeconds": round(row.age_seconds, 1)}))
    return 0 if row.age_seconds <= options.max_age else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
