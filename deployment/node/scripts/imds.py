"""EC2's instance metadata service, version 2 only: SkyPilot's instances refuse requests without a token."""

from __future__ import annotations

import http.client
import json
import os
import time
from typing import Dict, NamedTuple, Optional
from urllib.parse import urlsplit

# The variable is the AWS SDKs' own name for another endpoint.
ENDPOINT_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
DEFAULT_ENDPOINT = "http://169.254.169.254"
TOKEN_SECONDS = "300"
TIMEOUT_SECONDS = 3.0
ATTEMPTS = 4


class ImdsError(RuntimeError):
    """The metadata service did not give what was asked for."""


class Credentials(NamedTuple):
    access_key_id: str
    secret_access_key: str
    session_token: Optional[str]


class Instance(NamedTuple):
    instance_id: str
    region: str
    zone: str
    private_ip: str
    public_ip: Optional[str]


def _request(method: str, path: str, headers: Dict[str, str]) -> http.client.HTTPResponse:
    # http.client and not urllib: a proxy from the environment must never see this request.
    endpoint = urlsplit(os.environ.get(ENDPOINT_VARIABLE) or DEFAULT_ENDPOINT)
    connection = http.client.HTTPConnection(endpoint.hostname or "", endpoint.port or 80, timeout=TIMEOUT_SECONDS)
    connection.request(method, path, headers=headers)
    return connection.getresponse()


def _fetch(method: str, path: str, headers: Dict[str, str]) -> Optional[str]:
    problem = ""
    for attempt in range(ATTEMPTS):
        if attempt:
            time.sleep(0.3 * 2**attempt)
        try:
            response = _request(method, path, headers)
            body = response.read().decode("utf-8").strip()
        except (OSError, http.client.HTTPException) as error:
            problem = str(error) or type(error).__name__
            continue
        if response.status == 200:
            return body
        if response.status == 404:
            return None
        problem = f"HTTP {response.status}"
        if response.status < 500 and response.status != 429:
            break
    raise ImdsError(
        f"instance metadata {method} {path} failed: {problem}. This must run on an EC2 instance, "
        "outside of containers with a network of their own."
    )


class Session:
    """One token, used for the few requests of one script run."""

    def __init__(self) -> None:
        token = _fetch("PUT", "/latest/api/token", {"X-aws-ec2-metadata-token-ttl-seconds": TOKEN_SECONDS})
        if not token:
            raise ImdsError("instance metadata PUT /latest/api/token gave no token (IMDSv2 is needed)")
        self._headers = {"X-aws-ec2-metadata-token": token}

    def get(self, path: str) -> Optional[str]:
        """The value at /latest/`path`, or None where the instance has none."""
        return _fetch("GET", "/latest/" + path, self._headers)

    def need(self, path: str) -> str:
        value = self.get(path)
        if not value:
            raise ImdsError(f"instance metadata has nothing at /latest/{path}")
        return value

    def instance(self) -> Instance:
        zone = self.need("meta-data/placement/availability-zone")
        return Instance(
            instance_id=self.need("meta-data/instance-id"),
            # placement/region is younger than the zone's name, from which it can always be told.
            region=self.get("meta-data/placement/region") or zone.rstrip("abcdefghijklmnopqrstuvwxyz"),
            zone=zone,
            private_ip=self.need("meta-data/local-ipv4"),
            public_ip=self.get("meta-data/public-ipv4") or None,
        )

    def credentials(self) -> Credentials:
        """The short-lived keys of the role in the instance's profile."""
        roles = self.get("meta-data/iam/security-credentials/")
        if not roles:
            raise ImdsError("the instance has no role: no instance profile is attached to it")
        role = roles.splitlines()[0]
        answer = json.loads(self.need(f"meta-data/iam/security-credentials/{role}"))
        if answer.get("Code", "Success") != "Success":
            raise ImdsError(f"instance metadata has no keys for role {role}: {answer.get('Code')}")
        return Credentials(answer["AccessKeyId"], answer["SecretAccessKey"], answer.get("Token"))
