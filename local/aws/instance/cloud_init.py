"""The part of cloud-init that SkyPilot's user data uses: users, write_files, bootcmd and runcmd.

Reads the cloud-config on stdin; runs as root at an instance's first boot.
"""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path
from typing import Any

import yaml


def write_private(path: Path, text: str, user: pwd.struct_passwd) -> None:
    path.write_text(text)
    path.chmod(0o600)
    os.chown(path, user.pw_uid, user.pw_gid)


def add_user(entry: dict[str, Any]) -> None:
    name = str(entry["name"])
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        shell = str(entry.get("shell", "/bin/bash"))
        subprocess.run(["useradd", "--create-home", "--shell", shell, name], check=True)
        user = pwd.getpwnam(name)
    ssh = Path(user.pw_dir, ".ssh")
    ssh.mkdir(mode=0o700, exist_ok=True)
    os.chown(ssh, user.pw_uid, user.pw_gid)
    keys = [str(key).strip() for key in entry.get("ssh_authorized_keys", [])]
    write_private(ssh / "authorized_keys", "".join(f"{key}\n" for key in keys), user)
    if entry.get("sudo"):
        rule = Path("/etc/sudoers.d", f"91-{name}")
        rule.write_text(f"{name} {entry['sudo']}\n")
        rule.chmod(0o440)


def write_file(entry: dict[str, Any]) -> None:
    path = Path(entry["path"])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(str(entry.get("content", "")))
    path.chmod(int(str(entry.get("permissions", "0644")), 8))


def run(command: str | list[str]) -> None:
    """As cloud-init does, a failing command is reported and the boot goes on."""
    result = subprocess.run(command, shell=isinstance(command, str), check=False)
    if result.returncode != 0:
        print(f"cloud_init: exit {result.returncode} of {command!r}", file=sys.stderr)


def apply(config: dict[str, Any]) -> None:
    for command in config.get("bootcmd", []):
        run(command)
    for file in config.get("write_files", []):
        write_file(file)
    for user in config.get("users", []):
        if isinstance(user, dict):  # the other form is the word `default`: the image's own user
            add_user(user)
    for command in config.get("runcmd", []):
        run(command)


if __name__ == "__main__":
    apply(yaml.safe_load(sys.stdin) or {})
