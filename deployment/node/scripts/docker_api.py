"""The container engine's Docker API on its socket; a command line's output format is nobody's promise."""

from __future__ import annotations

import http.client
import json
import os
import socket
from typing import Any, Dict, Optional
from urllib.parse import quote

SOCKET = "/var/run/docker.sock"
TIMEOUT_SECONDS = 20.0


class DockerError(RuntimeError):
    """The engine did not answer as expected."""


class _UnixConnection(http.client.HTTPConnection):
    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.host)


def _socket_path() -> str:
    # DOCKER_HOST is what docker and docker-compose obey as well.
    host = os.environ.get("DOCKER_HOST", "")
    return host[len("unix://") :] if host.startswith("unix://") else SOCKET


def _request(method: str, path: str, timeout: float = TIMEOUT_SECONDS) -> Optional[bytes]:
    connection = _UnixConnection(_socket_path(), timeout=timeout)
    try:
        # HTTP/1.1 requires a Host header; its value does not matter here.
        connection.request(method, path, headers={"Host": "docker"})
        response = connection.getresponse()
        body = response.read()
    except (OSError, http.client.HTTPException) as error:
        raise DockerError(f"container engine at {_socket_path()}: {error or type(error).__name__}") from None
    finally:
        connection.close()
    if response.status == 404:
        return None
    # 304: it is as it was asked to be.
    if response.status not in (200, 204, 304):
        raise DockerError(f"container engine {method} {path}: HTTP {response.status}")
    return body


def ping() -> None:
    """Raises DockerError where no engine answers."""
    _request("GET", "/_ping")


def inspect(container: str) -> Optional[Dict[str, Any]]:
    """What the engine knows about a container, or None where there is none of that name."""
    body = _request("GET", f"/containers/{quote(container)}/json")
    if body is None:
        return None
    value = json.loads(body)
    assert isinstance(value, dict)
    return value


def restart(container: str) -> None:
    """Stops a container, within a few seconds, and starts it again; nothing where there is none."""
    _unpause(container)
    _request("POST", f"/containers/{quote(container)}/restart?t=5")


def remove(container: str, seconds: int) -> None:
    """Stops a container, which has `seconds` to end by itself, and removes it; nothing where there is none."""
    _unpause(container)
    _request("POST", f"/containers/{quote(container)}/stop?t={seconds}", timeout=seconds + TIMEOUT_SECONDS)
    _request("DELETE", f"/containers/{quote(container)}?force=1")


def _unpause(container: str) -> None:
    """Lets a paused container go on: podman stops none that is paused."""
    found = inspect(container)
    if found and found["State"].get("Paused"):
        _request("POST", f"/containers/{quote(container)}/unpause")


def log_tail(container: str, lines: int) -> str:
    """The last lines that a container wrote."""
    body = _request("GET", f"/containers/{quote(container)}/logs?stdout=1&stderr=1&tail={lines}")
    return "" if body is None else _unframed(body).decode("utf-8", "replace")


def _unframed(body: bytes) -> bytes:
    """Joins the frames (stream, three zeros, length, text) in which the engine sends stdout and stderr."""
    text = b""
    while len(body) >= 8 and body[0] in (0, 1, 2) and body[1:4] == b"\0\0\0":
        length = int.from_bytes(body[4:8], "big")
        text += body[8 : 8 + length]
        body = body[8 + length :]
    return text + body
