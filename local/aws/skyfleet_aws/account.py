"""The account as it stands before the first request: an administrator, who can make everything else."""

from __future__ import annotations

import json
import os
from pathlib import Path

from moto.iam.models import iam_backends

from .settings import ACCOUNT_ID

OPERATOR = "operator"
ADMINISTRATOR_POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}


def make_operator(path: Path) -> None:
    """Writes the administrator's key to `path`, readable by its owner only."""
    iam = iam_backends[ACCOUNT_ID]["aws"]
    iam.create_user("us-east-1", OPERATOR)
    iam.put_user_policy(OPERATOR, "administrator", json.dumps(ADMINISTRATOR_POLICY))
    key = iam.create_access_key(OPERATOR)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump({"accessKeyId": key.access_key_id, "secretAccessKey": key.secret_access_key}, file)
