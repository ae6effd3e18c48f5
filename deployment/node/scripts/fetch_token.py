#!/usr/bin/env python3
"""Prints the orchestrator's token, which stands in the bucket and is read with the node's role.

It does not come with SkyPilot's task: SkyPilot passes a task's secrets on in argument lists, on the server and on the
node, and keeps them in files that every user of the node may read.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Sequence

import imds
import node_settings
import s3


class TokenError(RuntimeError):
    """There is no token to be had."""


def fetch(bucket: s3.Bucket, key: str) -> str:
    found = bucket.get(key)
    if found is None:
        raise TokenError(f"s3://{bucket.name}/{key} does not exist: the stack writes the orchestrator's token there")
    return found.body.decode("utf-8")


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="node.json")
    options = parser.parse_args(arguments)
    try:
        settings = node_settings.load(options.settings)
        bucket = s3.Bucket.of_node(settings["bucket"], imds.Session().credentials)
        sys.stdout.write(fetch(bucket, settings["bacalhau"]["tokenKey"]))
    except (ValueError, TokenError, imds.ImdsError, s3.S3Error) as error:
        print(f"fetch_token: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
