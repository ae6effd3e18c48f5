"""Connections that are alive, quiet and somebody else's, as the kernel tells of them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from typing import Any, Dict, Tuple

import orchestrator_link


def connection(family: socket.AddressFamily, address: str) -> Tuple[socket.socket, socket.socket, int]:
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.bind((address, 0))
    listener.listen()
    client = socket.create_connection(listener.getsockname()[:2])
    server, _ = listener.accept()
    return client, server, listener.getsockname()[1]


def main() -> Dict[str, Any]:
    client, server, port = connection(socket.AF_INET, "127.0.0.1")
    client6, _, port6 = connection(socket.AF_INET6, "::1")
    own = os.getpid()
    time.sleep(2)
    quiet = orchestrator_link.link(own, [port])
    server.sendall(b"heartbeat answered")
    lively = orchestrator_link.link(own, [port])
    six = orchestrator_link.link(own, [port6])
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    try:
        foreign = orchestrator_link.link(stranger.pid, [port])
    finally:
        stranger.kill()
        stranger.wait()
    other_port = orchestrator_link.link(own, [port + 1])
    server.close()
    client.recv(100)
    time.sleep(0.2)
    closed = orchestrator_link.link(own, [port])
    return {
        "quietSeconds": quiet and quiet.idle_seconds,
        "livelySeconds": lively and lively.idle_seconds,
        "peer": lively and lively.peer,
        "peer6": six and six.peer,
        "foreign": foreign,
        "otherPort": other_port,
        "closed": closed,
        "open": client6.fileno() >= 0,
    }


print(json.dumps(main()))
