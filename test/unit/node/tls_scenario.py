"""Compute nodes with generated configurations before orchestrators with TLS, without, behind a proxy, and gone."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any, Dict, List, Optional, Tuple

folder = Path(sys.argv[1])
bacalhau = sys.argv[2]
scripts = Path(os.environ["PYTHONPATH"].split(":")[0])
TOKEN = "planted.Token-123"
environment = {"PATH": os.environ["PATH"], "HOME": str(folder), "AWS_EC2_METADATA_DISABLED": "true"}
started: List["subprocess.Popen[bytes]"] = []

KEY = "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"


def openssl(command: str) -> None:
    subprocess.run(["openssl", *shlex.split(command)], cwd=folder, check=True, stderr=subprocess.DEVNULL)


def make_authority(name: str) -> None:
    openssl(f"req -x509 {KEY} -keyout {name}.key -out {name}.crt -days 2 -subj /CN={name}")


def make_certificate() -> None:
    """server.crt and server.key, for 127.0.0.1, signed by the authority "ours"."""
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\n")
    openssl(f"req {KEY} -keyout server.key -out server.csr -subj /CN=orchestrator")
    sign = "x509 -req -in server.csr -out server.crt -days 2 -extfile names"
    openssl(f"{sign} -CA ours.crt -CAkey ours.key -CAcreateserial")


def serve(name: str, config: Dict[str, Any]) -> "subprocess.Popen[bytes]":
    path = folder / f"{name}.yaml"
    path.write_text(json.dumps({"DisableAnalytics": True, "UpdateConfig": {"Interval": "0s"}, **config}))
    return run_bacalhau(name, path)


def run_bacalhau(name: str, config: Path) -> "subprocess.Popen[bytes]":
    command = [bacalhau, "serve", "--config", str(config), "--name", name, "--data-dir", str(folder / f"data-{name}")]
    process = subprocess.Popen(
        command, env=environment, stdout=(folder / f"{name}.log").open("wb"), stderr=subprocess.STDOUT
    )
    started.append(process)
    return process


def orchestrator(name: str, api: int, port: int, **more: Any) -> "subprocess.Popen[bytes]":
    own = {"Enabled": True, "Host": "127.0.0.1", "Port": port, "Auth": {"Token": TOKEN}, **more}
    # Without addresses of its own, an orchestrator's own client goes to port 4222, whoever listens there.
    address = {"Orchestrators": [f"nats://127.0.0.1:{port}"]}
    process = serve(name, {"API": {"Host": "127.0.0.1", "Port": api}, "Orchestrator": own, "Compute": address})
    wait_for(lambda: nodes(api) is not None)
    return process


def nodes(api: int) -> Optional[Dict[str, str]]:
    """Connection of each compute node, as an orchestrator has it."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{api}/api/v1/orchestrator/nodes", timeout=5) as response:
            found = json.load(response)["Nodes"]
    except OSError:
        return None
    return {one["Info"]["NodeID"]: one["Connection"] for one in found if one["Info"]["NodeType"] == "Compute"}


def wait_for(condition: Any, seconds: float = 40) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if condition():
            return True
        time.sleep(0.2)
    return False


def terminate_tls(port: int, behind: int) -> None:
    """A proxy that speaks TLS from the first byte on and hands what is in it to the port `behind`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(str(folder / "server.crt"), str(folder / "server.key"))
    listener = socket.create_server(("127.0.0.1", port))

    def pump(source: socket.socket, sink: socket.socket) -> None:
        try:
            while True:
                data = source.recv(1 << 16)
                if not data:
                    break
                sink.sendall(data)
        except OSError:
            pass
        for one in (source, sink):
            one.close()

    def accept() -> None:
        while True:
            plain, _ = listener.accept()
            try:
                client = context.wrap_socket(plain, server_side=True)
            except OSError:
                continue
            server = socket.create_connection(("127.0.0.1", behind))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()


def configured(name: str, ports: List[int], tls: Dict[str, Any]) -> Tuple[Path, str]:
    """The configuration that the node's own script writes, and what it says where it does not."""
    settings = json.loads((folder / "node.json").read_text())
    settings["bacalhau"]["orchestrators"] = [f"nats://127.0.0.1:{port}" for port in ports]
    settings["bacalhau"]["tls"] = tls
    path, output = folder / f"{name}.json", folder / f"{name}.yaml"
    path.write_text(json.dumps(settings))
    done = subprocess.run(
        [sys.executable, "-B", str(scripts / "generate_bacalhau_config.py"), "--settings", str(path)]
        + ["--member", str(folder / "member.json"), "--identity", str(folder / "identity.json")]
        + ["--output", str(output), "--ca-output", str(folder / f"{name}-ca.crt")],
        stderr=subprocess.PIPE,
        check=False,
        text=True,
    )
    return output, done.stderr


