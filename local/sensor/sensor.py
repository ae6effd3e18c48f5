#!/usr/bin/env python3
"""STAND-IN for the image ghcr.io/bacalhau-project/sensor-log-generator, which cannot be pulled in the embedded default.

It reads the same configuration and identity, writes a database of the same table, and serves /healthz. What it does
not do: anomalies, replicas, reloading, the other monitoring pages. What it does beside: it writes an object to the
node's bucket at its start and every ten minutes, as proof that a container gets the keys of the node's role.
"""

from __future__ import annotations

import json
import logging
import os
import random
import signal
import sqlite3
import sys
import threading
import time
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

import imds
import s3

PARAMETERS = ("temperature", "humidity", "pressure", "vibration", "voltage")
UPLOAD_SECONDS = 600.0
HEALTHY_ROW_SECONDS = 30.0

SCHEMA = """
CREATE TABLE IF NOT EXISTS sensor_readings (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    timestamp TEXT NOT NULL,
    sensor_id TEXT NOT NULL,
    temperature REAL,
    humidity REAL,
    pressure REAL,
    vibration REAL,
    voltage REAL,
    status_code INTEGER,
    anomaly_flag INTEGER DEFAULT 0,
    anomaly_type TEXT,
    firmware_version TEXT,
    model TEXT,
    manufacturer TEXT,
    location TEXT,
    latitude REAL,
    longitude REAL,
    original_timezone TEXT,
    serial_number TEXT,
    manufacture_date TEXT,
    deployment_type TEXT,
    installation_date TEXT,
    height_meters REAL,
    orientation_degrees REAL,
    instance_id TEXT,
    sensor_type TEXT
);
CREATE INDEX IF NOT EXISTS idx_timestamp ON sensor_readings(timestamp);
CREATE INDEX IF NOT EXISTS idx_sensor_id ON sensor_readings(sensor_id);
"""

log = logging.getLogger("sensor")


class Sensor:
    """Writes readings into the database until it is told to stop."""

    def __init__(self, config: dict[str, Any], identity: dict[str, Any]) -> None:
        self.identity = identity
        self.stopping = threading.Event()
        self.written_at: float | None = None
        self.rows_written = 0
        self._ranges: dict[str, dict[str, float]] = config["normal_parameters"]
        self._interval = 1 / float(config["simulation"]["readings_per_second"])
        self._columns = _constant_columns(identity)
        self._database = Path(config["database"]["path"])

    def healthy(self) -> bool:
        return self.written_at is not None and time.monotonic() - self.written_at < HEALTHY_ROW_SECONDS

    def run(self) -> None:
        connection = self._open()
        log.info("writing to %s every %.3g s", self._database, self._interval)
        due = time.monotonic()
        while not self.stopping.is_set():
            self._write(connection)
            due = max(due + self._interval, time.monotonic())
            self.stopping.wait(due - time.monotonic())
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()

    def _open(self) -> sqlite3.Connection:
        self._database.parent.mkdir(parents=True, exist_ok=True)
        if os.environ.get("PRESERVE_EXISTING_DB", "false").lower() != "true":
            for suffix in ("", "-journal", "-wal", "-shm"):
                Path(f"{self._database}{suffix}").unlink(missing_ok=True)
        connection = sqlite3.connect(self._database, timeout=5)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.executescript(SCHEMA)
        return connection

    def _write(self, connection: sqlite3.Connection) -> None:
        row = {
            "timestamp": datetime.now(timezone.utc).isoformat(timespec="milliseconds"),
            **{name: self._reading(name) for name in PARAMETERS},
            **self._columns,
        }
        names, marks = ", ".join(row), ", ".join("?" * len(row))
        with connection:
            connection.execute(f"INSERT INTO sensor_readings ({names}) VALUES ({marks})", tuple(row.values()))
        self.written_at = time.monotonic()
        self.rows_written += 1

    def _reading(self, name: str) -> float:
        allowed = self._ranges[name]
        drawn = random.gauss(allowed["mean"], allowed["std_dev"])
        return round(max(allowed["min"], min(drawn, allowed["max"])), 3)


