"""requests.jsonl: one line for each request to the account, written when it has been answered."""

from __future__ import annotations

import datetime
import json
import re
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

from moto.core.request import Request
from moto.core.routing import get_service_router
from werkzeug.exceptions import HTTPException

# Parameters of these operations say what was asked for where moto's own answers do not.
OPERATIONS_WITH_PARAMETERS = {"RunInstances"}
# User data holds keys and grows large; it is no part of the record.
LEFT_OUT = {"UserData", "Action", "Version"}
CREDENTIAL = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request")
ERROR_CODE = re.compile(rb"<Code>([^<]+)</Code>")


@dataclass(frozen=True)
class Call:
    """What a request asks for, told from its signature scope, form or path."""

    source: str
    access_key_id: str | None
    service: str | None
    region: str | None
    action: str | None
    resource: str
    params: dict[str, str]

    @property
    def zone_hints(self) -> tuple[str | None, str | None]:
        """The subnet and the zone that a RunInstances names."""
        subnet = self.params.get("SubnetId") or self.params.get("NetworkInterface.1.SubnetId")
        return subnet, self.params.get("Placement.AvailabilityZone")

    @property
    def market(self) -> str | None:
        """Which market a RunInstances asks; None for anything else."""
        if self.action != "RunInstances":
            return None
        return self.params.get("InstanceMarketOptions.MarketType", "on-demand")


def s3_operation(environ: dict[str, Any]) -> str | None:
    try:
        operation, _ = get_service_router("s3").match(Request(dict(environ)))
    except (HTTPException, NotImplementedError):
        return None
    return str(operation.name)


def read_call(environ: dict[str, Any], body: bytes) -> Call:
    scope = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
    key, region, service = scope.groups() if scope else (None, None, None)
    path, query = environ.get("PATH_INFO", "/"), environ.get("QUERY_STRING", "")
    params: dict[str, str] = {}
    action: str | None = None
    if environ.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        params = {name: values[0] for name, values in parse_qs(body.decode(errors="replace")).items()}
        action = params.get("Action")
    elif "HTTP_X_AMZ_TARGET" in environ:
        action = environ["HTTP_X_AMZ_TARGET"].rpartition(".")[2]
    elif service in (None, "s3"):
        action = s3_operation(environ)
    return Call(
        source=environ.get("REMOTE_ADDR", ""),
        access_key_id=key,
        service=service,
        region=region,
        action=action,
        resource=f"{path}?{query}" if query else path,
        params=params,
    )


class RequestLog:
    def __init__(self, path: Path):
        self._file = path.open("a", buffering=1)
        self._lock = threading.Lock()

    def _write(self, entry: dict[str, Any]) -> None:
        moment = datetime.datetime.now(datetime.UTC).isoformat(timespec="milliseconds")
        with self._lock:
            self._file.write(json.dumps({"time": moment, **entry}) + "\n")

    def answered(self, call: Call, status: int, body: bytes) -> None:
        entry: dict[str, Any] = {
            "source": call.source,
            "accessKeyId": call.access_key_id,
            "service": call.service,
            "action": call.action,
            "resource": call.resource,
            "region": call.region,
            "status": status,
        }
        if status >= 400:
            code = ERROR_CODE.search(body)
            entry["error"] = code.group(1).decode() if code else None
        if call.action in OPERATIONS_WITH_PARAMETERS:
            entry["params"] = {name: value for name, value in call.params.items() if name not in LEFT_OUT}
        self._write(entry)

    def issued(self, access_key_id: str, instance_id: str, role: str) -> None:
        """The metadata service gave an instance credentials of its role."""
        self._write(
            {
                "source": "imds",
                "accessKeyId": access_key_id,
                "service": "imds",
                "action": "IssueCredentials",
                "resource": f"{instance_id}/{role}",
                "region": None,
                "status": 200,
            }
        )

    def close(self) -> None:
        self._file.close()
