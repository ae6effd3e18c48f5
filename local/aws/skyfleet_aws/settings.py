"""What the launcher is told, and what is fixed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path

# One account and one machine image, known in all regions. The catalogs that SkyPilot reads name this image.
ACCOUNT_ID = "123456789012"
IMAGE_ID = "ami-0e1ac0de5ca1ab1e0"
ROOT_DEVICE = "/dev/sda1"

# Every instance hangs on one bridge, so a VPC may take any part of this network but the bridge's own addresses.
INSTANCE_NETWORK = ipaddress.IPv4Network("10.0.0.0/8")
PUBLIC_NETWORK = ipaddress.IPv4Network("54.214.0.0/16")
METADATA_ADDRESS = "169.254.169.254"

# How long a NAT gateway takes to come and to go: minutes on EC2; long enough here to fail who does not wait.
NAT_GATEWAY_SECONDS = 3.0

# EC2 lists a terminated instance for about an hour.
TERMINATED_VISIBLE_SECONDS = 3600


@dataclass(frozen=True)
class Settings:
    state: Path
    port: int
    gateway: str
    image: str
    network: str
    engine_seed: Path | None
    regions: tuple[str, ...]
    termination_seconds: float
