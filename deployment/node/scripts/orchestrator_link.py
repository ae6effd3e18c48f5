"""Whether the compute node is in touch with an orchestrator, told from its own connections.

Bacalhau 1.9 has no interface that says so: /api/v1/agent/alive answers OK without any orchestrator. What cannot lie
is the kernel: a compute node sends a heartbeat over its NATS connection every few seconds and the orchestrator
answers each, so a connection that is established, belongs to the compute node's process, leads to an orchestrator's
port and received something within the last heartbeats is a living link. The kernel tells all of that over netlink
(sock_diag(7), the source of what `ss -ti` shows).
"""

from __future__ import annotations

import os
import re
import socket
import struct
from typing import Iterator, List, NamedTuple, Optional, Sequence, Set, Tuple

NETLINK_SOCK_DIAG = 4
SOCK_DIAG_BY_FAMILY = 20
NLM_F_REQUEST, NLM_F_DUMP = 0x1, 0x300
NLMSG_ERROR, NLMSG_DONE = 2, 3
INET_DIAG_INFO = 2
TCP_ESTABLISHED = 1
# struct inet_diag_msg: 4 bytes of states, 48 of struct inet_diag_sockid, then expires, rqueue, wqueue, uid, inode.
INET_DIAG_MSG_BYTES = 72
# struct tcp_info: 8 single bytes, then 32-bit fields, of which the 12th is tcpi_last_data_recv in milliseconds.
LAST_DATA_RECV_OFFSET = 8 + 11 * 4


class Connection(NamedTuple):
    inode: int
    peer: str
    port: int
    idle_seconds: float


def _dump(family: int) -> bytes:
    request = struct.pack("=BBBxI48x", family, socket.IPPROTO_TCP, 1 << (INET_DIAG_INFO - 1), 1 << TCP_ESTABLISHED)
    header = struct.pack("=IHHII", 16 + len(request), SOCK_DIAG_BY_FAMILY, NLM_F_REQUEST | NLM_F_DUMP, 1, 0)
    answer = b""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_SOCK_DIAG) as netlink:
        netlink.settimeout(5)
        netlink.sendto(header + request, (0, 0))
        while True:
            part = netlink.recv(1 << 18)
            answer += part
            if any(kind in (NLMSG_DONE, NLMSG_ERROR) for kind, _ in _messages(part)):
                return answer


def _messages(data: bytes) -> Iterator[Tuple[int, bytes]]:
    while len(data) >= 16:
        length, kind = struct.unpack_from("=IH", data)
        yield kind, data[16:length]
        data = data[(length + 3) & ~3 :]


def established() -> List[Connection]:
    """Every established TCP connection of this network namespace."""
    found: List[Connection] = []
    for family in (socket.AF_INET, socket.AF_INET6):
        for kind, body in _messages(_dump(family)):
            if kind == NLMSG_ERROR:
                code = -struct.unpack_from("=i", body)[0]
                raise OSError(code, f"kernel refuses to list connections: {os.strerror(code)}")
            if kind == SOCK_DIAG_BY_FAMILY:
                found.append(_connection(body))
    return found


def _connection(body: bytes) -> Connection:
    port = struct.unpack_from("!H", body, 6)[0]
    address = body[24 : 24 + (4 if body[0] == socket.AF_INET else 16)]
    inode = struct.unpack_from("=I", body, 68)[0]
    idle = float("inf")
    attributes = body[INET_DIAG_MSG_BYTES:]
    while len(attributes) >= 4:
        length, kind = struct.unpack_from("=HH", attributes)
        if kind == INET_DIAG_INFO and length >= 4 + LAST_DATA_RECV_OFFSET + 4:
            idle = struct.unpack_from("=I", attributes, 4 + LAST_DATA_RECV_OFFSET)[0] / 1000
        attributes = attributes[max(4, (length + 3) & ~3) :]
    return Connection(inode, socket.inet_ntop(body[0], address), port, idle)


def _sockets_of(pid: int) -> Set[int]:
    found = set()
    for name in os.listdir(f"/proc/{pid}/fd"):
        try:
            match = re.fullmatch(r"socket:\[(\d+)\]", os.readlink(f"/proc/{pid}/fd/{name}"))
        except FileNotFoundError:
            continue  # closed since it was listed
        if match:
            found.add(int(match.group(1)))
    return found


def link(pid: int, ports: Sequence[int]) -> Optional[Connection]:
    """The most recently active connection of process `pid` to one of `ports`, if it has any."""
    own = _sockets_of(pid)
    candidates = [one for one in established() if one.inode in own and one.port in ports]
    return min(candidates, key=lambda one: one.idle_seconds) if candidates else None
