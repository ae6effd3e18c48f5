"""Temporary credentials of an instance's role, issued by moto's STS and therefore held to the role's policies."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends
from moto.sts.models import sts_backends

from .machines import Instance
from .settings import ACCOUNT_ID

LIFETIME = datetime.timedelta(hours=6)
# New ones are offered well before the old ones end, as EC2 does, so that a client never holds expired ones.
RENEWAL_MARGIN = datetime.timedelta(minutes=15)


@dataclass(frozen=True)
class Credentials:
    access_key_id: str
    secret_access_key: str
    session_token: str
    issued: datetime.datetime
    expiration: datetime.datetime


def trusts_ec2(assume_role_policy: str) -> bool:
    statements = json.loads(assume_role_policy)["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        services = statement.get("Principal", {}).get("Service", [])
        if "ec2.amazonaws.com" in ([services] if isinstance(services, str) else services):
            return bool(statement["Effect"] == "Allow")
    return False


class InstanceRoles:
    """`issued` is told of each new set: (access key id, instance id, role name)."""

    def __init__(self, issued: Callable[[str, str, str], None]):
        self._issued = issued
        self._current: dict[tuple[str, str], Credentials] = {}

    def profile(self, instance: Instance) -> Any | None:
        association = instance.iam_instance_profile
        if not association:
            return None
        for profile in iam_backends[ACCOUNT_ID]["aws"].get_instance_profiles():
            if profile.arn == association["Arn"]:
                return profile
        return None

    def role(self, instance: Instance) -> Any | None:
        profile = self.profile(instance)
        return profile.roles[0] if profile and profile.roles else None

    def credentials(self, instance: Instance) -> Credentials | None:
        role = self.role(instance)
        if role is None or not trusts_ec2(role.assume_role_policy_document):
            return None
        now = datetime.datetime.now(datetime.UTC)
        current = self._current.get((instance.id, role.arn))
        if current is None or current.expiration - now < RENEWAL_MARGIN:
            session = sts_backends[ACCOUNT_ID]["aws"].assume_role(
                region_name=instance.region_name,
                role_session_name=instance.id,
                role_arn=role.arn,
                policy="",
                duration=int(LIFETIME.total_seconds()),
                external_id="",
            )
            current = Credentials(
                session.access_key_id, session.secret_access_key, session.session_token, now, now + LIFETIME
            )
            self._current[(instance.id, role.arn)] = current
            self._issued(session.access_key_id, instance.id, role.name)
        return current