def _constant_columns(identity: dict[str, Any]) -> dict[str, Any]:
    location, device = identity["location"], identity["device_info"]
    deployment, metadata = identity["deployment"], identity["metadata"]
    return {
        "sensor_id": identity["sensor_id"],
        "status_code": 0,
        "anomaly_flag": 0,
        "location": location["city"],
        "latitude": location["coordinates"]["latitude"],
        "longitude": location["coordinates"]["longitude"],
        "original_timezone": datetime.now(ZoneInfo(location["timezone"])).strftime("%z"),
        **{name: device[name] for name in ("firmware_version", "model", "manufacturer")},
        **{name: device[name] for name in ("serial_number", "manufacture_date")},
        **{name: deployment[name] for name in ("deployment_type", "installation_date")},
        **{name: deployment[name] for name in ("height_meters", "orientation_degrees")},
        **{name: metadata[name] for name in ("instance_id", "sensor_type")},
    }


def upload(sensor: Sensor) -> None:
    """Writes one object under <prefix>sensor/<sensor id>/ with the keys of the instance's role."""
    bucket = s3.Bucket(
        os.environ["BUCKET_NAME"],
        os.environ["AWS_REGION"],
        os.environ.get("BUCKET_ENDPOINT_URL") or None,
        imds.Session().credentials,
    )
    now = datetime.now(timezone.utc)
    key = f"{os.environ['BUCKET_PREFIX']}sensor/{sensor.identity['sensor_id']}/{now:%Y%m%dT%H%M%SZ}.json"
    body = {
        "sensorId": sensor.identity["sensor_id"],
        "time": now.isoformat(timespec="seconds"),
        "rowsWritten": sensor.rows_written,
    }
    bucket.put(key, (json.dumps(body) + "\n").encode("utf-8"))
    log.info("wrote s3://%s/%s", bucket.name, key)


def upload_regularly(sensor: Sensor) -> None:
    while True:
        try:
            upload(sensor)
        except (imds.ImdsError, s3.S3Error, OSError, KeyError) as error:
            log.error("no object written to the bucket: %s", error)
        if sensor.stopping.wait(UPLOAD_SECONDS):
            return


def serve_health(sensor: Sensor, host: str, port: int) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path != "/healthz":
                self.send_error(404)
                return
            healthy = sensor.healthy()
            body = json.dumps({"status": "healthy" if healthy else "unhealthy"}).encode("utf-8")
            self.send_response(200 if healthy else 503)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Health checks are not worth a line each."""

    server = ThreadingHTTPServer((host, port), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()


def set_up_logging(config: dict[str, Any]) -> None:
    handlers: list[logging.Handler] = []
    if config.get("console_output", True):
        handlers.append(logging.StreamHandler())
    if config.get("file"):
        Path(config["file"]).parent.mkdir(parents=True, exist_ok=True)
        handlers.append(logging.FileHandler(config["file"]))
    logging.basicConfig(level=config["level"], format=config["format"], handlers=handlers)


def main() -> int:
    config = yaml.safe_load(Path(os.environ["CONFIG_FILE"]).read_text(encoding="utf-8"))
    identity = json.loads(Path(os.environ["IDENTITY_FILE"]).read_text(encoding="utf-8"))
    set_up_logging(config["logging"])
    log.info("stand-in for sensor-log-generator, sensor %s", identity["sensor_id"])
    sensor = Sensor(config, identity)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sensor.stopping.set())
    monitoring = config["monitoring"]
    if monitoring["enabled"]:
        serve_health(sensor, monitoring["host"], int(monitoring["port"]))
    threading.Thread(target=upload_regularly, args=(sensor,), daemon=True).start()
    sensor.run()
    log.info("stopped after %d rows", sensor.rows_written)
    return 0


if __name__ == "__main__":
    sys.exit(main())
