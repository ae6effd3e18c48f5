"""Answers the compute node whether this node takes new work.

Bacalhau asks JobAdmissionControl.ProbeHTTP before every bid, and only then, so that running work is left alone. An
answer that says no makes the orchestrator place the work elsewhere. Where nothing answers, the execution fails on this
node, and Bacalhau 1.9 waits without end for an answer that does not come; so the health check asks as well.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, Mapping, Optional

HOST = "127.0.0.1"
PORT = 1236
URL = f"http://{HOST}:{PORT}/"

ANSWER_SECONDS = 3.0
READ_BYTES = 1 << 16


def wanted(settings: Mapping[str, Any], member: Mapping[str, Any]) -> bool:
    """Whether this node ever refuses work: where AWS may take it back, and where it is drained before it stands down."""
    return bool(member["lifeCycle"] == "spot" or settings["drainMinutes"] > 0)


class NoAnswer(RuntimeError):
    """Nothing answers, or something else does."""


class Gate:
    """Serves on `listener`. POST is Bacalhau's question; GET shows what `status` returns.

    `refusal` is asked each time: why no new work is taken; None where it is.
    """

    def __init__(
        self, listener: socket.socket, refusal: Callable[[], Optional[str]], status: Callable[[], Dict[str, Any]]
    ) -> None:
        class Handler(BaseHTTPRequestHandler):
            timeout = 10

            def do_POST(self) -> None:
                # The question has to be read to its end, or the answer is lost with the connection.
                left = int(self.headers.get("Content-Length") or 0)
                while left > 0:
                    part = self.rfile.read(min(left, READ_BYTES))
                    if not part:
                        return
                    left -= len(part)
                why = refusal()
                self._answer({"ShouldBid": why is None, "Reason": why or "nothing speaks against it"})

            def do_GET(self) -> None:
                self._answer({"refusal": refusal(), **status()})

            def _answer(self, value: Dict[str, Any]) -> None:
                body = json.dumps(value).encode("utf-8")
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Bids are not worth a line each."""

        self._server = ThreadingHTTPServer((HOST, PORT), Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listener
        # So that close waits for the answers that are under way.
        self._server.daemon_threads = False
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Answers what was asked, and no more; who has the socket as well may go on with it."""
        self._server.shutdown()
        self._server.server_close()


def listen() -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((HOST, PORT))
    listener.listen(64)
    return listener


def status() -> Dict[str, Any]:
    """What the gate says of itself; raises NoAnswer."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", "/")
        value = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise NoAnswer(f"{URL} does not answer: {error or type(error).__name__}") from None
    finally:
        connection.close()
    if not isinstance(value, dict) or "refusal" not in value:
        raise NoAnswer(f"{URL} is answered by something else")
    return value
