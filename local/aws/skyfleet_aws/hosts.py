"""Real hosts for EC2 instances: one podman container each, on one bridge.

podman finds its storage by CONTAINERS_STORAGE_CONF and CONTAINERS_CONF, which the caller sets.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import resource
import subprocess
from dataclasses import dataclass
from pathlib import Path

from .settings import INSTANCE_NETWORK, METADATA_ADDRESS, PUBLIC_NETWORK

log = logging.getLogger(__name__)

INSTANCE_LABEL = "skyfleet.instance"
LAUNCHER_LABEL = "skyfleet.launcher"
# Where the boot entry of the instance image looks for what the instance's engine starts with.
ENGINE_SEED_IN_INSTANCE = "/var/lib/skyfleet-instance/engine"
# podman lowers its own limit of processes to this before it starts a container (`setrlimit` of podman 4.3), so that
# runc can give no more. A podman that leaves the limit alone does not need the bound.
PODMAN_NPROC = 32 * 1024


class CommandFailed(Exception):
    """A command of podman or ip ended with an error."""


def run(*command: str, check: bool = True, stdin: str | None = None) -> str:
    result = subprocess.run(command, capture_output=True, text=True, check=False, input=stdin)
    if check and result.returncode != 0:
        raise CommandFailed(f"{' '.join(command)}: exit {result.returncode}: {result.stderr.strip()}")
    return result.stdout


def same(limit: int, name: str) -> str:
    """This process's own hard limit, as podman's --ulimit takes it."""
    _, hard = resource.getrlimit(limit)
    if hard == resource.RLIM_INFINITY:
        return f"{name}=-1:-1"
    if limit == resource.RLIMIT_NPROC:
        hard = min(hard, PODMAN_NPROC)
    return f"{name}={hard}:{hard}"


@dataclass(frozen=True)
class Host:
    instance_id: str
    private_ip: str

    @property
    def hostname(self) -> str:
        return "ip-" + self.private_ip.replace(".", "-")


# Locally administered; each rig has a network of its own.
BRIDGE_ADDRESS = "02:00:00:00:00:01"


class Bridge:
    """The podman network of the instances, with the addresses that its gateway end answers on."""

    def __init__(self, network: str, gateway: str):
        self.network = network
        self.gateway = gateway
        self.interface = ""

    @property
    def _anchor(self) -> str:
        return f"{self.interface}-on"

    def up(self) -> None:
        if subprocess.run(["podman", "network", "exists", self.network], check=False).returncode != 0:
            run(
                "podman", "network", "create", "--driver", "bridge", "--disable-dns",
                "--subnet", str(INSTANCE_NETWORK), "--gateway", self.gateway, self.network,
            )  # fmt: skip
        [described] = json.loads(run("podman", "network", "inspect", self.network))
        self.interface = str(described["network_interface"])
        present = {link["ifname"] for link in json.loads(run("ip", "-json", "link", "show"))}
        if self.interface not in present:
            run("ip", "link", "add", self.interface, "type", "bridge")
        if self._anchor not in present:
            # netavark removes the bridge, and the addresses on it, with its last port: this port never leaves.
            run("ip", "link", "add", self._anchor, "type", "veth", "peer", "name", f"{self.interface}-end")
            run("ip", "link", "set", f"{self.interface}-end", "up")
            run("ip", "link", "set", self._anchor, "master", self.interface, "up")
        # Of its own, or it would be the lowest of its ports' and change as instances come and go. The instances would
        # answer to the old one until they ask for it anew: what comes from a public address hangs for up to a minute.
        run("ip", "link", "set", self.interface, "address", BRIDGE_ADDRESS, "up")
        own_public = f"{PUBLIC_NETWORK[1]}/{PUBLIC_NETWORK.prefixlen}"
        for address in (f"{self.gateway}/{INSTANCE_NETWORK.prefixlen}", own_public, f"{METADATA_ADDRESS}/32"):
            run("ip", "address", "replace", address, "dev", self.interface)

    def down(self) -> None:
        for interface in (self._anchor, self.interface):
            run("ip", "link", "delete", interface, check=False)
        run("podman", "network", "rm", "--force", self.network, check=False)


class Hosts:
    def __init__(self, image: str, network: str, launcher: str, engine_seed: Path | None = None):
        self.image = image
        self.network = network
        self.launcher = launcher
        self.engine_seed = engine_seed
        # Network namespaces, by instance id: by their paths and not by a process id, which another process can get.
        self._namespaces: dict[str, str] = {}

    def create(self, host: Host) -> None:
        seed = ["--volume", f"{self.engine_seed}:{ENGINE_SEED_IN_INSTANCE}:ro"] if self.engine_seed else []
        run(
            "podman", "run", "--detach", "--name", host.instance_id, "--hostname", host.hostname,
            "--label", f"{INSTANCE_LABEL}={host.instance_id}", "--label", f"{LAUNCHER_LABEL}={self.launcher}",
            "--privileged", "--network", self.network, "--ip", host.private_ip,
            # Nothing listens there: a look-up of a public name fails at once instead of waiting for a resolver.
            "--dns", "127.0.0.1",
            # The instance's dockerd cannot put overlays on the container's own overlay.
            "--volume", "/var/lib/docker",
            # Root without CAP_SYS_RESOURCE can give no more than it has itself, and an engine and Ray need many.
            "--ulimit", same(resource.RLIMIT_NOFILE, "nofile"), "--ulimit", same(resource.RLIMIT_NPROC, "nproc"),
            # Ray puts its object store into shared memory.
            "--shm-size", "1g", "--tmpfs", "/run:exec,mode=0755", "--log-driver", "k8s-file",
            *seed, self.image,
        )  # fmt: skip
        self._find_namespace(host.instance_id)

    def start(self, instance_id: str) -> None:
        run("podman", "start", instance_id)
        self._find_namespace(instance_id)

    def _find_namespace(self, instance_id: str) -> None:
        path = run("podman", "inspect", "--format", "{{.NetworkSettings.SandboxKey}}", instance_id).strip()
        self._namespaces[instance_id] = path

    def admit(self, instance_id: str, restore_input: str) -> None:
        """Changes the packet filter of a host that runs."""
        run(
            "nsenter", f"--net={self._namespaces[instance_id]}", "--",
            "iptables-restore", "--noflush", "--wait", "10", stdin=restore_input,
        )  # fmt: skip

    def stop(self, instance_id: str) -> None:
        run("podman", "stop", "--time", "5", instance_id)

    def remove(self, instance_ids: list[str]) -> None:
        if instance_ids:
            run("podman", "rm", "--force", "--ignore", "--time", "0", "--volumes", *instance_ids)

    def left_over(self) -> list[str]:
        """Containers of a launcher with the same state folder, running or not."""
        return run(
            "podman", "ps", "--all", "--filter", f"label={LAUNCHER_LABEL}={self.launcher}",
            "--format", "{{.Names}}",
        ).split()  # fmt: skip


def can_carry(address: str) -> bool:
    return ipaddress.IPv4Address(address) in INSTANCE_NETWORK
