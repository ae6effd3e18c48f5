"""Nodes that claim members of one place in one bucket, each by running claim_member.py as a node does."""

from __future__ import annotations

import concurrent.futures
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional

import peers

folder = Path(sys.argv[1])
scripts = Path(os.environ["PYTHONPATH"].split(":")[0])
store = peers.S3(missing_status=int(sys.argv[2]))
metadata: Dict[str, peers.Imds] = {}


def settings(count: int) -> Path:
    path = folder / f"node-{count}.json"
    value = json.loads((folder / "node.json").read_text())
    value["nodes"]["count"] = count
    value["bucket"]["endpointUrl"] = store.url
    path.write_text(json.dumps(value))
    return path


def claim(instance: str, ip: str, ips: List[str], incarnation: str, count: int) -> Dict[str, Any]:
    """What one node ends up with: its member document, or its error."""
    if instance not in metadata:
        metadata[instance] = peers.Imds(instance, ip)
    output = folder / f"member-{instance}.json"
    output.unlink(missing_ok=True)
    done = subprocess.run(
        [sys.executable, "-B", str(scripts / "claim_member.py"), "--settings", str(settings(count))]
        + ["--output", str(output)],
        env={
            **os.environ,
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": metadata[instance].url,
            "SKYPILOT_NODE_IPS": "\n".join(ips),
            "SKYFLEET_INCARNATION": incarnation,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    if done.returncode != 0:
        return {"error": done.stderr}
    document: Dict[str, Any] = json.loads(output.read_text())
    return document


def holders() -> List[Optional[str]]:
    found = store.documents()
    return [found.get(f"/data/fleets/local/claims/local-0/{member}.json", {}).get("instanceId") for member in range(3)]


def writes() -> int:
    return sum(request["method"] == "PUT" and request["status"] == 200 for request in store.requests)


ips = ["10.0.0.1", "10.0.0.2", "10.0.0.3"]
outcome: Dict[str, Any] = {}

with concurrent.futures.ThreadPoolExecutor() as pool:
    outcome["atOnce"] = list(pool.map(lambda n: claim(f"i-{n + 1}", ips[n], ips, "local-0-aaaa", 3), range(3)))
outcome["holders"] = holders()
outcome["writes"] = writes()

before = writes()
outcome["again"] = [claim(f"i-{n + 1}", ips[n], list(reversed(ips)), "local-0-aaaa", 3)["member"] for n in range(3)]
outcome["writesAgain"] = writes() - before

outcome["full"] = claim("i-9", "10.0.0.9", [*ips, "10.0.0.9"], "local-0-aaaa", 3)

# The second node was lost; a machine with another address comes in its stead.
lost = outcome["atOnce"][1]["member"]
outcome["lost"] = lost
outcome["replacement"] = claim("i-4", "10.0.0.4", ["10.0.0.1", "10.0.0.3", "10.0.0.4"], "local-0-aaaa", 3)

# The third was lost as well, and its successor was given the very address that it had.
outcome["sameAddress"] = claim("i-5", "10.0.0.3", ["10.0.0.1", "10.0.0.3", "10.0.0.4"], "local-0-aaaa", 3)
outcome["wasThird"] = outcome["atOnce"][2]["member"]

# The place was replaced as a whole: nobody of the earlier incarnation counts.
outcome["nextIncarnation"] = [
    claim(f"i-1{n}", f"10.0.1.{n}", ["10.0.1.0", "10.0.1.1", "10.0.1.2"], "local-0-bbbb", 3)["member"] for n in range(3)
]

# Two were lost and replaced at once, and one successor has the address that the second had.
for member, (instance, ip) in enumerate([("i-50", "10.0.5.0"), ("i-51", "10.0.5.1")]):
    body = {"instanceId": instance, "privateIp": ip, "incarnation": "local-0-ffff"}
    store.objects[f"/data/fleets/local/claims/local-0/{member}.json"] = json.dumps(body).encode()
del store.objects["/data/fleets/local/claims/local-0/2.json"]
both = ["10.0.5.1", "10.0.5.2"]
outcome["twoLost"] = [
    claim(instance, ip, both, "local-0-ffff", count)["member"]
    for instance, ip, count in [("i-52", "10.0.5.1", 3), ("i-53", "10.0.5.2", 2)]
]

store.objects["/data/fleets/local/claims/local-0/0.json"] = b"{ unreadable"
outcome["unreadable"] = claim("i-20", "10.0.2.0", ["10.0.2.0"], "local-0-cccc", 1)

outcome["notInCluster"] = claim("i-30", "10.0.3.0", ["10.0.0.1"], "local-0-dddd", 1)
store.fail_next = [403, 403]
outcome["forbidden"] = claim("i-40", "10.0.4.0", ["10.0.4.0"], "local-0-eeee", 1)

print(json.dumps(outcome))
