"""The S3 module against a bucket that fails on demand."""

import json
import os
import re

import peers

imds_peer = peers.Imds("i-1", "10.0.0.1")
os.environ["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = imds_peer.url

import imds  # noqa: E402
import s3  # noqa: E402

store = peers.S3()
bucket = s3.Bucket("data", "us-west-2", store.url, imds.Session().credentials)

bucket.put("a/one.json", b"one")
found = bucket.get("a/one.json")
missing = bucket.get("a/none.json") is None

try:
    bucket.get("a/one.json", found.etag if found else None)
    unchanged = ""
except s3.NotModified as error:
    unchanged = type(error).__name__
bucket.put("a/one.json", b"changed")
changed = bucket.get("a/one.json", found.etag if found else None)

store.requests.clear()
store.fail_next = [503, 409]
bucket.put("b", b"two")
retried = [request["status"] for request in store.requests]

store.requests.clear()
store.fail_next = [403]
try:
    bucket.put("b", b"three")
    refused = {}
except s3.S3Error as error:
    refused = {"status": error.status, "text": str(error), "requests": len(store.requests)}

try:
    bucket.put("b", b"four", only_new=True)
    lost = ""
except s3.PreconditionFailed as error:
    lost = type(error).__name__

bucket.delete("b")
bucket.delete("b")
deleted = bucket.get("b") is None

print(
    json.dumps(
        {
            "read": found.body.decode() if found else "",
            "missing": missing,
            "unchanged": unchanged,
            "changed": changed.body.decode() if changed else "",
            "accessKeys": sorted(
                {
                    re.findall(r"Credential=([^/]+)", request["headers"]["authorization"])[0]
                    for request in store.requests
                }
            ),
            "tokens": sorted({request["headers"]["x-amz-security-token"] for request in store.requests}),
            "retried": retried,
            "refused": refused,
            "lost": lost,
            "deleted": deleted,
        }
    )
)
