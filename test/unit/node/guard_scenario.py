"""A node with one container behind it and the metadata service before it, as network namespaces joined by cables."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

guard = Path(os.environ["PYTHONPATH"].split(":")[0]) / "imds-guard.sh"
PROBE = "import socket; socket.create_connection(('169.254.169.254', 80), timeout=3)"
SERVE = "import http.server as h; h.HTTPServer(('169.254.169.254', 80), h.SimpleHTTPRequestHandler).serve_forever()"


def run(command: str) -> None:
    subprocess.run(shlex.split(command), check=True, stdout=subprocess.DEVNULL)


def within(process: subprocess.Popen[bytes], *command: str) -> List[str]:
    return ["nsenter", "--target", str(process.pid), "--net", *command]


def namespace() -> subprocess.Popen[bytes]:
    process = subprocess.Popen(["unshare", "--net", "sleep", "120"])
    own = os.readlink("/proc/self/ns/net")
    while os.readlink(f"/proc/{process.pid}/ns/net") == own:
        time.sleep(0.05)
    return process


def cable(process: subprocess.Popen[bytes], name: str, here: str, there: str, route: str) -> None:
    run(f"ip link add {name} type veth peer name eth0 netns {process.pid}")
    run(f"ip address add {here} dev {name}")
    run(f"ip link set {name} up")
    for command in (f"ip address add {there} dev eth0", "ip link set eth0 up", f"ip route add {route}"):
        subprocess.run(within(process, *shlex.split(command)), check=True)


def reaches(*prefix: str) -> bool:
    return (
        subprocess.run([*prefix, sys.executable, "-c", PROBE], stderr=subprocess.DEVNULL, check=False).returncode == 0
    )


def set_guard() -> str:
    return subprocess.run(["sh", str(guard)], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def main() -> Dict[str, Any]:
    started = [namespace(), namespace()]
    metadata, container = started
    try:
        cable(metadata, "before", "169.254.0.1/16", "169.254.169.254/16", "default via 169.254.0.1")
        cable(container, "behind", "172.18.0.1/24", "172.18.0.2/24", "default via 172.18.0.1")
        Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
        started.append(subprocess.Popen(within(metadata, sys.executable, "-c", SERVE), stderr=subprocess.DEVNULL))
        deadline = time.monotonic() + 20
        while not reaches() and time.monotonic() < deadline:
            time.sleep(0.2)
        before = {"node": reaches(), "container": reaches(*within(container))}
        answers = [set_guard(), set_guard()]
        # An engine that starts later puts its own rules first.
        run("iptables -I FORWARD -j ACCEPT")
        after = {"node": reaches(), "container": reaches(*within(container))}
    finally:
        for process in started:
            process.kill()
    return {"before": before, "answers": answers, "after": after}


print(json.dumps(main()))
