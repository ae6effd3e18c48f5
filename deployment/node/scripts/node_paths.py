"""Where things are on a node.

SKYFLEET_NODE_ROOT moves the whole tree below another folder, so that the scripts can be run where they must
not touch the machine (the tests do so). On a node it is not set.
"""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(os.environ.get("SKYFLEET_NODE_ROOT", "/"))

SCRIPTS = ROOT / "usr/local/lib/skyfleet"
STATE = ROOT / "var/lib/skyfleet"
SETTINGS = STATE / "node.json"
MEMBER = STATE / "member.json"
HEALTH_JSON = STATE / "health.json"
HEALTH_TEXT = STATE / "health.txt"
HEALTH_LOCK = STATE / "health.lock"
FAULT_FREE = STATE / "fault-free.json"
INTERRUPTION = STATE / "interruption.json"
DRAINING = STATE / "draining.json"
STOOD_DOWN = STATE / "stood-down.json"
RUN_LOCK = STATE / "run.lock"
SPOT_NOTICE_LOCK = STATE / "spot-notice.lock"
SPOT_NOTICE_LOG = ROOT / "var/log/skyfleet-spot-notice.log"

BACALHAU_PROJECT = ROOT / "opt/bacalhau"
BACALHAU_CONFIG = ROOT / "etc/bacalhau/config.yaml"
BACALHAU_CA_CERT = ROOT / "etc/bacalhau/tls/ca.crt"
BACALHAU_TOKEN_ENV = ROOT / "etc/bacalhau/compute.env"
BACALHAU_DATA = ROOT / "var/lib/bacalhau"
BACALHAU_METADATA = BACALHAU_DATA / "system_metadata.yaml"

SENSOR_PROJECT = ROOT / "opt/sensor"
SENSOR_CONFIG = SENSOR_PROJECT / "config/sensor-config.yaml"
SENSOR_IDENTITY = SENSOR_PROJECT / "config/identity.json"
SENSOR_DATABASE = SENSOR_PROJECT / "data/sensor_data.db"

CRON = ROOT / "etc/cron.d/skyfleet"


def in_node(path: Path) -> str:
    """`path` as the node's own processes see it, without SKYFLEET_NODE_ROOT."""
    return "/" + str(path.relative_to(ROOT))
