"""What moto reads from the environment while it is imported."""

from __future__ import annotations

import json
import os
from pathlib import Path

from .settings import ACCOUNT_ID, IMAGE_ID, ROOT_DEVICE

MACHINE_IMAGE = {
    "ami_id": IMAGE_ID,
    "name": "skyfleet-instance",
    "description": "Debian 12 with SkyPilot's runtime and Docker",
    "owner_id": "099720109477",
    "public": True,
    "virtualization_type": "hvm",
    "architecture": "x86_64",
    "state": "available",
    "platform": None,
    "image_type": "machine",
    "hypervisor": "xen",
    "root_device_name": ROOT_DEVICE,
    "root_device_type": "ebs",
    "sriov": "simple",
}


def configure_moto(state: Path) -> None:
    """Before the first import of moto."""
    # Only the account's own records count: nothing of the caller's AWS environment.
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    images = state / "machine-images.json"
    images.write_text(json.dumps([MACHINE_IMAGE]))
    os.environ["MOTO_AMIS_PATH"] = str(images)
    os.environ["MOTO_ENABLE_AMI_VALIDATION"] = "true"
    os.environ["MOTO_ACCOUNT_ID"] = ACCOUNT_ID
    # Every request is authenticated and authorized, from the first.
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"
