#!/usr/bin/env python3
"""Claims which member of its place this node is, and writes member.json.

SkyPilot's rank is no identity: it follows the external addresses and can change when another node is replaced. So
the nodes of a cluster agree by objects in the bucket, `<prefix>claims/<place>/<member>.json`, written only with
S3's conditional writes: two nodes can never hold one claim.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import atomic_file
import imds
import node_settings
import s3

# Each lost race shows the claim of the winner, so with n nodes n rounds are enough.
ROUNDS_PER_MEMBER = 4
PAUSE_SECONDS = 0.5


class ClaimError(RuntimeError):
    """No member could be claimed."""


class Claim(NamedTuple):
    instance_id: str
    private_ip: str
    incarnation: str


class Standing(NamedTuple):
    """What stands in the bucket for one member: nothing, or a claim with its version."""

    claim: Optional[Claim]
    etag: str


def is_stale(claim: Claim, own: Claim, cluster_ips: Sequence[str]) -> bool:
    """Whether the holder of a claim is gone: of another incarnation (which stands down before this one claims), or not
    in our cluster."""
    return claim.incarnation != own.incarnation or claim.private_ip not in cluster_ips


def choose(standings: Sequence[Standing], own: Claim, cluster_ips: Sequence[str]) -> Optional[int]:
    """The member that is already ours, else the one whose lost holder had our address, else the first free one, else
    the first with a stale claim, else None."""
    members = range(len(standings))
    for wanted in (
        lambda claim: claim is not None and claim.instance_id == own.instance_id,
        # To every other node it looks held, by us: left alone, it would be lost to the node that needs it.
        lambda claim: claim is not None
        and claim.incarnation == own.incarnation
        and claim.private_ip == own.private_ip,
        lambda claim: claim is None,
        lambda claim: claim is not None and is_stale(claim, own, cluster_ips),
    ):
        for member in members:
            if wanted(standings[member].claim):
                return member
    return None


def _parse(body: bytes) -> Claim:
    try:
        value = json.loads(body)
        return Claim(str(value["instanceId"]), str(value["privateIp"]), str(value["incarnation"]))
    except (ValueError, KeyError, TypeError):
        # Nobody holds what nobody can read: it counts as stale, being of no incarnation.
        return Claim("", "", "")


class Claims:
    """The claims on one place's members, as they stand in the bucket."""

    def __init__(self, bucket: s3.Bucket, prefix: str, place: str, count: int) -> None:
        self._bucket = bucket
        self._keys = [f"{prefix}claims/{place}/{member}.json" for member in range(count)]

    def read(self) -> List[Standing]:
        return [self._standing(key) for key in self._keys]

    def _standing(self, key: str) -> Standing:
        try:
            found = self._bucket.get(key)
        except s3.S3Error as error:
            # S3 calls a missing object forbidden where the role may not list the whole bucket. If it does exist and
            # really is forbidden, the conditional write that follows says so.
            if error.status != 403:
                raise
            found = None
        return Standing(_parse(found.body), found.etag) if found else Standing(None, "")

    def write(self, member: int, own: Claim, over: Standing) -> None:
        body = {"instanceId": own.instance_id, "privateIp": own.private_ip, "incarnation": own.incarnation}
        text = json.dumps(body, indent=2) + "\n"
        if over.claim is None:
            self._bucket.put(self._keys[member], text.encode("utf-8"), only_new=True)
        else:
            self._bucket.put(self._keys[member], text.encode("utf-8"), if_match=over.etag)


def claim(claims: Claims, own: Claim, cluster_ips: Sequence[str], count: int) -> int:
    """Claims a member and returns its number; writes nothing where the claim already stands as it should."""
    for _ in range(ROUNDS_PER_MEMBER * count):
        standings = claims.read()
        member = choose(standings, own, cluster_ips)
        if member is None:
            raise ClaimError(all_held([s.claim for s in standings if s.claim], cluster_ips))
        if standings[member].claim == own:
            return member
        try:
            claims.write(member, own, standings[member])
        except s3.PreconditionFailed:
            time.sleep(PAUSE_SECONDS)
            continue
        return member
    raise ClaimError(f"lost the race for a member {ROUNDS_PER_MEMBER * count} times; run the node's run part again")


def all_held(claims: Sequence[Claim], cluster_ips: Sequence[str]) -> str:
    """Why there is no member to be had."""
    holders = ", ".join(f"{claim.instance_id} at {claim.private_ip}" for claim in claims)
    return (
        f"all {len(claims)} member(s) are held by nodes that are in the cluster: {holders}. "
        f"SKYPILOT_NODE_IPS is {' '.join(cluster_ips)}"
    )


def node_name(incarnation: str, member: int) -> str:
    """The first member has the incarnation's own name, so that it keeps it when its place gets more nodes."""
    return incarnation if member == 0 else f"{incarnation}-{member}"


def member_document(
    settings: Dict[str, Any], instance: imds.Instance, life_cycle: str, incarnation: str, member: int
) -> Dict[str, Any]:
    return {
        "instanceId": instance.instance_id,
        "zone": instance.zone,
        "region": instance.region,
        "privateIp": instance.private_ip,
        "publicIp": instance.public_ip,
        # spot or on-demand: what is needed for the taking back of spot instances is on those only.
        "lifeCycle": life_cycle,
        "incarnation": incarnation,
        "member": member,
        "nodeName": node_name(incarnation, member),
        "ordinal": settings["nodes"]["firstOrdinal"] + member,
    }


def _environment() -> Tuple[str, List[str]]:
    incarnation = os.environ.get("SKYFLEET_INCARNATION", "")
    if not incarnation:
        raise ClaimError("SKYFLEET_INCARNATION is not set: the SkyPilot task passes the cluster's name in it")
    cluster_ips = os.environ.get("SKYPILOT_NODE_IPS", "").split()
    if not cluster_ips:
        raise ClaimError("SKYPILOT_NODE_IPS is not set: SkyPilot sets it in the run part of a task")
    return incarnation, cluster_ips


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--settings", type=Path, required=True, help="node.json")
    parser.add_argument("--output", type=Path, required=True, help="where to write member.json")
    options = parser.parse_args(arguments)
    try:
        settings = node_settings.load(options.settings)
        incarnation, cluster_ips = _environment()
        session = imds.Session()
        instance = session.instance()
        life_cycle = session.need("meta-data/instance-life-cycle")
        if instance.private_ip not in cluster_ips:
            known = " ".join(cluster_ips)
            raise ClaimError(f"own address {instance.private_ip} is not in SKYPILOT_NODE_IPS: {known}")
        where = settings["bucket"]
        bucket = s3.Bucket.of_node(where, session.credentials)
        count = settings["nodes"]["count"]
        own = Claim(instance.instance_id, instance.private_ip, incarnation)
        member = claim(Claims(bucket, where["prefix"], settings["place"], count), own, cluster_ips, count)
    except (ValueError, ClaimError, imds.ImdsError, s3.S3Error) as error:
        print(f"claim_member: {error}", file=sys.stderr)
        return 1
    document = member_document(settings, instance, life_cycle, incarnation, member)
    atomic_file.write(options.output, json.dumps(document, indent=2) + "\n")
    print(f"member {member} of {settings['place']}, ordinal {document['ordinal']}, is {document['nodeName']}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