def tls(ca: Optional[str] = None, required: bool = True, first: bool = False) -> Dict[str, Any]:
    text = None if ca is None else (folder / f"{ca}.crt").read_text()
    return {"required": required, "handshakeFirst": first, "caCert": text}


def joins(name: str, api: int, ports: List[int], settings: Dict[str, Any]) -> Any:
    """Whether a compute node so configured is connected to the orchestrator; else the error in its log."""
    config, problem = configured(name, ports, settings)
    if problem:
        return problem
    os.environ["BACALHAU_COMPUTE_AUTH_TOKEN"] = environment["BACALHAU_COMPUTE_AUTH_TOKEN"] = TOKEN
    process = run_bacalhau(name, config)

    def connected() -> bool:
        return (nodes(api) or {}).get(name) == "CONNECTED"

    def errors() -> List[str]:
        lines = (folder / f"{name}.log").read_text().splitlines()
        return [line for line in lines if "Connection attempt failed" in line]

    try:
        wait_for(lambda: connected() or errors())
        return connected() or "\n".join(errors())
    finally:
        process.kill()
        process.wait()


def switches() -> List[bool]:
    """With two orchestrators, a node that loses its own goes to the other one."""
    config, _ = configured("two", [4222, 4322], tls("ours"))
    run_bacalhau("two", config)
    apis = {4222: 21235, 4322: 21335}
    wait_for(lambda: any((nodes(api) or {}).get("two") == "CONNECTED" for api in apis.values()))
    own = next(port for port, api in apis.items() if (nodes(api) or {}).get("two") == "CONNECTED")
    other = next(port for port in apis if port != own)
    orchestrators[own].send_signal(signal.SIGKILL)
    orchestrators[own].wait()
    return [True, wait_for(lambda: (nodes(apis[other]) or {}).get("two") == "CONNECTED", 60)]


orchestrators: Dict[int, "subprocess.Popen[bytes]"] = {}


def main() -> Dict[str, Any]:
    outcome: Dict[str, Any] = {}
    make_authority("ours")
    make_authority("foreign")
    make_certificate()
    own_tls = {
        "ServerCert": str(folder / "server.crt"),
        "ServerKey": str(folder / "server.key"),
        "CACert": str(folder / "ours.crt"),
    }
    plain = orchestrator("plain", 21435, 4422, SupportReverseProxy=True)
    terminate_tls(4522, behind=4422)
    outcome["behindProxy"] = joins("proxied", 21435, [4522], tls("ours", first=True))
    outcome["foreignBehindProxy"] = joins("proxied-foreign", 21435, [4522], tls("foreign", first=True))
    outcome["plain"] = joins("plainly", 21435, [4422], tls(required=False))
    plain.kill()
    plain.wait()
    plain = orchestrator("bare", 21535, 4622)
    outcome["insistsOnTls"] = joins("insisting", 21535, [4622], tls())
    outcome["insistsOnTlsWithCa"] = joins("insisting-ca", 21535, [4622], tls("ours"))
    plain.kill()
    plain.wait()

    orchestrators[4222] = orchestrator("first", 21235, 4222, TLS=own_tls)
    outcome["ownTls"] = joins("own", 21235, [4222], tls("ours"))
    outcome["deadFirst"] = joins("dead-first", 21235, [4999, 4222], tls("ours"))
    outcome["foreign"] = joins("foreign-ca", 21235, [4222], tls("foreign"))
    outcome["unknown"] = joins("unknown-ca", 21235, [4222], tls())
    orchestrators[4322] = orchestrator("second", 21335, 4322, TLS=own_tls)
    outcome["switches"] = switches()
    return outcome


try:
    print(json.dumps(main()))
finally:
    for one in started:
        one.kill()
        one.wait()
