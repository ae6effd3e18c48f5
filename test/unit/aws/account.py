"""One emulated account for all tests of a process, on loopback; its hosts only remember what was asked of them."""

from __future__ import annotations

import json
import logging
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "local" / "aws"))

from skyfleet_aws.hosts import Host
from skyfleet_aws.moto_settings import configure_moto
from skyfleet_aws.settings import IMAGE_ID, Settings

FOLDER = tempfile.TemporaryDirectory(prefix="skyfleet-aws-")  # goes with the process
STATE = Path(FOLDER.name)
configure_moto(STATE)

import boto3  # noqa: E402 (moto and botocore read the environment that configure_moto sets)
import botocore.config  # noqa: E402
from skyfleet_aws.assembly import assemble, serve_endpoint, serve_metadata  # noqa: E402

REGION = "us-west-2"
# Each request would be a line of the test's output.
logging.getLogger("werkzeug").setLevel(logging.ERROR)


class RememberedHosts:
    def __init__(self) -> None:
        self.present: set[str] = set()
        self.calls: list[tuple[str, str]] = []
        # What each host's packet filter was last made of.
        self.admitted: dict[str, str] = {}
        self.failure: str | None = None
        # Cleared, it keeps hosts from coming up.
        self.may_boot = threading.Event()
        self.may_boot.set()

    def create(self, host: Host) -> None:
        self.may_boot.wait()
        self.calls.append(("create", host.instance_id))
        if self.failure:
            raise RuntimeError(self.failure)
        self.present.add(host.instance_id)

    def start(self, instance_id: str) -> None:
        self.calls.append(("start", instance_id))

    def stop(self, instance_id: str) -> None:
        self.calls.append(("stop", instance_id))

    def admit(self, instance_id: str, restore_input: str) -> None:
        self.admitted[instance_id] = restore_input

    def remove(self, instance_ids: list[str]) -> None:
        self.calls.extend(("remove", instance_id) for instance_id in instance_ids)
        self.present.difference_update(instance_ids)


HOSTS = RememberedHosts()
ASSEMBLY = assemble(
    Settings(
        state=STATE,
        port=0,
        gateway="10.255.255.254",
        image="image",
        network="network",
        engine_seed=None,
        regions=(REGION, "us-east-1", "eu-west-1"),
        termination_seconds=0.3,
    ),
    HOSTS,
)
ENDPOINT = f"http://127.0.0.1:{serve_endpoint(ASSEMBLY, '127.0.0.1', 0).server_port}"
METADATA = serve_metadata(ASSEMBLY, "127.0.0.1", 0)
OPERATOR = json.loads((STATE / "operator.json").read_text())


def client(service: str, region: str = REGION, keys: dict[str, str] | None = None) -> Any:
    """A client of the operator, or of the keys that the metadata service gave out."""
    signed = keys or {"AccessKeyId": OPERATOR["accessKeyId"], "SecretAccessKey": OPERATOR["secretAccessKey"]}
    return boto3.client(
        service,
        region_name=region,
        endpoint_url=ENDPOINT,
        aws_access_key_id=signed["AccessKeyId"],
        aws_secret_access_key=signed["SecretAccessKey"],
        aws_session_token=signed.get("Token"),
        config=botocore.config.Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def control(method: str, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{ENDPOINT}/_emu/{path}", method=method, data=data)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def eventually(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError("not true within 60 s")
        time.sleep(0.02)


def requests_logged() -> list[dict[str, Any]]:
    return [json.loads(line) for line in (STATE / "requests.jsonl").read_text().splitlines()]


class Network:
    """A VPC with a public subnet and a group that admits itself."""

    def __init__(self, cidr: str = "10.42.0.0/16", region: str = REGION):
        self.ec2 = client("ec2", region)
        self.vpc = self.ec2.create_vpc(CidrBlock=cidr)["Vpc"]["VpcId"]
        subnet = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=cidr.replace(".0.0/16", ".1.0/24"), AvailabilityZone=f"{region}a"
        )
        self.subnet = subnet["Subnet"]["SubnetId"]
        self.gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=self.gateway, VpcId=self.vpc)
        group = self.ec2.create_security_group(GroupName="nodes", Description="nodes", VpcId=self.vpc)
        self.group = group["GroupId"]
        within = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": self.group}]}
        self.ec2.authorize_security_group_ingress(GroupId=self.group, IpPermissions=[within])

    def run(
        self, count: int = 1, spot: bool = True, instance_type: str = "t3.medium", **more: Any
    ) -> list[str]:
        """Asks for machines as SkyPilot does, and gives back their ids."""
        if spot:
            more["InstanceMarketOptions"] = {"MarketType": "spot"}
        reservation = self.ec2.run_instances(
            ImageId=IMAGE_ID,
            MinCount=count,
            MaxCount=count,
            InstanceType=instance_type,
            MetadataOptions={"HttpTokens": "required"},
            BlockDeviceMappings=[
                {"DeviceName": "/dev/sda1", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3", "Encrypted": True}}
            ],
            NetworkInterfaces=[
                {
                    "DeviceIndex": 0,
                    "SubnetId": self.subnet,
                    "AssociatePublicIpAddress": True,
                    "Groups": [self.group],
                }
            ],
            **more,
        )
        return [instance["InstanceId"] for instance in reservation["Instances"]]

    def instance(self, instance_id: str) -> dict[str, Any]:
        [reservation] = self.ec2.describe_instances(InstanceIds=[instance_id])["Reservations"]
        [instance] = reservation["Instances"]
        return dict(instance)

    def state(self, instance_id: str) -> str:
        return str(self.instance(instance_id)["State"]["Name"])

    def wait_for(self, instance_id: str, state: str) -> None:
        eventually(lambda: self.state(instance_id) == state)


def make_profile(name: str, statements: list[dict[str, Any]], trusted: str = "ec2.amazonaws.com") -> None:
    iam = client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": trusted}, "Action": "sts:AssumeRole"}
    policy = {"Version": "2012-10-17", "Statement": statements}
    iam.create_role(
        RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )
    iam.put_role_policy(RoleName=name, PolicyName="node", PolicyDocument=json.dumps(policy))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
