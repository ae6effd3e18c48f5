#!/usr/bin/env python3
"""Writes the configuration of this node's Bacalhau compute node, in the layout that 1.5 and later read.

The node's name is not in it but on the command line (`bacalhau serve --name`): NameProvider "aws" asks the metadata
service without a token and, where tokens are required, takes the error text as the name. The orchestrator's token is
not in it either: Bacalhau reads it from the environment, BACALHAU_COMPUTE_AUTH_TOKEN.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from pathlib import Path
from typing import Any, Dict, Iterator, List, Mapping, Sequence

import atomic_file
import gpus
import node_paths
import node_settings
import work_gate
from bacalhau_keys import KNOWN_KEYS, MAPS

API_HOST = "127.0.0.1"
API_PORT = 1234
HEARTBEAT_SECONDS = 15
INFO_UPDATE_SECONDS = 60

# Labels that Bacalhau sets itself, over whatever the configuration says.
BACALHAU_LABELS = ("name", "os_arch", "os_type")

# Labels of nodes with GPUs only; no fleet may set them, so that no other node ever has them.
GPU_LABELS = ("gpus", "accelerator")


class ConfigError(ValueError):
    """The configuration would not make the compute node that was asked for."""


def label_value(text: str) -> str:
    """`text` in the characters that a job's constraints can name."""
    return re.sub(r"[^A-Za-z0-9]+$", "", re.sub(r"[^A-Za-z0-9._-]+", "-", text))[:63]


def gpu_labels(settings: Dict[str, Any], usable_gpus: int) -> Dict[str, str]:
    if not usable_gpus:
        return {}
    declared = settings["accelerators"]
    return {"gpus": str(usable_gpus), **({"accelerator": declared["type"]} if declared else {})}


def labels(
    settings: Dict[str, Any], member: Dict[str, Any], identity: Dict[str, Any], usable_gpus: int
) -> Dict[str, str]:
    own = {
        "stack": label_value(settings["stack"]),
        "fleet": settings["fleet"],
        "place": settings["place"],
        "ordinal": str(member["ordinal"]),
        "instance_id": member["instanceId"],
        "region": member["region"],
        "zone": member["zone"],
        "sensor_id": identity["sensor_id"],
        "sensor_type": identity["metadata"]["sensor_type"],
        "city": label_value(identity["location"]["city"]),
        "state": identity["location"]["state"],
        **gpu_labels(settings, usable_gpus),
    }
    reserved = {**dict.fromkeys(own), **dict.fromkeys(GPU_LABELS), **dict.fromkeys(BACALHAU_LABELS)}
    taken = [key for key in settings["bacalhau"]["labels"] if key in reserved]
    if taken:
        raise ConfigError(
            f"bacalhau.labels has {', '.join(taken)}: set by Skyfleet or Bacalhau itself; use another key than "
            + ", ".join(reserved)
        )
    return {**own, **settings["bacalhau"]["labels"]}


def orchestrators(wanted: Dict[str, Any]) -> List[str]:
    """The addresses, in the form that makes Bacalhau's client insist on TLS where it is required.

    RequireTLS is not that: it makes the client speak TLS before the server says anything, which only a proxy in front
    of the orchestrator understands. The orchestrator's own TLS begins after its greeting, and the client insists on it
    where the address says tls.
    """
    insist = wanted["tls"]["required"] and not wanted["tls"]["handshakeFirst"]
    return [re.sub("^nats:", "tls:", address) if insist else address for address in wanted["orchestrators"]]


