"""Starts the emulated account and serves it until SIGTERM.

    python -m skyfleet_aws --state DIR --port 5000 --gateway 10.255.255.254 --image NAME --network NAME \
        --regions us-west-2,us-east-1 --termination-seconds 8 [--engine-seed DIR]

Runs as root inside the network namespace of the instances. `DIR/ready` appears when it serves.
"""

from __future__ import annotations

import argparse
import logging
import signal
import threading
from pathlib import Path
from types import FrameType

from .hosts import Bridge, Hosts
from .moto_settings import configure_moto
from .settings import METADATA_ADDRESS, Settings

log = logging.getLogger("skyfleet_aws")


def parse_settings() -> Settings:
    parser = argparse.ArgumentParser(prog="skyfleet_aws", description=__doc__, allow_abbrev=False)
    parser.add_argument(
        "--state", type=Path, required=True, help="folder for operator.json, requests.jsonl and ready"
    )
    parser.add_argument("--port", type=int, default=5000, help="port of the AWS endpoint, on all addresses")
    parser.add_argument(
        "--gateway", default="10.255.255.254", help="the instances' gateway, where they reach AWS"
    )
    parser.add_argument("--image", required=True, help="podman image of the instances")
    parser.add_argument(
        "--network", required=True, help="podman network of the instances; made where missing"
    )
    parser.add_argument(
        "--engine-seed", type=Path, help="folder that each instance's engine starts with a copy of"
    )
    parser.add_argument(
        "--regions", default="us-west-2,us-east-1,eu-west-1", help="enabled regions of the account"
    )
    parser.add_argument(
        "--termination-seconds", type=float, default=8, help="time that an instance takes to end"
    )
    given = parser.parse_args()
    return Settings(
        state=given.state.resolve(),
        port=given.port,
        gateway=given.gateway,
        image=given.image,
        network=given.network,
        engine_seed=given.engine_seed.resolve() if given.engine_seed else None,
        regions=tuple(given.regions.split(",")),
        termination_seconds=given.termination_seconds,
    )


def serve(settings: Settings) -> None:
    # After configure_moto, because it imports moto.
    from .assembly import assemble, serve_endpoint, serve_metadata

    ended = threading.Event()

    def end(signum: int, frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    ready = settings.state / "ready"
    ready.unlink(missing_ok=True)
    hosts = Hosts(settings.image, settings.network, str(settings.state), settings.engine_seed)
    left_over = hosts.left_over()
    if left_over:
        log.warning("removing what a killed launcher left: %s", " ".join(left_over))
        hosts.remove(left_over)
    bridge = Bridge(settings.network, settings.gateway)
    try:
        bridge.up()
        assembly = assemble(settings, hosts)
        endpoint = serve_endpoint(assembly, "0.0.0.0", settings.port)
        metadata = serve_metadata(assembly, METADATA_ADDRESS, 80)
        ready.touch()
        log.info("serving on port %d, operator key in %s", settings.port, settings.state / "operator.json")
        ended.wait()
        ready.unlink()
        endpoint.shutdown()
        metadata.shutdown()
        assembly.machines.close()
        assembly.requests.close()
    finally:
        bridge.down()
    log.info("ended")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    settings = parse_settings()
    settings.state.mkdir(parents=True, exist_ok=True)
    configure_moto(settings.state)
    serve(settings)


if __name__ == "__main__":
    main()
