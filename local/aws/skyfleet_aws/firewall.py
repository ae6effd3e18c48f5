"""What security groups let in, and the packet filter that makes it so on a host.

The filter is one chain in the host's own network namespace, put there from outside. It hangs in PREROUTING of the
mangle table, before all that a container engine or the node's scripts set up: EC2 filters before a packet reaches the
machine, so ports that an engine publishes are held to the groups too. What the machine sends, replies to that, and its
loopback pass, as with EC2, where groups are stateful; connections that stand when a rule goes may go on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .settings import METADATA_ADDRESS

CHAIN = "SKYFLEET-GROUPS"
# The instances' network on a host, as podman names it.
INTERFACE = "eth0"
PORT_PROTOCOLS = ("tcp", "udp")


@dataclass(frozen=True, order=True)
class Inbound:
    """One permission. `protocol` is tcp, udp, icmp, a number, or None for all."""

    source: str
    protocol: str | None = None
    # First and last port; for icmp, type and code. None stands for all.
    ports: tuple[int, int] | None = None


def inbound(groups: Iterable[Any], members: Mapping[str, Sequence[str]]) -> list[Inbound]:
    """What moto's groups allow together. `members` are the addresses of the instances of each group, by its id.

    The network carries IPv4 only; prefix lists are not resolved, and so allow nothing.
    """
    allowed: set[Inbound] = set()
    for group in groups:
        for rule in group.ingress_rules:
            of_group = members.get(rule.source_group.get("GroupId"), ())
            sources = [rule.cidr_ipv4] if rule.cidr_ipv4 else of_group
            allowed.update(Inbound(source, *what(rule)) for source in sources)
    return sorted(allowed, key=lambda one: (one.source, one.protocol or "", one.ports or (-1, -1)))


def what(rule: Any) -> tuple[str | None, tuple[int, int] | None]:
    if rule.ip_protocol == "-1":
        return None, None
    first, last = rule.from_port, rule.to_port
    if rule.ip_protocol not in (*PORT_PROTOCOLS, "icmp") or first in (None, -1):
        return str(rule.ip_protocol), None
    return str(rule.ip_protocol), (int(first), int(last))


def match(one: Inbound) -> str:
    """As iptables says it."""
    words = ["-s", one.source]
    if one.protocol is not None:
        words += ["-p", one.protocol]
    if one.ports is not None:
        first, last = one.ports
        if one.protocol == "icmp":
            words += ["--icmp-type", str(first) if last == -1 else f"{first}/{last}"]
        else:
            words += ["--dport", f"{first}:{last}"]
    return " ".join(words)


def restore_input(allowed: Sequence[Inbound], hook: bool) -> str:
    """What `iptables-restore --noflush` makes the chain of, all at once. `hook`: the host does not have it yet."""
    return "\n".join(
        [
            "*mangle",
            f":{CHAIN} - [0:0]",
            *([f"-I PREROUTING 1 -i {INTERFACE} -j {CHAIN}"] if hook else []),
            # EC2's groups do not hold the metadata service. Besides, the host asks it while it gets this chain: a
            # connection that the kernel did not follow from its beginning would count as a new one, from the service.
            f"-A {CHAIN} -s {METADATA_ADDRESS}/32 -j RETURN",
            f"-A {CHAIN} -m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",
            *(f"-A {CHAIN} {match(one)} -j RETURN" for one in allowed),
            f"-A {CHAIN} -j DROP",
            "COMMIT",
            "",
        ]
    )
