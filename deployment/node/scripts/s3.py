"""The S3 requests that a node makes (get, put, conditional put, delete), signed by hand: a node has no AWS SDK."""

from __future__ import annotations

import datetime
import hashlib
import hmac
import http.client
import re
import ssl
import time
from typing import Any, Callable, Dict, Mapping, NamedTuple, Optional, Tuple
from urllib.parse import quote, urlsplit

from imds import Credentials

TIMEOUT_SECONDS = 10.0
ATTEMPTS = 4


class S3Error(RuntimeError):
    """S3 refused a request; `status` is HTTP's."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class PreconditionFailed(S3Error):
    """Somebody else wrote the object first."""


class NotModified(S3Error):
    """The object is still the version that the caller has."""


class Object(NamedTuple):
    body: bytes
    etag: str


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode("utf-8"), hashlib.sha256).digest()


def authorization(
    method: str,
    path: str,
    query: str,
    headers: Dict[str, str],
    payload_sha256: str,
    credentials: Credentials,
    region: str,
    service: str = "s3",
) -> str:
    """The Authorization header of AWS Signature Version 4.

    `path` and `query` are given as they stand in the request, already encoded; `headers` holds every header to
    be signed, with x-amz-date among them.
    """
    canonical = {name.lower(): re.sub(r"\s+", " ", value.strip()) for name, value in headers.items()}
    signed = ";".join(sorted(canonical))
    request = "\n".join(
        [method, path, query, *(f"{name}:{canonical[name]}" for name in sorted(canonical)), "", signed, payload_sha256]
    )
    timestamp = canonical["x-amz-date"]
    scope = f"{timestamp[:8]}/{region}/{service}/aws4_request"
    digest = hashlib.sha256(request.encode("utf-8")).hexdigest()
    key = _hmac(("AWS4" + credentials.secret_access_key).encode("utf-8"), timestamp[:8])
    for part in (region, service, "aws4_request"):
        key = _hmac(key, part)
    signature = _hmac(key, "\n".join(["AWS4-HMAC-SHA256", timestamp, scope, digest])).hex()
    return (
        f"AWS4-HMAC-SHA256 Credential={credentials.access_key_id}/{scope},SignedHeaders={signed},Signature={signature}"
    )


class Bucket:
    """One bucket. With `endpoint_url` (another S3 than AWS's) the bucket's name goes into the path."""

    def __init__(
        self,
        name: str,
        region: str,
        endpoint_url: Optional[str],
        credentials: Callable[[], Credentials],
    ) -> None:
        self.name = name
        self._region = region
        self._credentials = credentials
        # A name with dots would not match the wildcard of AWS's certificate as a host name.
        in_path = endpoint_url is not None or "." in name
        host = f"s3.{region}.amazonaws.com" if in_path else f"{name}.s3.{region}.amazonaws.com"
        url = urlsplit(endpoint_url or f"https://{host}")
        self._tls = url.scheme == "https"
        self._host = url.hostname or ""
        self._port = url.port or (443 if self._tls else 80)
        self._host_header = self._host if url.port is None else f"{self._host}:{url.port}"
        self._base = f"/{quote(name)}/" if in_path else "/"

    @classmethod
    def of_node(cls, where: Mapping[str, Any], credentials: Callable[[], Credentials]) -> Bucket:
        """The bucket that node.json names, `where` being its part `bucket`."""
        return cls(where["name"], where["region"], where["endpointUrl"], credentials)

    def get(self, key: str, known: Optional[str] = None) -> Optional[Object]:
        """The object, or None where there is none; raises NotModified where it is still the version `known`."""
        try:
            body, etag = self._request("GET", key, b"", {"if-none-match": known} if known else {})
        except S3Error as error:
            if error.status == 404:
                return None
            raise
        return Object(body, etag)

    def put(self, key: str, body: bytes, if_match: Optional[str] = None, only_new: bool = False) -> None:
        """Writes the object: always, or only over the version `if_match`, or only where there is none yet."""
        headers = {"content-type": "application/json"}
        if if_match is not None:
            headers["if-match"] = if_match
        if only_new:
            headers["if-none-match"] = "*"
        self._request("PUT", key, body, headers)

    def delete(self, key: str) -> None:
        """Deletes the object; one that is not there is none the worse."""
        self._request("DELETE", key, b"", {})

    def _request(self, method: str, key: str, body: bytes, headers: Dict[str, str]) -> Tuple[bytes, str]:
        where = f"S3 {method} s3://{self.name}/{key}"
        problem: S3Error = S3Error(0, where)
        for attempt in range(ATTEMPTS):
            if attempt:
                time.sleep(0.4 * 2**attempt)
            try:
                status, answer, etag = self._send(method, key, body, headers)
            except (OSError, http.client.HTTPException) as error:
                problem = S3Error(0, f"{where} failed: {error or type(error).__name__}")
                continue
            if status in (200, 204):
                return answer, etag
            code = re.search(rb"<Code>([^<]+)</Code>", answer)
            message = f"{where} failed: HTTP {status} {code.group(1).decode() if code else ''}".rstrip()
            if status == 304:
                raise NotModified(status, message)
            if status == 412:
                raise PreconditionFailed(status, message)
            problem = S3Error(status, message)
            # 409 is S3's answer while another conditional write of the same key is under way.
            if status < 500 and status not in (409, 429):
                break
        raise problem

    def _send(self, method: str, key: str, body: bytes, headers: Dict[str, str]) -> Tuple[int, bytes, str]:
        credentials = self._credentials()
        path = self._base + quote(key, safe="/-_.~")
        payload = hashlib.sha256(body).hexdigest()
        signed = dict(headers)
        signed["host"] = self._host_header
        signed["x-amz-date"] = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
        signed["x-amz-content-sha256"] = payload
        if credentials.session_token:
            signed["x-amz-security-token"] = credentials.session_token
        signed["authorization"] = authorization(method, path, "", signed, payload, credentials, self._region)
        connection = (
            http.client.HTTPSConnection(
                self._host, self._port, timeout=TIMEOUT_SECONDS, context=ssl.create_default_context()
            )
            if self._tls
            else http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT_SECONDS)
        )
        try:
            connection.request(method, path, body=body if method == "PUT" else None, headers=signed)
            response = connection.getresponse()
            return response.status, response.read(), response.headers.get("ETag", "")
        finally:
            connection.close()
