from __future__ import annotations

import unittest

from account import REGION, client


class VersionedBuckets(unittest.TestCase):
    def test_one_that_is_suspended_can_be_emptied_of_deleted_objects(self) -> None:
        s3 = client("s3")
        s3.create_bucket(Bucket="versioned", CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Enabled"})
        for key in ("kept", "deleted"):
            s3.put_object(Bucket="versioned", Key=key, Body=b"text")
        s3.delete_object(Bucket="versioned", Key="deleted")
        found = s3.list_object_versions(Bucket="versioned")
        self.assertEqual((len(found["Versions"]), len(found["DeleteMarkers"])), (2, 1))
        objects = [
            {"Key": one["Key"], "VersionId": one["VersionId"]} for one in found["Versions"] + found["DeleteMarkers"]
        ]
        s3.put_bucket_versioning(Bucket="versioned", VersioningConfiguration={"Status": "Suspended"})
        answer = s3.delete_objects(Bucket="versioned", Delete={"Objects": objects})
        self.assertNotIn("Errors", answer)
        s3.delete_bucket(Bucket="versioned")
        self.assertNotIn("versioned", [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]])


if __name__ == "__main__":
    unittest.main()
