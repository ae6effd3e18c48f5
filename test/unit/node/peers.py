"""Stand-ins for what a node talks to: metadata service, S3 with conditional writes, the engine's socket."""

from __future__ import annotations

import hashlib
import json
import re
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, Optional, Tuple

Answer = Tuple[int, bytes, Dict[str, str]]


def serve(server: socketserver.BaseServer) -> None:
    threading.Thread(target=server.serve_forever, daemon=True).start()


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("waited in vain")
        time.sleep(0.2)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, method: str, body: bytes) -> Answer:
        raise NotImplementedError

    def _handle(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        status, text, headers = self.answer(self.command, body)
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(text))}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle

    def log_message(self, format: str, *args: Any) -> None:
        pass


class Imds:
    """IMDSv2 of one instance; what it answers is what `values` holds, unless it is `down`."""

    def __init__(self, instance_id: str, private_ip: str, port: int = 0, life_cycle: str = "on-demand") -> None:
        self.down = False
        self.values = values = {
            "meta-data/instance-life-cycle": life_cycle,
            "meta-data/instance-id": instance_id,
            "meta-data/placement/availability-zone": "us-west-2a",
            "meta-data/placement/region": "us-west-2",
            "meta-data/local-ipv4": private_ip,
            "meta-data/iam/security-credentials/": "node-role",
            "meta-data/iam/security-credentials/node-role": json.dumps(
                {
                    "Code": "Success",
                    "AccessKeyId": f"ASIA{instance_id}",
                    "SecretAccessKey": "secret",
                    "Token": "token",
                    "Expiration": "2099-01-01T00:00:00Z",
                }
            ),
        }

        peer = self

        class Handler(_Handler):
            def answer(self, method: str, body: bytes) -> Answer:
                if peer.down:
                    return 500, b"", {}
                if method == "PUT":
                    return 200, b"imds-token", {"X-Aws-Ec2-Metadata-Token-Ttl-Seconds": "300"}
                if self.headers.get("X-aws-ec2-metadata-token") != "imds-token":
                    return 401, b"", {}
                value = values.get(self.path[len("/latest/") :])
                return (404, b"", {}) if value is None else (200, value.encode(), {})

        server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        serve(server)


class S3:
    """One bucket, path-style, with If-Match and If-None-Match; `fail_next` has a None for a request to pass."""

    def __init__(self, missing_status: int = 404) -> None:
        self.objects: Dict[str, bytes] = {}
        self.requests: List[Dict[str, Any]] = []
        self.fail_next: List[Optional[int]] = []
        lock = threading.Lock()
        peer = self

        class Handler(_Handler):
            def answer(self, method: str, body: bytes) -> Answer:
                with lock:
                    status, text, headers = self._answer(method, body)
                    peer.requests.append(
                        {"method": method, "path": self.path, "status": status, "headers": dict(self.headers.items())}
                    )
                    return status, text, headers

            def _answer(self, method: str, body: bytes) -> Answer:
                status = peer.fail_next.pop(0) if peer.fail_next else None
                if status is not None:
                    return status, b"<Error><Code>Injected</Code></Error>", {}
                found = peer.objects.get(self.path)
                if method == "GET":
                    if found is None:
                        return missing_status, b"<Error><Code>NoSuchKey</Code></Error>", {}
                    if self.headers.get("If-None-Match") == etag(found):
                        return 304, b"", {"ETag": etag(found)}
                    return 200, found, {"ETag": etag(found)}
                if method == "DELETE":
                    peer.objects.pop(self.path, None)
                    return 204, b"", {}
                wanted = self.headers.get("If-Match")
                if (self.headers.get("If-None-Match") == "*" and found is not None) or (
                    wanted is not None and wanted != etag(found)
                ):
                    return 412, b"<Error><Code>PreconditionFailed</Code></Error>", {}
                peer.objects[self.path] = body
                return 200, b"", {"ETag": etag(body)}

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{server.server_address[1]}"
        serve(server)

    def documents_at(self, path: str) -> Dict[str, Any]:
        return dict(json.loads(self.objects[path]))

    def documents(self) -> Dict[str, Any]:
        return {path: json.loads(body) for path, body in self.objects.items()}


def etag(body: Optional[bytes]) -> str:
    return '"' + hashlib.md5(body or b"").hexdigest() + '"'


class Engine:
    """The Docker API of an engine on a socket: what it says of containers is what `containers` holds."""

    def __init__(self, socket_path: str) -> None:
        self.containers: Dict[str, Dict[str, Any]] = {}
        self.logs: Dict[str, bytes] = {}
        self.restarts: Dict[str, Callable[[], None]] = {}
        self.stops: Dict[str, Callable[[], None]] = {}
        # What was asked of containers, but for what only looks at them.
        self.asked: List[str] = []
        self.fail_next: List[str] = []
        peer = self

        class Handler(_Handler):
            def address_string(self) -> str:
                return "engine"

            def answer(self, method: str, body: bytes) -> Answer:
                # Docker's own client puts the API's version in front.
                path = re.sub(r"^/v1\.[0-9]+", "", self.path.split("?")[0])
                if path == "/_ping":
                    return 200, b"OK", {}
                if path == "/info":
                    return 200, b"{}", {}
                name, _, what = path[len("/containers/") :].partition("/")
                if method != "GET":
                    peer.asked.append(f"{method} {self.path}")
                if what in peer.fail_next:
                    peer.fail_next.remove(what)
                    return 500, b"", {}
                if what == "logs":
                    text = peer.logs.get(name, b"")
                    return 200, b"\x01\0\0\0" + len(text).to_bytes(4, "big") + text, {}
                if name not in peer.containers:
                    return 404, b"{}", {}
                state = peer.containers[name]["State"]
                if what == "unpause":
                    state.update(Paused=False, Status="running")
                    return 204, b"", {}
                if what in ("restart", "stop") and state["Paused"]:
                    return 500, b"{}", {}
                if what == "restart":
                    peer.restarts[name]()
                    return 204, b"", {}
                if what == "stop":
                    if not state["Running"]:
                        return 304, b"", {}
                    peer.stops[name]()
                    state.update(Running=False, Status="exited", Pid=0)
                    return 204, b"", {}
                if method == "DELETE":
                    del peer.containers[name]
                    return 204, b"", {}
                return 200, json.dumps(peer.containers[name]).encode(), {}

        class Server(socketserver.ThreadingUnixStreamServer):
            daemon_threads = True

        serve(Server(socket_path, Handler))


def container(image: str, pid: int, running: bool = True, health: str = "starting") -> Dict[str, Any]:
    return {
        "Config": {"Image": image},
        "RestartCount": 0,
        "State": {
            "Status": "running" if running else "exited",
            "Running": running,
            "Paused": False,
            "ExitCode": 0,
            "Pid": pid if running else 0,
            "StartedAt": "2026-01-01T00:00:00Z",
            "Health": {"Status": health},
        },
    }
