"""Puts the account together: moto with its workarounds, the machines, and the two servers."""

from __future__ import annotations

import threading
from dataclasses import dataclass

from moto.moto_server.werkzeug_app import MotoRequestHandler
from werkzeug.serving import BaseWSGIServer, make_server

from .account import make_operator
from .control import Control
from .faults import Faults
from .imds import Metadata, MetadataServer
from .instance_role import InstanceRoles
from .machines import HostProvider, Machines
from .request_log import RequestLog
from .server import Account
from .settings import Settings
from .workarounds import ec2, groups, iam, logs, nat, s3


@dataclass(frozen=True)
class Assembly:
    account: Account
    machines: Machines
    metadata: Metadata
    requests: RequestLog


def assemble(settings: Settings, hosts: HostProvider) -> Assembly:
    """Once in a process: the workarounds change moto's classes."""
    api = threading.RLock()
    machines = Machines(hosts, api, settings.termination_seconds)
    groups.apply()
    ec2.apply(machines, settings.regions)
    nat.apply(machines)
    logs.apply()
    s3.apply()
    iam.apply()
    make_operator(settings.state / "operator.json")
    requests = RequestLog(settings.state / "requests.jsonl")
    faults = Faults()
    account = Account(api, Control(machines, faults), faults, requests, settings.regions)
    return Assembly(account, machines, Metadata(machines, InstanceRoles(requests.issued)), requests)


def serve_endpoint(assembly: Assembly, address: str, port: int) -> BaseWSGIServer:
    server = make_server(address, port, assembly.account, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def serve_metadata(assembly: Assembly, address: str, port: int) -> MetadataServer:
    server = MetadataServer((address, port), assembly.metadata)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server
