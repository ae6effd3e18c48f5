from __future__ import annotations

import datetime
import json
import threading
import unittest
import urllib.error
import urllib.request
from typing import Any

from account import (
    ASSEMBLY,
    ENDPOINT,
    HOSTS,
    METADATA,
    Network,
    client,
    control,
    make_profile,
    requests_logged,
)
from botocore.exceptions import ClientError

BUCKET = "skyfleet-data"
PREFIX_POLICY = [
    {
        "Effect": "Allow",
        "Action": ["s3:GetObject", "s3:PutObject"],
        "Resource": f"arn:aws:s3:::{BUCKET}/fleets/local/*",
    },
    {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": f"arn:aws:s3:::{BUCKET}",
        "Condition": {"StringLike": {"s3:prefix": "fleets/local/*"}},
    },
]
TLS_ONLY = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": [f"arn:aws:s3:::{BUCKET}", f"arn:aws:s3:::{BUCKET}/*"],
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}


SPOT_EVENTS = ("spot/instance-action", "spot/termination-time", "events/recommendations/rebalance")


def seconds_until(stamp: str) -> float:
    moment = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=datetime.UTC)
    return (moment - datetime.datetime.now(datetime.UTC)).total_seconds()


class SeenFrom:
    """The machines, for a metadata service that takes every caller for one instance."""

    def __init__(self, instance_id: str):
        self.api = ASSEMBLY.machines.api
        self.instance_id = instance_id

    def at(self, private_ip: str) -> Any:
        return ASSEMBLY.machines.get(self.instance_id)


class Metadata:
    """The metadata service as one instance sees it."""

    def __init__(self, instance_id: str):
        METADATA.metadata.machines = SeenFrom(instance_id)
        self.base = f"http://127.0.0.1:{METADATA.server_port}/latest/"

    def request(self, method: str, path: str, **headers: str) -> tuple[int, str]:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        request = urllib.request.Request(self.base + path, method=method, headers=named)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    def token(self) -> str:
        status, token = self.request("PUT", "api/token", X_aws_ec2_metadata_token_ttl_seconds="60")
        assert status == 200
        return token

    def get(self, path: str, token: str | None = None) -> tuple[int, str]:
        return self.request("GET", path, X_aws_ec2_metadata_token=token or self.token())

    def credentials(self, role: str) -> dict[str, str]:
        _, text = self.get(f"meta-data/iam/security-credentials/{role}")
        return dict(json.loads(text))


class Access(unittest.TestCase):
    network: Network
    metadata: Metadata
    instance: str

    @classmethod
    def setUpClass(cls) -> None:
        s3 = client("s3")
        s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "us-west-2"})
        s3.put_bucket_policy(Bucket=BUCKET, Policy=json.dumps(TLS_ONLY))
        make_profile("node", PREFIX_POLICY)
        make_profile("not-for-ec2", PREFIX_POLICY, trusted="lambda.amazonaws.com")
        cls.network = Network("10.60.0.0/16")
        [cls.instance] = cls.network.run(IamInstanceProfile={"Name": "node"}, UserData="#cloud-config\n{}\n")
        cls.metadata = Metadata(cls.instance)

    def node(self, service: str = "s3") -> Any:
        return client(service, keys=self.metadata.credentials("node"))

    def refused(self, code: str, call: Any, **arguments: Any) -> None:
        with self.assertRaises(ClientError) as raised:
            call(**arguments)
        self.assertEqual(raised.exception.response["Error"]["Code"], code)

    def test_metadata_asks_for_a_token(self) -> None:
        self.assertEqual(self.metadata.request("GET", "meta-data/instance-id")[0], 401)
        self.assertEqual(self.metadata.get("meta-data/instance-id", "made-up")[0], 401)
        self.assertEqual(self.metadata.request("PUT", "api/token")[0], 400)
        long = {"X_aws_ec2_metadata_token_ttl_seconds": "21601"}
        self.assertEqual(self.metadata.request("PUT", "api/token", **long)[0], 400)
        forwarded = {"X_aws_ec2_metadata_token_ttl_seconds": "60", "X_Forwarded_For": "10.0.0.1"}
        self.assertEqual(self.metadata.request("PUT", "api/token", **forwarded)[0], 403)

    def test_a_host_gets_no_token_before_its_groups_are_enforced(self) -> None:
        HOSTS.may_boot.clear()
        [instance] = self.network.run()
        tokens: list[str] = []
        try:
            asking = threading.Thread(target=lambda: tokens.append(Metadata(instance).token()))
            asking.start()
            asking.join(0.5)
            self.assertEqual((tokens, instance in HOSTS.admitted), ([], False))
            HOSTS.may_boot.set()
            asking.join(60)
            self.assertEqual((len(tokens), instance in HOSTS.admitted), (1, True))
        finally:
            HOSTS.may_boot.set()
            Metadata(self.instance)

    def test_a_token_is_good_for_one_instance_only(self) -> None:
        token = self.metadata.token()
        [other] = self.network.run()
        try:
            self.assertEqual(Metadata(other).get("meta-data/instance-id", token)[0], 401)
        finally:
            Metadata(self.instance)

    def test_metadata_tells_the_instance_who_it_is(self) -> None:
        described = self.network.instance(self.instance)
        expected = {
            "meta-data/instance-id": self.instance,
            "meta-data/local-ipv4": described["PrivateIpAddress"],
            "meta-data/public-ipv4": described["PublicIpAddress"],
            "meta-data/placement/availability-zone": "us-west-2a",
            "meta-data/placement/region": "us-west-2",
            "meta-data/instance-type": "t3.medium",
            "meta-data/iam/security-credentials/": "node",
            "user-data": "#cloud-config\n{}\n",
        }
        told = {path: self.metadata.get(path) for path in expected}
        self.assertEqual(told, {path: (200, text) for path, text in expected.items()})
        document = json.loads(self.metadata.get("dynamic/instance-identity/document")[1])
        self.assertEqual(document["instanceId"], self.instance)
        self.assertEqual(document["privateIp"], described["PrivateIpAddress"])
        info = json.loads(self.metadata.get("meta-data/iam/info")[1])
        self.assertEqual(info["InstanceProfileArn"], described["IamInstanceProfile"]["Arn"])

    def test_two_regions_stand_side_by_side(self) -> None:
        ireland = Network("10.61.0.0/16", "eu-west-1")
        [there] = ireland.run(IamInstanceProfile={"Name": "node"})
        ireland.wait_for(there, "running")
        self.refused("InvalidInstanceID.NotFound", self.network.instance, instance_id=there)
        try:
            metadata = Metadata(there)
            described = ireland.instance(there)
            expected = {
                "placement/region": "eu-west-1",
                "placement/availability-zone": "eu-west-1a",
                "local-ipv4": described["PrivateIpAddress"],
                "iam/security-credentials/": "node",
            }
            for path, text in expected.items():
                self.assertEqual(metadata.get(f"meta-data/{path}"), (200, text))
            document = json.loads(metadata.get("dynamic/instance-identity/document")[1])
            self.assertEqual(document["region"], "eu-west-1")
            node = client("s3", "eu-west-1", metadata.credentials("node"))
            node.put_object(Bucket=BUCKET, Key="fleets/local/from-ireland", Body=b"1")
        finally:
            Metadata(self.instance)

    def test_a_role_is_held_to_its_boundary(self) -> None:
        iam = client("iam")
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}],
        }
        policy = iam.create_policy(PolicyName="boundary", PolicyDocument=json.dumps(document))["Policy"]
        make_profile("bounded", PREFIX_POLICY)
        iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=policy["Arn"])
        [instance] = self.network.run(IamInstanceProfile={"Name": "bounded"})
        try:
            bounded = client("s3", keys=Metadata(instance).credentials("bounded"))
        finally:
            Metadata(self.instance)
        target: dict[str, Any] = {"Bucket": BUCKET, "Key": "fleets/local/bounded"}
        self.node().put_object(**target, Body=b"1")
        self.assertEqual(bounded.get_object(**target)["Body"].read(), b"1")
        self.refused("AccessDenied", bounded.put_object, **target, Body=b"2")
        self.refused("AccessDenied", bounded.get_object, Bucket=BUCKET, Key="fleets/other/a")
        iam.delete_role_permissions_boundary(RoleName="bounded")
        bounded.put_object(**target, Body=b"2")

    def test_a_boundary_is_a_policy_that_exists(self) -> None:
        iam = client("iam")
        none = "arn:aws:iam::123456789012:policy/none"
        trust = json.dumps({"Version": "2012-10-17", "Statement": []})
        role = {"RoleName": "unbounded", "AssumeRolePolicyDocument": trust}
        self.refused("NoSuchEntity", iam.create_role, **role, PermissionsBoundary=none)
        iam.create_role(**role)
        self.refused(
            "NoSuchEntity", iam.put_role_permissions_boundary, RoleName="unbounded", PermissionsBoundary=none
        )

    def test_what_the_instance_does_not_have_is_not_found(self) -> None:
        for path in ("tags/instance", "iam/security-credentials/other", "nothing"):
            self.assertEqual(self.metadata.get(f"meta-data/{path}")[0], 404, path)

    def told(self, metadata: Metadata) -> dict[str, str | None]:
        """What the metadata service says of spot's events; None where that is not found."""
        answers = {path: metadata.get(f"meta-data/{path}") for path in SPOT_EVENTS}
        self.assertLessEqual({status for status, _ in answers.values()}, {200, 404})
        return {path: text if status == 200 else None for path, (status, text) in answers.items()}

    def test_a_spot_machine_is_told_that_it_will_be_taken_back(self) -> None:
        [instance] = self.network.run()
        self.network.wait_for(instance, "running")
        control("POST", "termination", {"seconds": 3})
        try:
            metadata = Metadata(instance)
            self.assertEqual(self.told(metadata), dict.fromkeys(SPOT_EVENTS))
            control("POST", f"rebalance/{instance}")
            at_risk = self.told(metadata)
            self.assertIsNone(at_risk["spot/instance-action"])
            recommended = json.loads(at_risk["events/recommendations/rebalance"] or "")
            self.assertLess(abs(seconds_until(recommended["noticeTime"])), 5)
            control("POST", f"preempt/{instance}", {"noticeSeconds": 8})
            told = self.told(metadata)
            self.assertEqual(
                told["events/recommendations/rebalance"], at_risk["events/recommendations/rebalance"]
            )
            action = json.loads(told["spot/instance-action"] or "")
            self.assertEqual(action, {"action": "terminate", "time": told["spot/termination-time"]})
            self.assertLess(abs(seconds_until(action["time"]) - 8), 8)
            for path in SPOT_EVENTS:
                self.assertEqual(metadata.request("GET", f"meta-data/{path}")[0], 401, path)
            self.assertEqual(self.network.state(instance), "running")
            self.network.wait_for(instance, "shutting-down")
            self.assertEqual(
                self.network.instance(instance)["StateReason"]["Code"], "Server.SpotInstanceTermination"
            )
            self.network.wait_for(instance, "terminated")
        finally:
            control("POST", "termination", {"seconds": 0.3})
            Metadata(self.instance)

    def test_a_recommendation_comes_with_the_notice_at_the_latest(self) -> None:
        [instance] = self.network.run()
        self.network.wait_for(instance, "running")
        try:
            control("POST", f"preempt/{instance}", {"noticeSeconds": 60})
            self.assertIsNotNone(self.told(Metadata(instance))["events/recommendations/rebalance"])
        finally:
            Metadata(self.instance)

    def test_credentials_stay_the_same_until_they_are_due(self) -> None:
        self.assertEqual(self.metadata.credentials("node"), self.metadata.credentials("node"))

    def test_a_role_that_does_not_trust_ec2_gives_no_credentials(self) -> None:
        [instance] = self.network.run(IamInstanceProfile={"Name": "not-for-ec2"})
        try:
            credentials = Metadata(instance).credentials("not-for-ec2")
        finally:
            Metadata(self.instance)
        self.assertEqual(credentials["Code"], "AssumeRoleUnauthorizedAccess")

    def test_the_role_is_held_to_its_prefix(self) -> None:
        node = self.node()
        node.put_object(Bucket=BUCKET, Key="fleets/local/a b+ü.json", Body=b"1")
        self.assertEqual(node.get_object(Bucket=BUCKET, Key="fleets/local/a b+ü.json")["Body"].read(), b"1")
        self.refused("AccessDenied", node.put_object, Bucket=BUCKET, Key="fleets/other/a", Body=b"1")
        self.refused("AccessDenied", node.put_object, Bucket=BUCKET, Key="fleets/localx", Body=b"1")
        self.refused("AccessDenied", node.delete_object, Bucket=BUCKET, Key="fleets/local/a b+ü.json")
        node.list_objects_v2(Bucket=BUCKET, Prefix="fleets/local/")
        self.refused("AccessDenied", node.list_objects_v2, Bucket=BUCKET, Prefix="fleets/")
        self.refused("AccessDenied", node.list_objects_v2, Bucket=BUCKET)
        self.refused("AccessDenied", self.node("iam").list_users)

    def test_the_log_names_the_key_that_the_metadata_service_issued(self) -> None:
        key = self.metadata.credentials("node")["AccessKeyId"]
        self.node().put_object(Bucket=BUCKET, Key="fleets/local/logged", Body=b"1")
        self.refused("AccessDenied", self.node().put_object, Bucket=BUCKET, Key="else", Body=b"1")
        entries = [entry for entry in requests_logged() if entry["accessKeyId"] == key]
        issued = [entry for entry in entries if entry["action"] == "IssueCredentials"]
        self.assertEqual([entry["resource"] for entry in issued], [f"{self.instance}/node"])
        put = [entry for entry in entries if entry["resource"] == f"/{BUCKET}/fleets/local/logged"]
        self.assertEqual([(entry["action"], entry["status"]) for entry in put], [("PutObject", 200)])
        denied = [entry for entry in entries if entry["resource"] == f"/{BUCKET}/else"]
        self.assertEqual([(entry["status"], entry["error"]) for entry in denied], [(403, "AccessDenied")])

    def test_requests_without_or_with_a_wrong_signature_are_refused(self) -> None:
        wrong = {**self.metadata.credentials("node"), "SecretAccessKey": "x" * 40}
        put = client("s3", keys=wrong).put_object
        self.refused("SignatureDoesNotMatch", put, Bucket=BUCKET, Key="fleets/local/x", Body=b"1")
        self.refused("AuthFailure", client("ec2", keys=wrong).describe_vpcs)
        for url in (f"{ENDPOINT}/{BUCKET}/fleets/local/x", f"{ENDPOINT}/{BUCKET}", f"{ENDPOINT}/"):
            with self.assertRaises(urllib.error.HTTPError) as raised:
                urllib.request.urlopen(url)
            self.assertEqual(raised.exception.code, 403, url)

    def test_conditional_puts(self) -> None:
        node = self.node()
        first = node.put_object(Bucket=BUCKET, Key="fleets/local/claim", Body=b"1", IfNoneMatch="*")
        claim: dict[str, Any] = {"Bucket": BUCKET, "Key": "fleets/local/claim"}
        self.refused("PreconditionFailed", node.put_object, **claim, Body=b"2", IfNoneMatch="*")
        node.put_object(**claim, Body=b"3", IfMatch=first["ETag"])
        self.refused("PreconditionFailed", node.put_object, **claim, Body=b"4", IfMatch=first["ETag"])
        self.assertEqual(node.get_object(**claim)["Body"].read(), b"3")

    def test_of_many_conditional_puts_at_once_one_wins(self) -> None:
        won: list[int] = []
        start = threading.Barrier(8)

        def put(number: int) -> None:
            node = self.node()
            start.wait()
            try:
                node.put_object(
                    Bucket=BUCKET, Key="fleets/local/race", Body=str(number).encode(), IfNoneMatch="*"
                )
                won.append(number)
            except ClientError:
                pass

        threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(won), 1)


def tearDownModule() -> None:
    ASSEMBLY.machines.close()


if __name__ == "__main__":
    unittest.main()