def config(
    settings: Dict[str, Any], member: Dict[str, Any], identity: Dict[str, Any], ca_cert: str, usable_gpus: int
) -> Dict[str, Any]:
    """The configuration; `ca_cert` is the path of the authority's certificate as the compute node sees it."""
    wanted = settings["bacalhau"]
    tls: Dict[str, Any] = {"RequireTLS": wanted["tls"]["handshakeFirst"]}
    if wanted["tls"]["caCert"] is not None:
        tls["CACert"] = ca_cert
    admission: Dict[str, Any] = {"RejectNetworkedJobs": not wanted["acceptNetworkedJobs"]}
    if work_gate.wanted(settings, member):
        admission["ProbeHTTP"] = work_gate.URL
    return {
        "DataDir": node_paths.in_node(node_paths.BACALHAU_DATA),
        "API": {"Host": API_HOST, "Port": API_PORT},
        "Orchestrator": {"Enabled": False},
        "Compute": {
            "Enabled": True,
            "Orchestrators": orchestrators(wanted),
            "TLS": tls,
            "Heartbeat": {"Interval": f"{HEARTBEAT_SECONDS}s", "InfoUpdateInterval": f"{INFO_UPDATE_SECONDS}s"},
            # All that nvidia-smi shows in the container, or none whatever it shows. CPU, memory and disk keep
            # Bacalhau's defaults.
            "AllocatedCapacity": {"GPU": "100%" if usable_gpus else "0"},
            "AllowListedLocalPaths": wanted["allowListedLocalPaths"],
        },
        "JobAdmissionControl": admission,
        "Labels": labels(settings, member, identity, usable_gpus),
        "Logging": {"Level": wanted["logLevel"], "Mode": "default"},
        "UpdateConfig": {"Interval": "0s"},
        "DisableAnalytics": True,
    }


def keys(value: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for name, part in value.items():
        key = prefix + name
        if isinstance(part, dict) and key not in MAPS:
            yield from keys(part, key + ".")
        else:
            yield key


def check_keys(value: Mapping[str, Any]) -> None:
    """Refuses keys that Bacalhau would ignore without a word."""
    problems: List[str] = []
    for key in keys(value):
        if key not in KNOWN_KEYS:
            near = difflib.get_close_matches(key, KNOWN_KEYS, 1)
            problems.append(f"{key} is not a key of Bacalhau 1.5 and later" + (f"; is it {near[0]}?" if near else ""))
    if problems:
        raise ConfigError("\n".join(problems))


def yaml(value: Any, indent: int = 0) -> str:
    """Block YAML with each string quoted as in JSON, which every YAML reader takes as it is meant."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        return "".join(f"{pad}{name_of(key)}:{_nested(part, indent)}" for key, part in value.items())
    if isinstance(value, list) and value:
        return "".join(f"{pad}- {json.dumps(part)}\n" for part in value)
    raise TypeError(f"cannot lay out {value!r}")


def name_of(key: str) -> str:
    return key if re.fullmatch(r"[A-Z][A-Za-z]*", key) else json.dumps(key)


def _nested(value: Any, indent: int) -> str:
    if isinstance(value, (dict, list)) and value:
        return "\n" + yaml(value, indent + 1)
    return f" {json.dumps(value)}\n"


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="node.json")
    parser.add_argument("--member", type=Path, required=True, help="member.json")
    parser.add_argument("--identity", type=Path, required=True, help="identity.json")
    parser.add_argument("--output", type=Path, required=True, help="where to write the configuration")
    parser.add_argument("--ca-output", type=Path, required=True, help="where to write the authority's certificate")
    options = parser.parse_args(arguments)
    try:
        settings = node_settings.load(options.settings)
        member = json.loads(options.member.read_text(encoding="utf-8"))
        identity = json.loads(options.identity.read_text(encoding="utf-8"))
        made = config(settings, member, identity, str(options.ca_output), gpus.usable())
        check_keys(made)
    except (OSError, ValueError) as error:
        print(f"generate_bacalhau_config: {error}", file=sys.stderr)
        return 1
    ca_cert = settings["bacalhau"]["tls"]["caCert"]
    if ca_cert is not None:
        atomic_file.write(options.ca_output, ca_cert)
    atomic_file.write(options.output, yaml(made))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
