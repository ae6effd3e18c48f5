"""The instance metadata service, version 2 only: one identity per instance, told by the source address.

The answer to a token request leaves with an IP TTL of the instance's hop limit, as EC2 sends it: at the default of 1
it reaches the instance itself and dies on the way to a bridged container inside it.
"""

from __future__ import annotations

import datetime
import json
import logging
import secrets
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from .instance_role import InstanceRoles
from .machines import Machine, Machines
from .settings import ACCOUNT_ID

log = logging.getLogger(__name__)

TOKEN_TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN_HEADER = "X-aws-ec2-metadata-token"
MAX_TOKEN_SECONDS = 21600


def stamp(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


class Metadata:
    """What one instance may read, by path below /latest/; None is a 404."""

    def __init__(self, machines: Machines, roles: InstanceRoles):
        self.machines = machines
        self.roles = roles

    def read(self, machine: Machine, path: str) -> str | None:
        with self.machines.api:
            if path == "user-data":
                data = machine.instance.user_data
                return data.decode() if data else None
            if path == "dynamic/instance-identity/document":
                return self._identity_document(machine)
            if not path.startswith("meta-data/"):
                return None
            item = path.removeprefix("meta-data/")
            if item.startswith("iam/"):
                return self._iam(machine, item.removeprefix("iam/"))
            if item.startswith("spot/"):
                return self._spot(machine, item.removeprefix("spot/"))
            if item == "events/recommendations/rebalance":
                moment = machine.rebalance_time
                return json.dumps({"noticeTime": stamp(moment)}) if moment else None
            if item.startswith("tags/instance"):
                return self._tags(machine, item.removeprefix("tags/instance").strip("/"))
            return self._item(machine, item)

    def _item(self, machine: Machine, item: str) -> str | None:
        instance = machine.instance
        return {
            "ami-id": instance.image_id,
            "hostname": instance.private_dns_name,
            "instance-id": instance.id,
            "instance-life-cycle": instance.lifecycle or "on-demand",
            "instance-type": instance.instance_type,
            "local-hostname": instance.private_dns_name,
            "local-ipv4": instance.private_ip,
            "mac": instance.nics[0].mac_address,
            "placement/availability-zone": instance.placement.zone,
            "placement/region": instance.region_name,
            "public-ipv4": instance.public_ip,
            "security-groups": "\n".join(group.name for group in instance.nics[0].group_set),
        }.get(item)

    def _identity_document(self, machine: Machine) -> str:
        instance = machine.instance
        return json.dumps(
            {
                "accountId": ACCOUNT_ID,
                "architecture": instance.architecture,
                "availabilityZone": instance.placement.zone,
                "imageId": instance.image_id,
                "instanceId": instance.id,
                "instanceType": instance.instance_type,
                "pendingTime": stamp(instance.launch_time),
                "privateIp": instance.private_ip,
                "region": instance.region_name,
                "version": "2017-09-30",
            },
            indent=2,
        )

    def _iam(self, machine: Machine, item: str) -> str | None:
        profile, role = self.roles.profile(machine.instance), self.roles.role(machine.instance)
        if profile is None:
            return None
        if item == "info":
            now = datetime.datetime.now(datetime.UTC)
            return json.dumps(
                {
                    "Code": "Success",
                    "LastUpdated": stamp(now),
                    "InstanceProfileArn": profile.arn,
                    "InstanceProfileId": profile.id,
                }
            )
        if role is None:
            return None
        if item.strip("/") == "security-credentials":
            return str(role.name)
        if item != f"security-credentials/{role.name}":
            return None
        credentials = self.roles.credentials(machine.instance)
        if credentials is None:
            reason = {"Code": "AssumeRoleUnauthorizedAccess", "Message": "EC2 cannot assume the role"}
            return json.dumps(reason)
        return json.dumps(
            {
                "Code": "Success",
                "LastUpdated": stamp(credentials.issued),
                "Type": "AWS-HMAC",
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "Token": credentials.session_token,
                "Expiration": stamp(credentials.expiration),
            }
        )

    def _spot(self, machine: Machine, item: str) -> str | None:
        if machine.interruption_time is None:
            return None
        when = stamp(machine.interruption_time)
        return {
            "instance-action": json.dumps({"action": "terminate", "time": when}),
            "termination-time": when,
        }.get(item)

    def _tags(self, machine: Machine, key: str) -> str | None:
        if machine.instance.metadata_options.instance_metadata_tags != "enabled":
            return None
        tags = {tag["key"]: tag["value"] for tag in machine.instance.get_tags()}
        return tags.get(key) if key else "\n".join(sorted(tags))


class Tokens:
    """Session tokens. Each is good for the instance that asked for it, for as long as it asked."""

    def __init__(self) -> None:
        self._tokens: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def issue(self, instance_id: str, seconds: int) -> str:
        token, now = secrets.token_urlsafe(42), time.monotonic()
        with self._lock:
            self._tokens = {one: (owner, end) for one, (owner, end) in self._tokens.items() if end > now}
            self._tokens[token] = (instance_id, now + seconds)
        return token

    def valid(self, token: str, instance_id: str) -> bool:
        with self._lock:
            owner, end = self._tokens.get(token, ("", 0.0))
        return owner == instance_id and end > time.monotonic()


class MetadataServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], metadata: Metadata):
        self.metadata = metadata
        self.tokens = Tokens()
        super().__init__(address, MetadataHandler)


class MetadataHandler(BaseHTTPRequestHandler):
    server: MetadataServer
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""

    def _answer(self, status: int, body: str = "", **headers: str) -> None:
        data = body.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def _machine(self) -> Machine | None:
        return self.server.metadata.machines.at(self.client_address[0])

    def do_PUT(self) -> None:
        # The lower TTL must also hold for a retransmission, so this connection serves nothing after it.
        self.close_connection = True
        machine = self._machine()
        if machine is None or self.path != "/latest/api/token":
            self._answer(404, Connection="close")
            return
        if self.headers.get("X-Forwarded-For"):
            self._answer(403, Connection="close")
            return
        try:
            seconds = int(self.headers.get(TOKEN_TTL_HEADER, ""))
        except ValueError:
            seconds = 0
        if not 1 <= seconds <= MAX_TOKEN_SECONDS:
            self._answer(400, Connection="close")
            return
        # A token is the first thing that a booting host asks for, and without one it opens no port: until its security
        # groups are enforced it gets no further.
        if not machine.filtered.wait(timeout=10):
            self._answer(503, Connection="close")
            return
        hop_limit = int(machine.instance.metadata_options.http_put_response_hop_limit)
        self.connection.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, hop_limit)
        token = self.server.tokens.issue(machine.instance.id, seconds)
        self._answer(200, token, X_Aws_Ec2_Metadata_Token_Ttl_Seconds=str(seconds), Connection="close")

    def do_GET(self) -> None:
        machine = self._machine()
        if machine is None:
            self._answer(404)
            return
        if not self.server.tokens.valid(self.headers.get(TOKEN_HEADER, ""), machine.instance.id):
            self._answer(401)
            return
        path = self.path.split("?")[0].removeprefix("/latest/")
        body = self.server.metadata.read(machine, path)
        if body is None:
            self._answer(404)
        else:
            self._answer(200, body)

    def log_message(self, format: str, *args: object) -> None:
        log.debug("%s %s", self.client_address[0], format % args)
