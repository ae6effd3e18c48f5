#!/usr/bin/env python3
"""Writes what the compose files of this node are filled in with: .env files, token file, paths of the compute node.

Compose restarts a service only where its definition changed. What is mounted into it does not count, so a hash of
the mounted files is part of the definition, as a label.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import sys
from pathlib import Path
from typing import Any, Dict, Sequence

import allowed_paths
import atomic_file
import gpus
import node_paths
import node_settings

TOKEN_VARIABLE = "BACALHAU_COMPUTE_AUTH_TOKEN"


class ServiceFilesError(ValueError):
    """The services cannot be described."""


def content_hash(*paths: Path) -> str:
    digest = hashlib.sha256()
    for path in paths:
        data = path.read_bytes() if path.exists() else b""
        digest.update(f"{path.name} {len(data)}\n".encode("utf-8") + data)
    return digest.hexdigest()[:16]


def env_file(values: Dict[str, str]) -> str:
    """KEY='value' lines. Quoted this way compose 1.29 and 2 both take the value as it stands."""
    lines = []
    for name, value in values.items():
        if re.search(r"['\\$\x00-\x1f\x7f]", value):
            raise ServiceFilesError(f"{name} must not hold quotes ('), backslashes, $ or control characters")
        lines.append(f"{name}='{value}'\n")
    return "".join(lines)


def token_file(token: str) -> str:
    """The token's file; an error never shows the token."""
    if not token:
        raise ServiceFilesError(f"{TOKEN_VARIABLE} is empty: the object in the bucket that holds it is")
    if not re.fullmatch(r"[!-~]+", token):
        raise ServiceFilesError(f"{TOKEN_VARIABLE} must be of visible ASCII characters, without spaces")
    return env_file({TOKEN_VARIABLE: token})


def compute_override(settings: Dict[str, Any], usable_gpus: int) -> str:
    """An override of the compute node's compose file: the paths that its jobs may read, and the node's GPUs.

    It is JSON, which every YAML reader takes.
    """
    volumes = []
    for entry in settings["bacalhau"]["allowListedLocalPaths"]:
        path, mode = allowed_paths.split(entry)
        volumes.append(f"{path}:{path}:{mode}")
    compute: Dict[str, Any] = {"volumes": volumes}
    if usable_gpus:
        # "utility" brings nvidia-smi, by which Bacalhau finds the GPUs.
        device = {"driver": "nvidia", "count": usable_gpus, "capabilities": ["gpu", "utility"]}
        compute["deploy"] = {"resources": {"reservations": {"devices": [device]}}}
    return json.dumps({"services": {"compute": compute}}, indent=2) + "\n"


def compute_env(settings: Dict[str, Any], member: Dict[str, Any]) -> Dict[str, str]:
    return {
        "BACALHAU_IMAGE": settings["bacalhau"]["image"],
        "NODE_NAME": member["nodeName"],
        "CONFIG_HASH": content_hash(node_paths.BACALHAU_CONFIG, node_paths.BACALHAU_CA_CERT),
    }


def sensor_env(settings: Dict[str, Any]) -> Dict[str, str]:
    bucket = settings["bucket"]
    return {
        "SENSOR_IMAGE": settings["sensor"]["image"],
        "CONFIG_HASH": content_hash(node_paths.SENSOR_CONFIG, node_paths.SENSOR_IDENTITY),
        "BUCKET_NAME": bucket["name"],
        "BUCKET_PREFIX": bucket["prefix"],
        "BUCKET_REGION": bucket["region"],
        "BUCKET_ENDPOINT_URL": bucket["endpointUrl"] or "",
    }


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="node.json")
    parser.add_argument("--member", type=Path, required=True, help="member.json")
    options = parser.parse_args(arguments)
    try:
        settings = node_settings.load(options.settings)
        member = json.loads(options.member.read_text(encoding="utf-8"))
        token = token_file(os.environ.get(TOKEN_VARIABLE, ""))
        compute = env_file(compute_env(settings, member))
        sensor = env_file(sensor_env(settings))
        override = compute_override(settings, gpus.usable())
    except (OSError, ValueError) as error:
        print(f"write_service_files: {error}", file=sys.stderr)
        return 1
    atomic_file.write(node_paths.BACALHAU_TOKEN_ENV, token, mode=0o600)
    atomic_file.write(node_paths.BACALHAU_PROJECT / ".env", compute)
    atomic_file.write(node_paths.BACALHAU_PROJECT / "docker-compose.override.yml", override)
    atomic_file.write(node_paths.SENSOR_PROJECT / ".env", sensor)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
