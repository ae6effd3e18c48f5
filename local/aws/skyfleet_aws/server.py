"""The account's endpoint: moto behind a lock, with faults and the request log, and the control API beside it."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Callable, Iterable
from typing import Any
from xml.sax.saxutils import escape

from moto.ec2.models import ec2_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app

from .conditions import context_of
from .control import Control
from .faults import Fault, Faults
from .request_log import Call, RequestLog, read_call
from .settings import ACCOUNT_ID
from .workarounds.iam import request_context

log = logging.getLogger(__name__)

# Open to all who can reach the port: moto's own control API, and metadata of no instance in particular.
UNSERVED = ("/moto-api", "/latest/")

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


def error_body(service: str | None, code: str, message: str) -> bytes:
    error = f"<Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
    if service == "s3":
        return f"<Error>{error}</Error>".encode()
    if service == "ec2":
        return f"<Response><Errors><Error>{error}</Error></Errors></Response>".encode()
    return f"<ErrorResponse><Error>{error}</Error></ErrorResponse>".encode()


def take_body(environ: Environ) -> bytes:
    """Reads the request to its end, so that a slow client waits before the lock and not within it."""
    stream = environ["wsgi.input"]
    length = environ.get("CONTENT_LENGTH")
    if environ.get("wsgi.input_terminated"):
        body: bytes = stream.read()
    else:
        body = stream.read(int(length)) if length else b""
    environ["wsgi.input"] = io.BytesIO(body)
    environ["CONTENT_LENGTH"] = str(len(body))
    return body


class Account:
    """A WSGI application. moto keeps its records in plain dictionaries and checks before it writes (a conditional
    PutObject, an address), so it answers one request at a time."""

    def __init__(
        self,
        api: threading.RLock,
        control: Control,
        faults: Faults,
        requests: RequestLog,
        regions: tuple[str, ...],
    ):
        self.api = api
        self.control = control
        self.faults = faults
        self.requests = requests
        self.regions = regions
        self.moto = DomainDispatcherApplication(create_backend_app)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        body = take_body(environ)
        if environ["PATH_INFO"].startswith(UNSERVED):
            start_response("404 Not Found", [("Content-Type", "text/plain")])
            return [b"not served"]
        if environ["PATH_INFO"].startswith("/_emu/"):
            if environ.get("REMOTE_ADDR") != "127.0.0.1":
                start_response("403 Forbidden", [("Content-Type", "text/plain")])
                return [b"the control API answers on the loopback address only"]
            outcome, answer = self.control.answer(environ["REQUEST_METHOD"], environ["PATH_INFO"], body)
            start_response(outcome, [("Content-Type", "application/json")])
            return [json.dumps(answer).encode()]
        call = read_call(environ, body)
        answered: list[Any] = ["500 Internal Server Error", []]

        def capture(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> None:
            answered[:] = [status, headers]

        with self.api:
            refusal = self._refusal(call)
            if refusal:
                status, code, message = refusal
                capture(f"{status} {code}", [("Content-Type", "text/xml")])
                content = error_body(call.service, code, message)
            else:
                request_context.set(context_of(environ, call.region))
                content = self._moto(environ, call, capture)
                if call.service == "ec2" and call.action and not call.action.startswith("Describe"):
                    self.control.machines.enforce_groups()
        status_line, headers = answered
        self.requests.answered(call, int(status_line.split()[0]), content)
        start_response(status_line, headers)
        return [content]

    def _moto(self, environ: Environ, call: Call, capture: StartResponse) -> bytes:
        try:
            return b"".join(self.moto(environ, capture))
        except Exception as error:
            log.exception("%s %s", call.service, call.action)
            capture("501 Not Implemented", [("Content-Type", "text/xml")])
            return error_body(call.service, "NotImplemented", f"the emulated account failed: {error}")

    def _refusal(self, call: Call) -> tuple[int, str, str] | None:
        if call.service == "ec2" and call.region not in self.regions:
            return 401, "AuthFailure", f"The region {call.region} is not enabled in this account."
        fault = self._fault(call)
        return (fault.status, fault.code, fault.message) if fault else None

    def _fault(self, call: Call) -> Fault | None:
        if call.action is None:
            return None
        subnet_id, zone = call.zone_hints
        if subnet_id and call.region:
            for by_id in ec2_backends[ACCOUNT_ID][call.region].subnets.values():
                if subnet_id in by_id:
                    zone = by_id[subnet_id].availability_zone
        return self.faults.take(call.action, zone, call.params.get("InstanceType"), call.market)
